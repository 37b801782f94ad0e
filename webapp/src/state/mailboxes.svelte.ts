// The folders of an account, kept at the state that the server told.
import { JmapError } from '../jmap/client';
import type { GetResponse, Id, Mailbox, Role, SetResponse, State } from '../jmap/types';
import { jmap } from './jmap.svelte';

export class Mailboxes {
  #all = $state.raw<readonly Mailbox[]>([]);
  #known = $state(false);
  failure = $state.raw<unknown>(null);
  #state: State | null = null;
  #loading: Promise<void> | null = null;

  constructor(readonly accountId: Id) {}

  get all(): readonly Mailbox[] {
    return this.#all;
  }

  /** Whether the folders were told yet. */
  get known(): boolean {
    return this.#known;
  }

  get(id: Id | null | undefined): Mailbox | undefined {
    return this.#all.find((mailbox) => mailbox.id === id);
  }

  withRole(role: Role): Mailbox | undefined {
    return this.#all.find((mailbox) => mailbox.role === role);
  }

  /** Reads all folders; several at once ask once. */
  load(): Promise<void> {
    this.#loading ??= this.#read().finally(() => (this.#loading = null));
    return this.#loading;
  }

  async #read(): Promise<void> {
    try {
      const got = await jmap.call<GetResponse<Mailbox>>('Mailbox/get', { accountId: this.accountId, ids: null });
      this.#all = got.list;
      this.#state = got.state;
      this.#known = true;
      this.failure = null;
    } catch (error) {
      this.failure = error;
    }
  }

  /** Brings the folders forward by what changed (RFC 8621 §2.2). */
  async sync(): Promise<void> {
    if (!this.#known || this.#state === null) return this.load();
    const changes = await jmap.changes('Mailbox', this.accountId, this.#state);
    if (!changes) return this.load();
    const ids = [...changes.created, ...changes.updated];
    if (ids.length === 0 && changes.destroyed.length === 0) return;
    const got = await jmap.call<GetResponse<Mailbox>>('Mailbox/get', { accountId: this.accountId, ids });
    const gone = new Set([...changes.destroyed, ...ids]);
    this.#all = [...this.#all.filter((mailbox) => !gone.has(mailbox.id)), ...got.list];
    this.#state = changes.newState;
  }

  async create(name: string, parentId: Id | null): Promise<Id> {
    const set = await this.#set({ create: { n: { name, parentId } } });
    const made = set.created?.['n'];
    if (!made?.id) throw refusal(set.notCreated?.['n']);
    await this.load();
    return made.id;
  }

  /** Renames at once on the screen, and back again when the server refuses. */
  async rename(id: Id, name: string): Promise<void> {
    const before = this.#all;
    this.#all = before.map((mailbox) => (mailbox.id === id ? { ...mailbox, name } : mailbox));
    await this.#orBack(before, async () => {
      const set = await this.#set({ update: { [id]: { name } } });
      if (set.notUpdated?.[id]) throw refusal(set.notUpdated[id]);
    });
  }

  /** Removes an empty folder; one that holds mail is refused by the server (`mailboxHasEmail`). */
  async destroy(id: Id): Promise<void> {
    const before = this.#all;
    this.#all = before.filter((mailbox) => mailbox.id !== id);
    await this.#orBack(before, async () => {
      const set = await this.#set({ destroy: [id] });
      if (set.notDestroyed?.[id]) throw refusal(set.notDestroyed[id]);
    });
  }

  async #orBack(before: readonly Mailbox[], step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#all = before;
      throw error;
    }
  }

  #set(args: Record<string, unknown>): PromiseLike<SetResponse<Mailbox>> {
    return jmap.call<SetResponse<Mailbox>>('Mailbox/set', { accountId: this.accountId, ...args });
  }
}

function refusal(why: { type: string; description?: string | null } | undefined): JmapError {
  return new JmapError(why?.type ?? 'serverFail', why?.description ?? '', 200, why ?? null);
}

const kept = new Map<Id, Mailboxes>();

/** The folders of an account; the same each time. */
export function mailboxesOf(accountId: Id): Mailboxes {
  let mailboxes = kept.get(accountId);
  if (!mailboxes) kept.set(accountId, (mailboxes = new Mailboxes(accountId)));
  return mailboxes;
}

export function forgetMailboxes(): void {
  kept.clear();
}
