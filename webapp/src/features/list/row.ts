// What a row of the list says.
import type { EmailAddress, EmailRow } from '../../jmap/types';

const nameOf = (address: EmailAddress) => address.name?.trim() || address.email;
/** A person in a conversation of several: the given name, which stands last in Vietnamese. */
function short(name: string): string {
  if (name.includes('@')) return name.split('@')[0] ?? name;
  const words = name.split(/\s+/);
  // An office has more words than a person, and none of them stands for it.
  return words.length <= LONGEST_NAME ? (words.at(-1) ?? name) : name;
}
const LONGEST_NAME = 4;
const MOST_NAMES = 3;

/** Who a row is from; in folders of what was sent, who it is to. A conversation of several names them shortly, the newest last. */
export function people(row: EmailRow, thread: readonly EmailRow[], outgoing: boolean): string {
  if (outgoing) return (row.to ?? []).map(nameOf).join(', ');
  const senders = thread.length > 1 ? thread : [row];
  const names: string[] = [];
  for (const email of senders) {
    const [from] = email.from ?? [];
    const name = from ? nameOf(from) : '';
    if (name && !names.includes(name)) names.push(name);
  }
  if (names.length <= 1) return names[0] ?? '';
  const shown = names.length > MOST_NAMES ? [names[0] ?? '', '…', ...names.slice(1 - MOST_NAMES)] : names;
  return shown.map((name) => (name === '…' ? name : short(name))).join(', ').replace(', …, ', ' … ');
}

export interface Marks {
  unread: boolean;
  starred: boolean;
  answered: boolean;
  attachment: boolean;
  draft: boolean;
  count: number;
}

/** The marks of a conversation: unread when anything in it is. */
export function marks(row: EmailRow, thread: readonly EmailRow[]): Marks {
  const all = thread.length > 0 ? thread : [row];
  return {
    unread: all.some((email) => !email.keywords['$seen'] && !email.keywords['$draft']),
    starred: all.some((email) => email.keywords['$flagged']),
    answered: Boolean(row.keywords['$answered']),
    attachment: all.some((email) => email.hasAttachment),
    draft: all.some((email) => email.keywords['$draft']),
    count: all.length,
  };
}

export interface Piece {
  text: string;
  marked: boolean;
}

/** A snippet's text (RFC 8621 §5): its <mark>s and entities read, never as markup. */
export function pieces(snippet: string): Piece[] {
  return snippet
    .split(/(<mark>[\s\S]*?<\/mark>)/)
    .filter((part) => part !== '')
    .map((part) => {
      const marked = part.startsWith('<mark>');
      return { text: entities(marked ? part.slice(6, -7) : part), marked };
    });
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', quot: '"', amp: '&', '#39': "'", '#x27': "'" };

function entities(text: string): string {
  return text.replace(/&(lt|gt|quot|amp|#39|#x27);/g, (_, name: string) => ENTITIES[name] ?? '');
}
