// The desk of the mail screens: which list is open, what is chosen in it, and what a command is for.
import { SvelteSet } from 'svelte/reactivity';
import { type Chip as Narrowing } from './filter';
import { Selection } from '../features/list/selection.svelte';
import { filterOf } from '../features/search/query';
import type { EmailFilter, EmailRow, Id } from '../jmap/types';
import { destroyForGood, folderName, label, markSeen, moveTo, moveToRole, star, type Target } from '../state/commands';
import { emailsOf } from '../state/emails.svelte';
import { keywordOf } from '../state/labels';
import { type EmailList, listOf } from '../state/list.svelte';
import { mailboxesOf } from '../state/mailboxes.svelte';
import { Snippets } from '../state/snippets.svelte';
import { narrowed } from './filter';
import { go, mailPath, type MailRoute } from './router.svelte';

export type Action = 'archive' | 'junk' | 'notJunk' | 'trash' | 'read' | 'unread';

/** The filter of a route. */
export function filterAt(accountId: Id, at: MailRoute, chips: Iterable<Narrowing>): EmailFilter {
  if (at.query === null) return narrowed({ inMailbox: at.mailbox ?? '' }, chips);
  const named = (name: string) =>
    mailboxesOf(accountId).all.find((mailbox) => [mailbox.name, folderName(mailbox)].some((n) => n.toLowerCase() === name.toLowerCase()))?.id;
  return narrowed(filterOf(at.query, { mailbox: named, label: keywordOf }), chips);
}

export class Desk {
  readonly list: EmailList;
  readonly selection: Selection;
  readonly snippets: Snippets | null;

  constructor(
    readonly accountId: Id,
    filter: EmailFilter,
    readonly isSearch: boolean,
    readonly mailbox: Id | null,
  ) {
    this.list = listOf({ accountId, filter, collapse: true });
    this.selection = new Selection(this.list);
    this.snippets = isSearch ? new Snippets(accountId, filter) : null;
    if (this.list.known) void this.list.refresh();
  }

  /** Rows came into sight. */
  async seen(first: number, last: number): Promise<void> {
    await this.list.need(first, last);
    const ids = Array.from({ length: last - first + 1 }, (_, at) => this.list.id(first + at)).filter((id) => id !== undefined);
    // Without what matched, a row shows its beginning.
    await this.snippets?.load(ids).catch(() => undefined);
  }

  /** The row of a conversation: in the list, or at least its last email. */
  rowOf(threadId: Id): EmailRow | undefined {
    return this.list.row(this.list.indexOfThread(threadId)) ?? emailsOf(this.accountId).thread(threadId).at(-1);
  }

  /** What a command is for: what is chosen, else what is open, else where the keyboard stands. */
  rows(thread: Id | null): EmailRow[] {
    const { selection, list } = this;
    if (selection.size > 0) return selection.ids.flatMap((id) => list.emails.get(id) ?? []);
    const row = thread ? this.rowOf(thread) : list.row(selection.cursor);
    return row ? [row] : [];
  }

  isUnread(rows: readonly EmailRow[]): boolean {
    return rows.some((row) => [row, ...this.list.emails.thread(row.threadId)].some((email) => !email.keywords['$seen']));
  }

  target(rows: readonly EmailRow[]): Target {
    return { accountId: this.accountId, rows, list: this.list, mailbox: this.mailbox };
  }

  #role(role: string): boolean {
    return mailboxesOf(this.accountId).get(this.mailbox)?.role === role;
  }

  get inJunk(): boolean {
    return this.#role('junk');
  }

  get inTrash(): boolean {
    return this.#role('trash');
  }

  get outgoing(): boolean {
    return this.#role('sent') || this.#role('drafts');
  }

  /** Does a command; gives whether the rows leave the list by it. */
  act(action: Action, rows: readonly EmailRow[]): Promise<boolean> {
    const target = this.target(rows);
    switch (action) {
      case 'archive': return moveToRole(target, 'archive');
      case 'junk': return moveToRole(target, 'junk');
      case 'notJunk': return moveToRole(target, 'inbox');
      case 'trash': return this.inTrash ? destroyForGood(target) : moveToRole(target, 'trash');
      case 'read': return markSeen(target, true).then(() => false);
      case 'unread': return markSeen(target, false).then(() => false);
    }
  }

  moveTo(rows: readonly EmailRow[], to: Id): Promise<boolean> {
    return moveTo(this.target(rows), to);
  }

  label(rows: readonly EmailRow[], keyword: string, on: boolean): Promise<boolean> {
    return label(this.target(rows), keyword, on);
  }

  star(rows: readonly EmailRow[], on: boolean): Promise<boolean> {
    return star(this.target(rows), on);
  }

  /** Labels that are in sight, to choose from. */
  get labels(): string[] {
    const found = new SvelteSet<string>();
    for (const id of this.list.loaded.slice(0, 500)) {
      for (const keyword of Object.keys(this.list.emails.get(id)?.keywords ?? {})) if (!keyword.startsWith('$')) found.add(keyword);
    }
    return [...found].sort();
  }
}

/** Where to go when these rows left the list while a conversation was open. */
export function goOn(desk: Desk, at: MailRoute, index: number, wide: boolean): void {
  const next = wide ? (desk.list.row(index) ?? desk.list.row(desk.list.total - 1)) : undefined;
  go(mailPath({ ...at, thread: next?.threadId ?? null }), true);
}
