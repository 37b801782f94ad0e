// How a saved draft is sent, at once, after time for second thoughts, or later (RFC 8621 §7, RFC 4865), and taken back.
import { folded, type Address } from './letter';
import { type Call, createdId, type Invocation, refusal } from './saving';

/** How long the server waits: seconds for second thoughts, or until a time. */
export type Hold = { seconds: number } | { until: Date } | null;

export interface Sending {
  accountId: string;
  emailId: string;
  identityId: string;
  from: string;
  to: readonly Address[];
  hold: Hold;
  /** Where the message goes once it is sent; null when the account is under review and the server files it itself. */
  sentId: string | null;
}

export interface Sent {
  id: string;
  undoStatus: string;
  sendAt: string | null;
}

/** The envelope. RFC 4865 §4: HOLDFOR counts seconds, HOLDUNTIL names an instant, whatever the browser's clock says. */
export function envelope({ from, to, hold }: Pick<Sending, 'from' | 'to' | 'hold'>): Record<string, unknown> {
  const parameters = hold === null ? null : 'seconds' in hold ? { HOLDFOR: String(hold.seconds) } : { HOLDUNTIL: instant(hold.until) };
  const once = new Map(to.map(({ email }) => [folded(email), email]));
  return { mailFrom: { email: from, parameters }, rcptTo: [...once.values()].map((email) => ({ email, parameters: null })) };
}

// RFC 3339, without the fraction that RFC 4865 does not ask for.
function instant(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** Sends. Ask `sentBefore` first when an earlier try was cut off: it may have arrived. */
export async function send(call: Call, sending: Sending): Promise<Sent> {
  const { accountId, emailId, identityId, sentId } = sending;
  const after: Record<string, unknown> =
    sentId === null
      ? { onSuccessDestroyEmail: ['#sending'] }
      : { onSuccessUpdateEmail: { '#sending': { mailboxIds: { [sentId]: true }, 'keywords/$draft': null, 'keywords/$seen': true } } };
  const create = { sending: { identityId, emailId, envelope: envelope(sending) } };
  const [answer] = await call([['EmailSubmission/set', { accountId, create, ...after }]]);
  const id = createdId(answer, 'sending');
  const made = (answer?.[1]['created'] as Record<string, Partial<Sent>>)['sending'];
  return { id, undoStatus: made?.undoStatus ?? 'pending', sendAt: made?.sendAt ?? null };
}

/** The submission that a draft already has, when the answer to an earlier try was lost. */
export async function sentBefore(call: Call, accountId: string, emailId: string): Promise<Sent | null> {
  const [found] = await call([['EmailSubmission/query', { accountId, filter: { emailIds: [emailId] }, limit: 10 }]]);
  if (found?.[0] === 'error') throw refusal(found[1]);
  const ids = (found?.[1]['ids'] ?? []) as string[];
  if (ids.length === 0) return null;
  const [got] = await call([['EmailSubmission/get', { accountId, ids, properties: ['id', 'undoStatus', 'sendAt'] }]]);
  const list = (got?.[1]['list'] ?? []) as Sent[];
  // What was taken back does not count: it is to be sent now.
  return list.find((sent) => sent.undoStatus !== 'canceled') ?? null;
}

/** Takes a message back; refused (`cannotUnsend`) once it left. The draft is a draft again where there still is one. */
export async function takeBack(call: Call, accountId: string, id: string, draftsId: string | null): Promise<void> {
  const back = { mailboxIds: { [draftsId ?? '']: true }, 'keywords/$draft': true };
  const after = draftsId === null ? {} : { onSuccessUpdateEmail: { [id]: back } };
  const [answer] = await call([['EmailSubmission/set', { accountId, update: { [id]: { undoStatus: 'canceled' } }, ...after }]]);
  const refused = refusedUpdate(answer, id);
  if (refused) throw refusal(refused);
}

function refusedUpdate(answer: Invocation | undefined, id: string): unknown {
  if (answer?.[0] !== 'EmailSubmission/set') return answer?.[1] ?? {};
  return (answer[1]['notUpdated'] as Record<string, unknown> | null | undefined)?.[id] ?? null;
}

/** Marks the message that was answered or passed on, and takes the mark away again. */
export async function mark(call: Call, accountId: string, emailId: string, keyword: '$answered' | '$forwarded', on: boolean): Promise<void> {
  await call([['Email/set', { accountId, update: { [emailId]: { [`keywords/${keyword}`]: on || null } } }]]);
}
