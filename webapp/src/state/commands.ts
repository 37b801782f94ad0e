// The commands of mail in words: what was done is told, with its way back; what was refused is told with the reason.
import type { EmailRow, Id, Role } from '../jmap/types';
import { t } from '../locales/i18n.svelte';
import { toasts } from '../ui/toasts.svelte';
import { destroy, move, setKeyword } from './actions';
import { emailsOf } from './emails.svelte';
import { roleName } from './folderTree';
import { labelOf } from './labels';
import type { EmailList } from './list.svelte';
import { mailboxesOf } from './mailboxes.svelte';
import { words } from './session.svelte';
import { done } from './undo.svelte';

/** Conversations that a command is for: their rows, and the list that shows them. */
export interface Target {
  accountId: Id;
  rows: readonly EmailRow[];
  list: EmailList | null;
  /** The folder that is open; a search has none. */
  mailbox: Id | null;
}

/** The name of a folder on the screen. */
export function folderName(mailbox: { name: string; role: string | null }): string {
  const key = roleName(mailbox);
  return key ? t(key) : mailbox.name;
}

/** Where commands lead; each gives whether it was done. */
export async function moveTo(target: Target, to: Id): Promise<boolean> {
  const mailbox = mailboxesOf(target.accountId).get(to);
  return attempt(async () => {
    const emails = await inFolder(target);
    const back = await move(target.accountId, emails, to, target.list, target.rows.map((row) => row.id));
    const name = mailbox ? folderName(mailbox) : '';
    done(t('done.moved', { count: target.rows.length, folder: name }), t('done.undo'), () => takeBack(back));
  });
}

export async function moveToRole(target: Target, role: Role): Promise<boolean> {
  const mailbox = mailboxesOf(target.accountId).withRole(role);
  if (mailbox) return moveTo(target, mailbox.id);
  toasts.tell(t('done.noFolder'));
  return false;
}

/** Removes for good what lies in the bin. */
export async function destroyForGood(target: Target): Promise<boolean> {
  return attempt(async () => {
    const emails = await inFolder(target);
    await destroy(target.accountId, emails, target.list, target.rows.map((row) => row.id));
    toasts.tell(t('done.destroyed', { count: target.rows.length }));
  });
}

/** `quiet` when it comes of reading: nothing is told then, not even that it failed; it is tried again at the next reading. */
export async function markSeen(target: Target, seen: boolean, quiet = false): Promise<boolean> {
  return attempt(async () => {
    const emails = await emailsOf(target.accountId).members(target.rows);
    const back = await setKeyword(target.accountId, emails, '$seen', seen);
    if (!quiet) done(t(seen ? 'done.read' : 'done.unread', { count: target.rows.length }), t('done.undo'), () => takeBack(back));
  }, quiet);
}

/** Stars the newest of a conversation; takes every star of it. */
export async function star(target: Target, on: boolean): Promise<boolean> {
  return attempt(async () => {
    const emails = on ? target.rows : await emailsOf(target.accountId).members(target.rows);
    await setKeyword(target.accountId, emails, '$flagged', on);
  });
}

export async function label(target: Target, keyword: string, on: boolean): Promise<boolean> {
  return attempt(async () => {
    const emails = await emailsOf(target.accountId).members(target.rows);
    const back = await setKeyword(target.accountId, emails, keyword, on);
    const name = labelOf(keyword) ?? keyword;
    done(t(on ? 'done.labelled' : 'done.unlabelled', { label: name }), t('done.undo'), () => takeBack(back));
  });
}

/** The emails of the conversations that lie in the open folder; of a search, those that were found. */
async function inFolder(target: Target): Promise<readonly EmailRow[]> {
  const { mailbox } = target;
  if (mailbox === null || target.list?.asked.collapse === false) return target.rows;
  const members = await emailsOf(target.accountId).members(target.rows);
  return members.filter((email) => email.mailboxIds[mailbox]);
}

async function takeBack(back: () => Promise<void>): Promise<void> {
  await attempt(async () => {
    await back();
    toasts.tell(t('done.undone'));
  });
}

async function attempt(step: () => Promise<void>, quiet = false): Promise<boolean> {
  try {
    await step();
    return true;
  } catch (error) {
    if (!quiet) toasts.tell(words(error));
    return false;
  }
}
