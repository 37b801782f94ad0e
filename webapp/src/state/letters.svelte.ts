// Emails as the reader shows them, made ready by the server: the last few that were read.
import { SvelteMap } from 'svelte/reactivity';
import { type Email, type EmailView, type GetResponse, type Id, VIEW } from '../jmap/types';
import { ROW } from './emails.svelte';
import { jmap } from './jmap.svelte';

export const AUTHENTICATION = 'header:Authentication-Results:asText:all';
const ABOUT = [...ROW, 'blobId', 'messageId', 'inReplyTo', 'references', 'sentAt', 'sender', 'cc', 'bcc', 'replyTo', AUTHENTICATION];
/** As many as one call makes ready. */
const MOST_AT_ONCE = 40;
const MOST = 60;

export type About = Omit<Email, 'bodyValues' | 'textBody' | 'htmlBody' | 'attachments'> & { [AUTHENTICATION]?: string[] | null };

export interface Letter extends About {
  view: EmailView;
}

const kept = new SvelteMap<string, Letter>();
const key = (accountId: Id, id: Id) => `${accountId}/${id}`;

export const letters = {
  get(accountId: Id, id: Id): Letter | undefined {
    return kept.get(key(accountId, id));
  },
  /** Reads what is not known yet. A letter never changes: what is known stays. */
  async load(accountId: Id, ids: readonly Id[]): Promise<void> {
    const missing = ids.filter((id) => !kept.has(key(accountId, id))).slice(-MOST_AT_ONCE);
    if (missing.length === 0) return;
    const about = jmap.call<GetResponse<About>>('Email/get', { accountId, ids: missing, properties: ABOUT });
    const views = await jmap.call<GetResponse<EmailView>>('EmailView/get', { accountId, ids: missing }, VIEW);
    const ready = new Map(views.list.map((view) => [view.id, view]));
    for (const email of (await about).list) {
      const view = ready.get(email.id);
      if (view) kept.set(key(accountId, email.id), { ...email, view });
    }
    for (const [name] of kept) {
      if (kept.size <= MOST) break;
      kept.delete(name);
    }
  },
  /** Reads a letter again, with the pictures of other hosts. */
  async loadRemote(accountId: Id, id: Id): Promise<void> {
    const views = await jmap.call<GetResponse<EmailView>>('EmailView/get', { accountId, ids: [id], allowRemote: true }, VIEW);
    const [letter, [view]] = [kept.get(key(accountId, id)), views.list];
    if (letter && view) kept.set(key(accountId, id), { ...letter, view });
  },
  forget(): void {
    kept.clear();
  },
};
