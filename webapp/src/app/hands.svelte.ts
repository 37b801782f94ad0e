// What a person's hands do on the mail screens: keys, clicks and drags become commands on what is chosen or open.
import type { EmailRow, Id } from '../jmap/types';
import { markSeen } from '../state/commands';
import { undo } from '../state/undo.svelte';
import { canCompose, openComposer } from './compose.svelte';
import { type Action, type Desk, goOn } from './desk.svelte';
import { type Command, commandOf } from './keyboard';
import { go, mailPath, type MailRoute } from './router.svelte';
import { shell } from './shell.svelte';

/** Where the hands are just now. */
export interface Place {
  desk: Desk;
  at: MailRoute;
  /** Whether list and reader stand side by side. */
  wide: boolean;
}

export class Hands {
  /** What waits for the word that it may be removed for good. */
  confirming = $state.raw<readonly EmailRow[] | null>(null);
  dragged = $state.raw<readonly EmailRow[]>([]);
  /** Gives a row of the list the keyboard. */
  focus: (index: number) => void = () => undefined;

  constructor(readonly place: () => Place) {}

  href(row: EmailRow): string {
    const { desk, at } = this.place();
    return mailPath({ ...at, account: desk.accountId, thread: row.threadId });
  }

  open(row: EmailRow, event?: MouseEvent): void {
    if (event && event.button !== 0) return;
    event?.preventDefault();
    const { desk } = this.place();
    const alone = desk.list.emails.threadIds(row.threadId)?.length === 1;
    if (row.keywords['$draft'] && alone && canCompose()) openComposer({ kind: 'draft', accountId: desk.accountId, emailId: row.id });
    else go(this.href(row));
  }

  back(): void {
    const { at } = this.place();
    if (at.thread) go(mailPath({ ...at, thread: null }));
  }

  async act(action: Action, rows: readonly EmailRow[]): Promise<void> {
    if (rows.length === 0) return;
    const { desk } = this.place();
    if (action === 'trash' && desk.inTrash && !this.confirming) {
      this.confirming = rows;
      return;
    }
    this.confirming = null;
    await this.#leaving(rows, () => desk.act(action, rows));
  }

  move(rows: readonly EmailRow[], to: Id): Promise<void> {
    const { desk } = this.place();
    return this.#leaving(rows, () => desk.moveTo(rows, to));
  }

  /** Does what may take rows out of the list, and goes on to the next conversation when the open one left. */
  async #leaving(rows: readonly EmailRow[], step: () => Promise<boolean>): Promise<void> {
    const { desk, at } = this.place();
    const thread = at.thread ?? '';
    const index = desk.list.indexOfThread(thread);
    const isOpen = index >= 0 && rows.some((row) => row.threadId === thread);
    desk.selection.clear();
    if (!(await step()) || !isOpen) return;
    const now = this.place();
    if (now.desk === desk && now.at.thread === thread && desk.list.indexOfThread(thread) < 0) goOn(desk, now.at, index, now.wide);
  }

  /** Marks what was read as such; nothing is told of it. */
  read(rows: readonly EmailRow[]): void {
    void markSeen(this.place().desk.target(rows), true, true);
  }

  unread(rows: readonly EmailRow[]): void {
    void markSeen(this.place().desk.target(rows), false);
    this.back();
  }

  step(by: number): void {
    const { desk, at } = this.place();
    if (desk.selection.cursor < 0 && at.thread) desk.selection.cursor = desk.list.indexOfThread(at.thread);
    const index = desk.selection.step(by);
    const row = desk.list.row(index);
    if (at.thread && row) go(this.href(row), true);
    this.focus(index);
  }

  answer(kind: 'reply' | 'replyAll' | 'forward'): void {
    const { desk, at } = this.place();
    const letters = at.thread ? desk.list.emails.thread(at.thread).filter((email) => !email.keywords['$draft']) : desk.rows(null).slice(0, 1);
    const row = letters.at(-1);
    if (row) openComposer({ kind, accountId: desk.accountId, emailId: row.id });
  }

  run(command: Command): void {
    const { desk, at } = this.place();
    const { list, selection } = desk;
    const rows = desk.rows(at.thread);
    const cursor = list.row(selection.cursor);
    const starred = rows.some((row) => list.emails.thread(row.threadId).some((email) => email.keywords['$flagged']));
    const done: Record<Command, () => unknown> = {
      next: () => this.step(1),
      previous: () => this.step(-1),
      open: () => cursor && this.open(cursor),
      back: () => this.back(),
      archive: () => this.act('archive', rows),
      trash: () => this.act('trash', rows),
      junk: () => this.act(desk.inJunk ? 'notJunk' : 'junk', rows),
      read: () => this.act('read', rows),
      unread: () => this.act('unread', rows),
      star: () => desk.star(rows, !starred),
      choose: () => selection.cursor >= 0 && selection.toggle(selection.cursor),
      chooseAll: () => selection.all(list.loaded),
      compose: () => openComposer({ kind: 'new', accountId: desk.accountId }),
      reply: () => this.answer('reply'),
      replyAll: () => this.answer('replyAll'),
      forward: () => this.answer('forward'),
      undo: () => undo(),
      search: () => shell.search(),
      help: () => (shell.help = true),
      leave: () => (selection.size > 0 ? selection.clear() : (shell.drawer = false)),
    };
    done[command]();
  }

  readonly key = (event: KeyboardEvent): void => {
    const command = commandOf(event);
    if (!command) return;
    event.preventDefault();
    this.run(command);
  };

  drag(row: EmailRow, event: DragEvent): void {
    const { desk } = this.place();
    this.dragged = desk.selection.has(row.id) ? desk.rows(null) : [row];
    event.dataTransfer?.setData('text/plain', row.subject ?? '');
    if (event.dataTransfer) event.dataTransfer.effectAllowed = 'move';
  }

  drop(to: Id): void {
    const rows = this.dragged;
    this.dragged = [];
    if (rows.length > 0) void this.move(rows, to);
  }
}
