// Who an answer goes to and how it hangs on the message that it answers (RFC 5322 §3.6.2 to §3.6.4).
import { type Address, distinct, folded } from './letter';
import { answering, forwarding } from './subject';

export type Kind = 'reply' | 'replyAll' | 'forward';

/** What is read of the message; lists are empty or null where the header has none. */
export interface Original {
  from: Address[] | null;
  replyTo: Address[] | null;
  to: Address[] | null;
  cc: Address[] | null;
  subject: string | null;
  messageId: string[] | null;
  inReplyTo: string[] | null;
  references: string[] | null;
}

export interface Heading {
  to: Address[];
  cc: Address[];
  subject: string;
  inReplyTo: string[];
  references: string[];
}

/** The first and the last of a long chain tell a reader where it hangs; a header has its limits. */
const MOST_REFERENCES = 50;

/** The heading of an answer, or of a message passed on. `own` are the addresses that the person writes from. */
export function heading(kind: Kind, original: Original, own: readonly string[]): Heading {
  const subject = original.subject ?? '';
  const references = chain(original);
  if (kind === 'forward') return { to: [], cc: [], subject: forwarding(subject), inReplyTo: [], references };
  const { to, cc } = audience(kind, original, new Set(own.map(folded)));
  return { to, cc, subject: answering(subject), inReplyTo: (original.messageId ?? []).slice(0, 1), references };
}

function audience(kind: Kind, original: Original, own: ReadonlySet<string>): { to: Address[]; cc: Address[] } {
  const isOwn = (address: Address) => own.has(folded(address.email));
  const others = (list: Address[] | null) => distinct((list ?? []).filter((address) => !isOwn(address)));
  const from = original.from ?? [];
  // Who answers their own message writes on to those whom it went to.
  const mine = from.length > 0 && from.every(isOwn);
  const asked = original.replyTo?.length ? original.replyTo : from;
  const first = mine ? others(original.to) : others(asked);
  // A message to oneself is answered to oneself.
  const to = first.length > 0 ? first : distinct(asked);
  if (kind === 'reply') return { to, cc: [] };
  const all = distinct([...to, ...others(original.to)]);
  return { to: all, cc: distinct(others(original.cc), all) };
}

// RFC 5322 §3.6.4: the parent's References, or its In-Reply-To when that is one alone, then its Message-ID.
function chain({ references, inReplyTo, messageId }: Original): string[] {
  const before = references?.length ? references : inReplyTo?.length === 1 ? inReplyTo : [];
  const all = [...before, ...(messageId ?? []).slice(0, 1)];
  const once = all.filter((id, at) => all.lastIndexOf(id) === at);
  return once.length <= MOST_REFERENCES ? once : [...once.slice(0, 1), ...once.slice(1 - MOST_REFERENCES)];
}

/** Which of the person's addresses the message came to: the answer is sent from that one. */
export function writtenTo(original: Original, own: readonly string[]): string | null {
  const wanted = new Map(own.map((email) => [folded(email), email]));
  for (const address of [...(original.to ?? []), ...(original.cc ?? []), ...(original.from ?? [])]) {
    const found = wanted.get(folded(address.email));
    if (found !== undefined) return found;
  }
  return null;
}
