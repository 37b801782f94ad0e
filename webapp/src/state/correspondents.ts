// Whom an account wrote to and heard from: read once, from its latest mail, for completion.
import type { EmailAddress, GetResponse, Id, QueryResponse } from '../jmap/types';
import { jmap, mailSession } from './jmap.svelte';
import { mailboxesOf } from './mailboxes.svelte';

/** Messages that are looked through in each folder. */
const MOST = 300;
const SENT_COUNTS = 3;

interface Heads {
  id: Id;
  from: EmailAddress[] | null;
  to: EmailAddress[] | null;
  cc: EmailAddress[] | null;
}

const kept = new Map<Id, Promise<EmailAddress[]>>();

/** The correspondents of an account, the most frequent first. A failure is none now, and asked again. */
export function correspondentsOf(accountId: Id): Promise<EmailAddress[]> {
  let found = kept.get(accountId);
  if (!found) {
    found = read(accountId).catch(() => {
      kept.delete(accountId);
      return [];
    });
    kept.set(accountId, found);
  }
  return found;
}

/** Somebody was written to: they are known from now on. */
export function forgetCorrespondents(accountId?: Id): void {
  if (accountId === undefined) kept.clear();
  else kept.delete(accountId);
}

async function read(accountId: Id): Promise<EmailAddress[]> {
  const mailboxes = mailboxesOf(accountId);
  if (!mailboxes.known) await mailboxes.load();
  const [sent, inbox] = [mailboxes.withRole('sent')?.id, mailboxes.withRole('inbox')?.id];
  const [ours, theirs] = await Promise.all([heads(accountId, sent), heads(accountId, inbox)]);
  const own = mailSession.accounts.map(({ name }): EmailAddress => ({ name: null, email: name }));
  return counted([
    ...ours.flatMap(({ to, cc }) => [...(to ?? []), ...(cc ?? [])].map((address) => ({ address, weight: SENT_COUNTS }))),
    ...theirs.flatMap(({ from }) => (from ?? []).map((address) => ({ address, weight: 1 }))),
    ...own.map((address) => ({ address, weight: 0 })),
  ]);
}

async function heads(accountId: Id, inMailbox: Id | undefined): Promise<Heads[]> {
  if (!inMailbox) return [];
  const query = jmap.call<QueryResponse>('Email/query', {
    accountId, filter: { inMailbox }, sort: [{ property: 'receivedAt', isAscending: false }], limit: MOST,
  });
  const get = jmap.call<GetResponse<Heads>>('Email/get', { accountId, '#ids': query.ref('/ids'), properties: ['id', 'from', 'to', 'cc'] });
  return (await get).list;
}

/** Each address once, with the name that it was last seen with, the most often seen first. */
export function counted(seen: readonly { address: EmailAddress; weight: number }[]): EmailAddress[] {
  const all = new Map<string, { address: EmailAddress; count: number }>();
  for (const { address, weight } of seen) {
    const key = address.email.toLowerCase();
    const before = all.get(key);
    const name = before?.address.name ?? address.name;
    all.set(key, { address: { name, email: before?.address.email ?? address.email }, count: (before?.count ?? 0) + weight });
  }
  return [...all.values()].sort((one, other) => other.count - one.count).map(({ address }) => address);
}
