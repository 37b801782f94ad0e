// A list of conversations of any length, of which only the windows that were looked at are known.
import type { Comparator, EmailFilter, EmailRow, GetResponse, Id, QueryResponse, State, Thread } from '../jmap/types';
import { type Emails, emailsOf, ROW } from './emails.svelte';
import { jmap } from './jmap.svelte';

export const WINDOW = 50;
/** A taller page is more than browsers can show; who has more searches. */
export const MOST_ROWS = 400_000;
const NEWEST: Comparator[] = [{ property: 'receivedAt', isAscending: false }];
const TEXT = ['text', 'from', 'to', 'cc', 'bcc', 'subject', 'body'];

/** Whether words are asked for: then the server ranks, what is written just so first, and after it the newest. */
function asksForText(filter: EmailFilter): boolean {
  return 'operator' in filter ? filter.conditions.some(asksForText) : TEXT.some((name) => name in filter);
}

export interface Asked {
  accountId: Id;
  filter: EmailFilter;
  /** One row a conversation, or one an email. */
  collapse: boolean;
}

export class EmailList {
  #ids = $state.raw<readonly (Id | undefined)[]>([]);
  #known = $state(false);
  failure = $state.raw<unknown>(null);
  readonly emails: Emails;
  #queryState: State | null = null;
  #pending = new Set<number>();
  /** Raised whenever positions move: an answer to an older question is no answer. */
  #version = 0;
  #seen: [number, number] = [0, WINDOW - 1];

  constructor(readonly asked: Asked) {
    this.emails = emailsOf(asked.accountId);
  }

  /** Whether the first window was told. */
  get known(): boolean {
    return this.#known;
  }

  get total(): number {
    return this.#ids.length;
  }

  id(index: number): Id | undefined {
    return this.#ids[index];
  }

  row(index: number): EmailRow | undefined {
    const id = this.#ids[index];
    return id === undefined ? undefined : this.emails.get(id);
  }

  indexOf(id: Id): number {
    return this.#ids.indexOf(id);
  }

  /** The row of a conversation. */
  indexOfThread(threadId: Id): number {
    return this.#ids.findIndex((id) => id !== undefined && this.emails.get(id)?.threadId === threadId);
  }

  /** The rows that are known. */
  get loaded(): Id[] {
    return this.#ids.filter((id): id is Id => id !== undefined);
  }

  /** Asks for the windows that hold these rows, where they are not known. */
  async need(first: number, last: number): Promise<void> {
    this.#seen = [first, last];
    const pages: number[] = [];
    for (let page = Math.floor(first / WINDOW); page <= Math.floor(last / WINDOW); page++) {
      if (!this.#pending.has(page) && !this.#has(page, first, last)) pages.push(page);
    }
    await Promise.all(pages.map((page) => this.#load(page)));
  }

  #has(page: number, first: number, last: number): boolean {
    if (!this.#known) return false;
    const from = Math.max(page * WINDOW, first);
    const to = Math.min((page + 1) * WINDOW - 1, last, this.#ids.length - 1);
    for (let index = from; index <= to; index++) if (!this.row(index)) return false;
    return true;
  }

  /** Asks again for what is looked at; the rest is asked for when it is. */
  async refresh(): Promise<void> {
    const [first, last] = this.#seen;
    this.#version++;
    this.#pending.clear();
    const pages: number[] = [];
    for (let page = Math.floor(first / WINDOW); page <= Math.floor(last / WINDOW); page++) pages.push(page);
    await Promise.all(pages.map((page) => this.#load(page, true)));
  }

  async #load(page: number, anew = false): Promise<void> {
    this.#pending.add(page);
    const version = this.#version;
    try {
      const answer = await this.#ask(page);
      if (version === this.#version) this.#take(page, answer, anew);
    } catch (error) {
      if (version === this.#version) this.failure = error;
    } finally {
      if (version === this.#version) this.#pending.delete(page);
    }
  }

  async #ask(page: number): Promise<QueryResponse> {
    const { accountId, filter, collapse } = this.asked;
    const window = { position: page * WINDOW, limit: WINDOW, calculateTotal: true };
    const query = jmap.call<QueryResponse>('Email/query', {
      accountId, filter, sort: asksForText(filter) ? undefined : NEWEST, collapseThreads: collapse, ...window,
    });
    const rows = jmap.call<GetResponse<EmailRow>>('Email/get', { accountId, '#ids': query.ref('/ids'), properties: ROW });
    const threads = jmap.call<GetResponse<Thread>>('Thread/get', { accountId, '#ids': rows.ref('/list/*/threadId') });
    const kin = jmap.call<GetResponse<EmailRow>>('Email/get', { accountId, '#ids': threads.ref('/list/*/emailIds'), properties: ROW });
    const answer = await query;
    this.emails.keep(await rows);
    // Counts and names of a conversation adorn its row; without them the row stands.
    await Promise.all([
      threads.then((got) => this.emails.keepThreads(got.list), () => undefined),
      kin.then((got) => this.emails.keep(got), () => undefined),
    ]);
    return answer;
  }

  #take(page: number, answer: QueryResponse, anew: boolean): void {
    const moved = this.#queryState !== null && this.#queryState !== answer.queryState;
    const total = Math.min(answer.total ?? answer.position + answer.ids.length, MOST_ROWS);
    const [first, last] = this.#seen;
    const ids = new Array<Id | undefined>(total).fill(undefined);
    for (let index = 0; index < Math.min(total, this.#ids.length); index++) {
      // What lies elsewhere may have moved: forgotten, and asked for when it is looked at.
      const near = index >= Math.floor(first / WINDOW) * WINDOW && index <= last + WINDOW;
      ids[index] = (anew || moved) && !near ? undefined : this.#ids[index];
    }
    for (let offset = 0; offset < WINDOW; offset++) {
      const index = page * WINDOW + offset;
      if (index < total) ids[index] = answer.ids[offset];
    }
    this.#ids = ids;
    this.#queryState = answer.queryState;
    this.#known = true;
    this.failure = null;
  }

  /** Takes rows out before the server has; gives back how to put them in again. */
  remove(gone: readonly Id[]): () => void {
    const before = this.#ids;
    const leaving = new Set(gone);
    this.#version++;
    this.#pending.clear();
    this.#ids = before.filter((id) => id === undefined || !leaving.has(id));
    const after = this.#ids;
    return () => {
      this.#version++;
      if (this.#ids === after) this.#ids = before;
      else void this.refresh();
    };
  }
}

const MOST_LISTS = 8;
const kept = new Map<string, EmailList>();

/** The list of a question; one that was looked at lately is there at once, and brought up to date. */
export function listOf(asked: Asked): EmailList {
  const name = JSON.stringify(asked);
  const known = kept.get(name);
  const list = known ?? new EmailList(asked);
  kept.delete(name);
  kept.set(name, list);
  for (const [oldest] of kept) {
    if (kept.size <= MOST_LISTS) break;
    kept.delete(oldest);
  }
  return list;
}

export function forgetLists(): void {
  kept.clear();
}
