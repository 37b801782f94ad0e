// Addresses as people type and paste them (RFC 5322 §3.4, and what Outlook and spreadsheets put on the clipboard).
import type { Address } from './letter';

/** Why a text is not an address; the words are `address.<why>`. */
export type Wrong = 'noAt' | 'noName' | 'noDomain' | 'badDomain' | 'space' | 'badName';

export type Entry = { address: Address } | { text: string; wrong: Wrong };

/** At most so many are taken from one paste; more is a list for the administrator, not for a letter. */
export const MOST_PASTED = 500;

/** What is wrong with an address, or null. */
export function wrongWith(email: string): Wrong | null {
  if (/\s/.test(email)) return 'space';
  const at = email.lastIndexOf('@');
  if (at < 0) return 'noAt';
  const [local, domain] = [email.slice(0, at), email.slice(at + 1)];
  if (local === '') return 'noName';
  if (domain === '') return 'noDomain';
  if (!isDomain(domain)) return 'badDomain';
  return isLocal(local) ? null : 'badName';
}

function isLocal(local: string): boolean {
  // RFC 5321 §4.5.3.1.1: 64 octets.
  if (new TextEncoder().encode(local).length > 64) return false;
  if (/^"([^"\\]|\\.)*"$/.test(local)) return true;
  return local.split('.').every((atom) => /^[^\s@<>(),;:"\\[\]]+$/.test(atom));
}

function isDomain(domain: string): boolean {
  const labels = domain.split('.');
  const label = /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N}_-]{0,61}[\p{L}\p{M}\p{N}_])?$/u;
  return labels.length > 1 && domain.length <= 253 && labels.every((part) => label.test(part)) && !/^\d+$/.test(labels.at(-1) ?? '');
}

/** "Sở Nội vụ <sonoivu@khanhhoa.example>", as it is shown and copied. */
export function written({ name, email }: Address): string {
  if (!name) return email;
  const plain = /^[^",;<>@():\\[\]]*$/.test(name);
  return `${plain ? name : `"${name.replace(/(["\\])/g, '\\$1')}"`} <${email}>`;
}

/** The name when there is one, else the address. */
export function called({ name, email }: Address): string {
  return name?.trim() || email;
}

/** Reads every address of a text; what is none is handed back with the reason. */
export function read(text: string): Entry[] {
  const pieces = joined(split(text.normalize('NFC').replace(/^mailto:/i, '')));
  return pieces.flatMap(entries).slice(0, MOST_PASTED);
}

// Cuts at commas, semicolons, tabs and line ends that stand in no quotes and no angle brackets.
function split(text: string): string[] {
  const pieces: string[] = [];
  let piece = '';
  let quoted = false;
  let angled = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '\n' || character === '\r') quoted = angled = false;
    if (character === '\\' && quoted) {
      piece += character + text.charAt(++at);
      continue;
    }
    if (character === '"' && !angled) quoted = !quoted;
    if (character === '<' && !quoted) angled = true;
    if (character === '>' && !quoted) angled = false;
    if (!quoted && !angled && /[,;\t\n\r]/.test(character)) {
      pieces.push(piece + (character === ',' ? ',' : ''));
      piece = '';
    } else {
      piece += character;
    }
  }
  return [...pieces, piece];
}

// "Nguyễn Văn An, Sở Nội vụ <an@…>": a comma in a name that nobody quoted.
function joined(pieces: string[]): string[] {
  const whole: string[] = [];
  let open = '';
  for (const piece of pieces) {
    const text = piece.replace(/,$/, '').trim();
    const goesOn = piece.endsWith(',') && text !== '' && !text.includes('@') && /\p{L}/u.test(text);
    if (goesOn) {
      open += `${text}, `;
      continue;
    }
    // What follows has no name of its own to be part of when it is a bare address.
    if (open && !/[<]/.test(text)) whole.push(...open.split(', '));
    else if (open) whole.push(open + text);
    if (!(open && /[<]/.test(text))) whole.push(text);
    open = '';
  }
  if (open) whole.push(...open.split(', '));
  return whole.map((text) => text.trim()).filter(Boolean);
}

function entries(piece: string): Entry[] {
  const group = /^[^@<"]*:\s*(.+)$/s.exec(piece);
  const text = (group?.[1] ?? piece).replace(/^mailto:/i, '').trim();
  const angled = /^(.*?)<\s*([^<>]*?)\s*>[^<>]*$/s.exec(text);
  if (angled) return [checked(angled[2] ?? '', unquoted(angled[1] ?? ''), text)];
  const words = text.split(/\s+/);
  if (words.length > 1 && words.every((word) => wrongWith(word) === null)) return words.map((word) => checked(word, null, word));
  return [checked(text.replace(/\.$/, ''), null, text)];
}

function checked(email: string, name: string | null, text: string): Entry {
  const wrong = wrongWith(email);
  return wrong ? { text, wrong } : { address: { name: name || null, email } };
}

function unquoted(name: string): string {
  const text = name.trim();
  const inner = /^"(.*)"$/s.exec(text)?.[1];
  return (inner === undefined ? text : inner.replace(/\\(.)/g, '$1')).replace(/^'(.*)'$/, '$1').trim();
}
