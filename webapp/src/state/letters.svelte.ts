// Emails as the reader shows them, bodies and all: the last few that were read.
import { SvelteMap } from 'svelte/reactivity';
import type { Email, GetResponse, Id } from '../jmap/types';
import { ROW } from './emails.svelte';
import { jmap } from './jmap.svelte';

export const AUTHENTICATION = 'header:Authentication-Results:asText:all';
const WHOLE = [
  ...ROW, 'blobId', 'messageId', 'inReplyTo', 'references', 'sentAt', 'sender', 'cc', 'bcc', 'replyTo',
  'textBody', 'htmlBody', 'attachments', 'bodyValues', AUTHENTICATION,
];
const PART = ['partId', 'blobId', 'size', 'name', 'type', 'disposition', 'cid'];
const LONGEST_BODY = 1_000_000;
const MOST = 60;

export type Letter = Email & { [AUTHENTICATION]?: string[] | null };

const kept = new SvelteMap<string, Letter>();
const key = (accountId: Id, id: Id) => `${accountId}/${id}`;

export const letters = {
  get(accountId: Id, id: Id): Letter | undefined {
    return kept.get(key(accountId, id));
  },
  /** Reads what is not known yet. A body never changes: what is known stays. */
  async load(accountId: Id, ids: readonly Id[]): Promise<void> {
    const missing = ids.filter((id) => !kept.has(key(accountId, id))).slice(0, MOST);
    if (missing.length === 0) return;
    const got = await jmap.call<GetResponse<Letter>>('Email/get', {
      accountId, ids: missing, properties: WHOLE, bodyProperties: PART,
      fetchTextBodyValues: true, fetchHTMLBodyValues: true, maxBodyValueBytes: LONGEST_BODY,
    });
    for (const letter of got.list) kept.set(key(accountId, letter.id), letter);
    for (const [name] of kept) {
      if (kept.size <= MOST) break;
      kept.delete(name);
    }
  },
  forget(): void {
    kept.clear();
  },
};
