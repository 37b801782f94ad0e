// What a person types into the search box, as a filter of Email/query. The words of an operator are Vietnamese or English,
// with or without marks; what is no operator is searched for everywhere.
import type { EmailCondition, EmailFilter } from '../../jmap/types';

/** The longest question that is sent. */
const LONGEST = 500;
const MOST_TERMS = 20;

type Field = 'from' | 'to' | 'cc' | 'subject' | 'body' | 'has' | 'is' | 'in' | 'before' | 'after' | 'larger' | 'smaller' | 'label';

const FIELDS: Record<string, Field> = {
  from: 'from', 'từ': 'from', tu: 'from',
  to: 'to', 'đến': 'to', den: 'to', 'gửi': 'to', gui: 'to',
  cc: 'cc', 'đồnggửi': 'cc', donggui: 'cc',
  subject: 'subject', 'tiêuđề': 'subject', tieude: 'subject',
  body: 'body', 'nộidung': 'body', noidung: 'body',
  has: 'has', 'có': 'has', co: 'has',
  is: 'is', 'là': 'is', la: 'is',
  in: 'in', 'trong': 'in',
  before: 'before', 'trước': 'before', truoc: 'before',
  after: 'after', 'sau': 'after',
  larger: 'larger', 'lớnhơn': 'larger', lonhon: 'larger',
  smaller: 'smaller', 'nhỏhơn': 'smaller', nhohon: 'smaller',
  label: 'label', 'nhãn': 'label', nhan: 'label',
};

/** Operators and values of several words, each as the one word that is known. */
const SPACED: [RegExp, string][] = [
  [/(?<!\p{L})(?:chủ[ -]đề|chu[ -]de|tiêu đề|tieu de)\s*:\s*/giu, 'subject:'],
  [/(?<!\p{L})(?:nội dung|noi dung)\s*:\s*/giu, 'body:'],
  [/(?<!\p{L})(?:có|co|has):\s*"?(?:tệp |tep )?(?:đính kèm|dinh kem)"?(?!\p{L})/giu, 'has:attachment'],
  [/(?<!\p{L})(?:là|la|is):\s*"?(?:chưa đọc|chua doc)"?(?!\p{L})/giu, 'is:unread'],
  [/(?<!\p{L})(?:là|la|is):\s*"?(?:đã đọc|da doc)"?(?!\p{L})/giu, 'is:read'],
  [/(?<!\p{L})(?:là|la|is|có|co|has):\s*"?(?:gắn sao|gan sao|có sao|co sao)"?(?!\p{L})/giu, 'is:starred'],
];

const spelled = (question: string) => SPACED.reduce((text, [words, word]) => text.replace(words, word), question.normalize('NFC'));

export interface Surroundings {
  /** The folder of a name, or nothing. */
  mailbox: (name: string) => string | undefined;
  /** The keyword of a label. */
  label: (name: string) => string;
}

const plain = (word: string) => word.toLowerCase().normalize('NFC');

/** Reads a question. Terms are joined by AND; `-` before a term turns it around. */
export function filterOf(question: string, around: Surroundings): EmailFilter {
  const conditions = terms(question.slice(0, LONGEST)).slice(0, MOST_TERMS).map((term) => condition(term, around));
  return conditions.length === 1 && conditions[0] ? conditions[0] : { operator: 'AND', conditions };
}

interface Term {
  field: Field | null;
  value: string;
  negated: boolean;
}

/** Cuts a question into terms; quotes hold words together. */
export function terms(question: string): Term[] {
  const found: Term[] = [];
  const words: string[] = [];
  for (const match of spelled(question).matchAll(/(-?)(?:([\p{L}]+):)?(?:"([^"]*)"|(\S+))/gu)) {
    const [whole, minus = '', name = '', quoted, bare = ''] = match;
    const field = FIELDS[plain(name)] ?? null;
    if (name && !field) words.push(whole);
    else if (field) found.push({ field, value: (quoted ?? bare).trim(), negated: minus === '-' });
    else if (minus || quoted !== undefined) found.push({ field: null, value: quoted === undefined ? bare : `"${quoted}"`, negated: minus === '-' });
    else words.push(bare);
  }
  if (words.length > 0) found.unshift({ field: null, value: words.join(' '), negated: false });
  return found.filter((term) => term.value !== '');
}

function condition(term: Term, around: Surroundings): EmailFilter {
  const meant = term.field ? (fielded(term.field, term.value, around) ?? { text: `${term.field}:${term.value}` }) : { text: term.value };
  return term.negated ? { operator: 'NOT', conditions: [meant] } : meant;
}

function fielded(field: Field, value: string, around: Surroundings): EmailCondition | null {
  switch (field) {
    case 'from':
    case 'to':
    case 'cc':
    case 'subject':
    case 'body':
      return { [field]: value };
    case 'has':
      return /^(attachment|attachments|file|tệp|tep)$/.test(plain(value)) ? { hasAttachment: true } : null;
    case 'is':
      return state(plain(value));
    case 'in': {
      const id = around.mailbox(value);
      return id ? { inMailbox: id } : null;
    }
    case 'label':
      return { hasKeyword: around.label(value) };
    case 'before':
    case 'after': {
      const day = date(value);
      return day ? { [field]: day } : null;
    }
    default: {
      const bytes = size(value);
      return bytes === null ? null : field === 'larger' ? { minSize: bytes } : { maxSize: bytes };
    }
  }
}

function state(value: string): EmailCondition | null {
  if (/^(unread|chưađọc|chuadoc)$/.test(value)) return { notKeyword: '$seen' };
  if (/^(read|đãđọc|dadoc)$/.test(value)) return { hasKeyword: '$seen' };
  if (/^(starred|flagged|sao|cósao|cosao)$/.test(value)) return { hasKeyword: '$flagged' };
  if (/^(answered|replied|đãtrảlời|datraloi)$/.test(value)) return { hasKeyword: '$answered' };
  return null;
}

/** 25/11/2026, 25/11, 2026-11-25: the beginning of that day in Vietnam. */
export function date(value: string, now = new Date()): string | null {
  const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(value);
  const local = /^(\d{1,2})\/(\d{1,2})(?:\/(\d{4}))?$/.exec(value);
  const [year, month, day] = iso ? iso.slice(1) : local ? [local[3] ?? String(now.getFullYear()), local[2], local[1]] : [];
  if (!year || !month || !day) return null;
  const at = new Date(`${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}T00:00:00+07:00`);
  return Number.isNaN(at.getTime()) ? null : at.toISOString().replace('.000', '');
}

/** 5MB, 300k, 12000: bytes. */
function size(value: string): number | null {
  const match = /^(\d{1,9})\s*(k|kb|m|mb|g|gb)?$/i.exec(value);
  if (!match) return null;
  const unit = { k: 1e3, m: 1e6, g: 1e9 }[(match[2] ?? '').charAt(0).toLowerCase()] ?? 1;
  return Number(match[1]) * unit;
}
