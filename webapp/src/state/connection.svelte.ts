// Whether the server hears us, and what to bring up to date when something changed.
import { push, type Push } from '../jmap/push';
import { emailsOf, forgetEmails } from './emails.svelte';
import { mailSession } from './jmap.svelte';
import { letters } from './letters.svelte';
import { forgetLists } from './list.svelte';
import { forgetMailboxes, mailboxesOf } from './mailboxes.svelte';

let online = $state(true);
let stream: Push | null = null;
const watchers = new Set<(accountId: string) => void>();
const QUIET = 250;
let waiting = new Set<string>();
let timer: ReturnType<typeof setTimeout> | undefined;

export const connection = {
  get online(): boolean {
    return online;
  },
  /** Opens the stream of changes; closes it again by what it returns. */
  open(): () => void {
    const session = mailSession.current;
    if (!session || !session.eventSourceUrl) return () => undefined;
    const all = () => mailSession.accounts.forEach((account) => changed(account.id));
    stream = push(session.eventSourceUrl, {
      changed: (accounts) => Object.keys(accounts).forEach(changed),
      resumed: all,
      online: (up) => (online = up),
    });
    return () => {
      stream?.stop();
      stream = null;
      online = true;
    };
  },
  retry(): void {
    stream?.retry();
  },
  /** Calls when an account changed and what is kept of it is up to date; returns how to stop. */
  watch(told: (accountId: string) => void): () => void {
    watchers.add(told);
    return () => watchers.delete(told);
  },
  /** Forgets all that was kept: another person signs in. */
  forget(): void {
    stream?.stop();
    stream = null;
    forgetEmails();
    forgetMailboxes();
    forgetLists();
    letters.forget();
    mailSession.close();
  },
};

/** Many changes in a moment are one round of questions. */
function changed(accountId: string): void {
  waiting.add(accountId);
  clearTimeout(timer);
  timer = setTimeout(() => {
    const accounts = waiting;
    waiting = new Set();
    for (const account of accounts) void catchUp(account);
  }, QUIET);
}

async function catchUp(accountId: string): Promise<void> {
  try {
    await Promise.all([mailboxesOf(accountId).sync(), emailsOf(accountId).sync()]);
  } catch {
    // What could not be asked for now is asked for at the next change, or when the line is up again.
  }
  for (const told of watchers) told(accountId);
}
