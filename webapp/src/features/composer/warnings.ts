// What a person should look at before a letter leaves. Each is a reason to think once more; none forbids.
import { type Address, folded, type Letter, recipients } from './letter';
import { toText } from './plain';

export type Warning =
  | { kind: 'noSubject' }
  | { kind: 'noAttachment'; word: string }
  | { kind: 'empty' }
  | { kind: 'outside'; addresses: string[] }
  | { kind: 'private'; addresses: string[] }
  | { kind: 'firstTime'; addresses: string[] }
  | { kind: 'many'; count: number };

/** What is known of recipients. `written` is null where it cannot be known to whom the account wrote before. */
export interface Knowledge {
  /** S2.2b: the official domains; empty where the agency has no rule. */
  official: readonly string[];
  /** S8.3a: the providers of private email. */
  providers: readonly string[];
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
  const isPrivate = ({ email }: Address) => isWithin(email, knowledge.providers);
  const isOutside = (address: Address) => knowledge.official.length > 0 && !isPrivate(address) && !isWithin(address.email, knowledge.official);
  const spoken = letter.enclosures.some((enclosure) => enclosure.cid === null) ? null : spokenOf(letter);
  const found: (Warning | null)[] = [
    listed('private', emails(isPrivate)),
    listed('outside', emails(isOutside)),
    spoken === null ? null : { kind: 'noAttachment', word: spoken },
    letter.subject.trim() === '' ? { kind: 'noSubject' } : null,
    isEmpty(letter) ? { kind: 'empty' } : null,
    listed('firstTime', emails(({ email }) => knowledge.written !== null && !knowledge.written.has(folded(email)))),
    all.length >= MANY ? { kind: 'many', count: all.length } : null,
  ];
  return found.filter((warning) => warning !== null);
}

function listed(kind: 'outside' | 'private' | 'firstTime', addresses: string[]): Warning | null {
  return addresses.length > 0 ? { kind, addresses } : null;
}

/** Whether an address lies under one of the domains, judged on a label boundary. */
export function isWithin(email: string, domains: readonly string[]): boolean {
  const domain = folded(email.slice(email.lastIndexOf('@') + 1));
  return domains.some((suffix) => domain === suffix || domain.endsWith(`.${suffix}`));
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
