// Emails and threads as lists show them: the newest that were looked at, kept at the state that the server told.
import { SvelteMap } from 'svelte/reactivity';
import type { EmailRow, GetResponse, Id, State, Thread } from '../jmap/types';
import { jmap } from './jmap.svelte';

export const ROW = ['id', 'threadId', 'mailboxIds', 'keywords', 'receivedAt', 'size', 'hasAttachment', 'subject', 'from', 'to', 'preview'];
/** More than any screen shows; who scrolls back asks again. */
const MOST_EMAILS = 4_000;
const MOST_THREADS = 4_000;

export class Emails {
  #rows = new SvelteMap<Id, EmailRow>();
  #threads = new SvelteMap<Id, readonly Id[]>();
  #state: State | null = null;

  constructor(readonly accountId: Id) {}

  get(id: Id): EmailRow | undefined {
    return this.#rows.get(id);
  }

  /** The emails of a thread, oldest first, as far as they are known. */
  thread(id: Id): EmailRow[] {
    return (this.#threads.get(id) ?? []).flatMap((email) => this.#rows.get(email) ?? []);
  }

  threadIds(id: Id): readonly Id[] | undefined {
    return this.#threads.get(id);
  }

  keep(got: GetResponse<EmailRow>): void {
    this.#state ??= got.state;
    for (const row of got.list) {
      this.#rows.delete(row.id);
      this.#rows.set(row.id, row);
    }
    for (const [id] of this.#rows) {
      if (this.#rows.size <= MOST_EMAILS) break;
      this.#rows.delete(id);
    }
  }

  keepThreads(list: readonly Thread[]): void {
    for (const { id, emailIds } of list) this.#threads.set(id, emailIds);
    for (const [id] of this.#threads) {
      if (this.#threads.size <= MOST_THREADS) break;
      this.#threads.delete(id);
    }
  }

  /** Changes rows on the screen before the server has; gives back how they were. */
  patch(ids: readonly Id[], change: (row: EmailRow) => Partial<EmailRow>): EmailRow[] {
    const before = ids.flatMap((id) => this.#rows.get(id) ?? []);
    for (const row of before) this.#rows.set(row.id, { ...row, ...change(row) });
    return before;
  }

  restore(rows: readonly EmailRow[]): void {
    for (const row of rows) if (this.#rows.has(row.id)) this.#rows.set(row.id, row);
  }

  /** All emails of these threads, asked of the server where they are not known. */
  async members(rows: readonly EmailRow[]): Promise<EmailRow[]> {
    const missing = [...new Set(rows.map((row) => row.threadId))].filter((id) => {
      const ids = this.#threads.get(id);
      return !ids || ids.some((email) => !this.#rows.has(email));
    });
    for (let from = 0; from < missing.length; from += 100) {
      const threads = jmap.call<GetResponse<Thread>>('Thread/get', { accountId: this.accountId, ids: missing.slice(from, from + 100) });
      const emails = jmap.call<GetResponse<EmailRow>>('Email/get', { accountId: this.accountId, '#ids': threads.ref('/list/*/emailIds'), properties: ROW });
      this.keepThreads((await threads).list);
      this.keep(await emails);
    }
    return [...new Set(rows.map((row) => row.threadId))].flatMap((id) => this.thread(id));
  }

  /** Brings what is kept forward by what changed (RFC 8621 §4.2, §4.3). */
  async sync(): Promise<void> {
    if (this.#state === null) return;
    const changes = await jmap.changes('Email', this.accountId, this.#state);
    if (!changes) {
      this.#rows.clear();
      this.#threads.clear();
      this.#state = null;
      return;
    }
    for (const id of changes.destroyed) this.#rows.delete(id);
    const stale = changes.updated.filter((id) => this.#rows.has(id));
    for (let from = 0; from < stale.length; from += 200) {
      const ids = stale.slice(from, from + 200);
      const got = await jmap.call<GetResponse<EmailRow>>('Email/get', { accountId: this.accountId, ids, properties: ROW });
      for (const row of got.list) this.#rows.set(row.id, row);
      for (const id of got.notFound) this.#rows.delete(id);
    }
    await this.#syncThreads(changes.created);
    this.#state = changes.newState;
  }

  /** A thread that is kept gets the emails that came. */
  async #syncThreads(created: readonly Id[]): Promise<void> {
    if (created.length === 0 || this.#threads.size === 0) return;
    const ids = created.slice(0, 200);
    const got = await jmap.call<GetResponse<EmailRow>>('Email/get', { accountId: this.accountId, ids, properties: ROW });
    const touched = [...new Set(got.list.map((row) => row.threadId))].filter((id) => this.#threads.has(id));
    if (touched.length === 0) return;
    this.keep(got);
    this.keepThreads((await jmap.call<GetResponse<Thread>>('Thread/get', { accountId: this.accountId, ids: touched })).list);
  }
}

const kept = new Map<Id, Emails>();

/** The emails of an account; the same each time. */
export function emailsOf(accountId: Id): Emails {
  let emails = kept.get(accountId);
  if (!emails) kept.set(accountId, (emails = new Emails(accountId)));
  return emails;
}

export function forgetEmails(): void {
  kept.clear();
}
