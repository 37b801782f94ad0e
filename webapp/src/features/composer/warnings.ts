// What a person should look at before a letter leaves. Each is a reason to think once more; none forbids.
import { type Address, folded, type Letter, recipients } from './letter';
import { toText } from '../../ui/editor/text';

export type Warning =
  | { kind: 'nobody'; addresses: string[] }
  | { kind: 'noSubject' }
  | { kind: 'noAttachment'; word: string }
  | { kind: 'empty' }
  | { kind: 'outside'; addresses: string[] }
  | { kind: 'private'; addresses: string[]; article: string }
  | { kind: 'firstTime'; addresses: string[] }
  | { kind: 'many'; count: number };

/** What the server says of one address. */
export interface Fact {
  /** S2.2b: whether it lies under an official domain; null where the agency names none. */
  official: boolean | null;
  /** S8.3a: the article on private email, when the address is with such a provider. */
  article: string | null;
  /** It is under a domain of ours, and nobody has it: the server would refuse it. */
  isNobody: boolean;
}

/** What is known of recipients; empty or null where it could not be asked for. */
export interface Knowledge {
  /** By folded address. */
  facts: ReadonlyMap<string, Fact>;
  /** Those that the account wrote to before, folded. */
  written: ReadonlySet<string> | null;
}

/** From so many recipients on it is said how many they are. */
export const MANY = 20;

const SPOKEN = [
  'đính kèm', 'kèm theo', 'gửi kèm', 'kèm file', 'kèm tệp', 'file kèm', 'tệp kèm', 'tập tin kèm', 'dinh kem', 'kem theo', 'gui kem',
  'attached', 'attachment', 'attaching', 'enclosed',
];

/** Everything worth a look, the gravest first. */
export function warnings(letter: Letter, knowledge: Knowledge): Warning[] {
  const all = recipients(letter);
  const emails = (keep: (address: Address) => boolean) => all.filter(keep).map((address) => address.email);
  const fact = ({ email }: Address) => knowledge.facts.get(folded(email));
  const isPrivate = (address: Address) => Boolean(fact(address)?.article);
  const isOutside = (address: Address) => fact(address)?.official === false && !isPrivate(address);
  const spoken = letter.enclosures.some((enclosure) => enclosure.cid === null) ? null : spokenOf(letter);
  const found: (Warning | null)[] = [
    listed('nobody', emails((address) => Boolean(fact(address)?.isNobody))),
    forbidden(emails(isPrivate), all.map((address) => fact(address)?.article).find(Boolean) ?? ''),
    listed('outside', emails(isOutside)),
    spoken === null ? null : { kind: 'noAttachment', word: spoken },
    letter.subject.trim() === '' ? { kind: 'noSubject' } : null,
    isEmpty(letter) ? { kind: 'empty' } : null,
    listed('firstTime', emails(({ email }) => knowledge.written !== null && !knowledge.written.has(folded(email)))),
    all.length >= MANY ? { kind: 'many', count: all.length } : null,
  ];
  return found.filter((warning) => warning !== null);
}

function forbidden(addresses: string[], article: string): Warning | null {
  return addresses.length > 0 ? { kind: 'private', addresses, article } : null;
}

function listed(kind: 'nobody' | 'outside' | 'firstTime', addresses: string[]): Warning | null {
  return addresses.length > 0 ? { kind, addresses } : null;
}

// Only what is written now speaks: the quoted message had its own attachments.
function spokenOf(letter: Letter): string | null {
  const text = letter.plain ? letter.body.replace(/^>.*$/gm, '') : toText(letter.body.replace(/<blockquote[\s\S]*<\/blockquote>/gi, ''));
  const words = `${letter.subject}\n${text}`.normalize('NFC').toLowerCase().replace(/\s+/g, ' ');
  return SPOKEN.find((word) => new RegExp(`(?<![\\p{L}\\p{N}])${word}(?![\\p{L}\\p{N}])`, 'u').test(words)) ?? null;
}

function isEmpty({ plain, body, quote, enclosures }: Letter): boolean {
  return quote === null && enclosures.length === 0 && (plain ? body : toText(body)).trim() === '' && !/<img/i.test(body);
}
