// What a person does with conversations: seen at once, told to the server, taken back when it refuses or on demand.
import { JmapError } from '../jmap/client';
import type { EmailRow, Id, SetResponse } from '../jmap/types';
import type { EmailList } from './list.svelte';
import { emailsOf } from './emails.svelte';
import { jmap } from './jmap.svelte';
import { mailboxesOf } from './mailboxes.svelte';

type Patch = Record<string, unknown>;
const CHUNK = 200;

/** Tells the server patches of emails; throws the first refusal. */
export async function update(accountId: Id, patches: Record<Id, Patch>): Promise<void> {
  const all = Object.entries(patches);
  for (let from = 0; from < all.length; from += CHUNK) {
    const some = Object.fromEntries(all.slice(from, from + CHUNK));
    const set = await jmap.call<SetResponse<EmailRow>>('Email/set', { accountId, update: some });
    const [refused] = Object.values(set.notUpdated ?? {});
    if (refused) throw new JmapError(refused.type, refused.description ?? '', 200, refused);
  }
  void mailboxesOf(accountId).sync().catch(() => undefined);
}

/** Sets or takes a keyword. Gives back how to undo it. */
export async function setKeyword(accountId: Id, rows: readonly EmailRow[], keyword: string, on: boolean): Promise<() => Promise<void>> {
  const changing = rows.filter((row) => Boolean(row.keywords[keyword]) !== on);
  const ids = changing.map((row) => row.id);
  const patch = (value: boolean) => Object.fromEntries(ids.map((id) => [id, { [`keywords/${pointer(keyword)}`]: value || null }]));
  const show = (value: boolean) =>
    emailsOf(accountId).patch(ids, (row) => ({ keywords: without(row.keywords, keyword, value) }));
  const before = show(on);
  try {
    await update(accountId, patch(on));
  } catch (error) {
    emailsOf(accountId).restore(before);
    throw error;
  }
  return async () => {
    show(!on);
    await update(accountId, patch(!on));
  };
}

function without(keywords: Record<string, boolean>, keyword: string, on: boolean): Record<string, boolean> {
  const rest = Object.fromEntries(Object.entries(keywords).filter(([name]) => name !== keyword));
  return on ? { ...rest, [keyword]: true } : rest;
}

/** A keyword as a part of a path (RFC 6901 §3). */
function pointer(keyword: string): string {
  return keyword.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Moves emails into a folder; their rows leave the list at once. Gives back how to undo it. */
export async function move(accountId: Id, rows: readonly EmailRow[], to: Id, list: EmailList | null, leaving: readonly Id[]): Promise<() => Promise<void>> {
  const moving = rows.filter((row) => !row.mailboxIds[to]);
  const ids = moving.map((row) => row.id);
  const putBack = list?.remove(leaving);
  const before = emailsOf(accountId).patch(ids, () => ({ mailboxIds: { [to]: true } }));
  try {
    await update(accountId, Object.fromEntries(ids.map((id) => [id, { mailboxIds: { [to]: true } }])));
  } catch (error) {
    emailsOf(accountId).restore(before);
    putBack?.();
    throw error;
  }
  return async () => {
    emailsOf(accountId).restore(before);
    await update(accountId, Object.fromEntries(before.map((row) => [row.id, { mailboxIds: row.mailboxIds }])));
    await list?.refresh();
  };
}

/** Destroys emails for good; there is no way back. */
export async function destroy(accountId: Id, rows: readonly EmailRow[], list: EmailList | null, leaving: readonly Id[]): Promise<void> {
  const putBack = list?.remove(leaving);
  try {
    for (let from = 0; from < rows.length; from += CHUNK) {
      const ids = rows.slice(from, from + CHUNK).map((row) => row.id);
      const set = await jmap.call<SetResponse<EmailRow>>('Email/set', { accountId, destroy: ids });
      const [refused] = Object.values(set.notDestroyed ?? {});
      if (refused) throw new JmapError(refused.type, refused.description ?? '', 200, refused);
    }
  } catch (error) {
    putBack?.();
    throw error;
  }
  void mailboxesOf(accountId).sync().catch(() => undefined);
}
