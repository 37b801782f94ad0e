// Letters that wait for their time (RFC 4865), until they leave or are taken back.
import { type GetResponse, type Id, type QueryResponse, SUBMISSION } from '../../jmap/types';
import { jmap } from '../../state/jmap.svelte';
import { takeBack } from './sending';
import { call, desk } from './server';

export interface Waiting {
  id: Id;
  sendAt: string;
  subject: string | null;
  /** Whether its message is still in the account; the one under review comes back as a draft by itself. */
  isHere: boolean;
}

interface Submission {
  id: Id;
  emailId: Id;
  sendAt: string;
}

const MOST = 50;

export async function waitingIn(accountId: Id): Promise<Waiting[]> {
  const query = jmap.call<QueryResponse>('EmailSubmission/query', { accountId, filter: { undoStatus: 'pending' }, limit: MOST }, SUBMISSION);
  const get = jmap.call<GetResponse<Submission>>(
    'EmailSubmission/get', { accountId, '#ids': query.ref('/ids'), properties: ['id', 'emailId', 'sendAt'] }, SUBMISSION,
  );
  const { list } = await get;
  if (list.length === 0) return [];
  const ids = [...new Set(list.map(({ emailId }) => emailId))];
  const emails = await jmap.call<GetResponse<{ id: Id; subject: string | null }>>('Email/get', { accountId, ids, properties: ['id', 'subject'] });
  return ahead(list, emails.list, Date.now());
}

/** Those whose time is still to come, the next one first. What is held without a time is the review's to show. */
export function ahead(list: readonly Submission[], emails: readonly { id: Id; subject: string | null }[], now: number): Waiting[] {
  return list
    .filter(({ sendAt }) => Date.parse(sendAt) > now)
    .sort((one, other) => Date.parse(one.sendAt) - Date.parse(other.sendAt))
    .map(({ id, emailId, sendAt }) => {
      const email = emails.find((one) => one.id === emailId);
      return { id, sendAt, subject: email?.subject ?? null, isHere: email !== undefined };
    });
}

export async function withdraw(accountId: Id, { id, isHere }: Waiting): Promise<void> {
  await takeBack(call, accountId, id, isHere ? await desk.mailbox(accountId, 'drafts') : null);
}
