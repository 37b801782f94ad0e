// Where the application stands: one path, one screen.
import type { WorkFilter } from '../api/client';
import { type Tab, tabOf } from '../features/settings/tabs';

export interface MailRoute {
  screen: 'mail';
  account: string | null;
  mailbox: string | null;
  /** What is searched for, instead of a folder. */
  query: string | null;
  thread: string | null;
}

export type Route =
  | MailRoute
  | { screen: 'reviews'; tab: 'awaiting' | 'decided' | 'mine'; id: string | null }
  | { screen: 'work'; filter: WorkFilter }
  | { screen: 'settings'; tab: Tab }
  | { screen: 'outbox' }
  | { screen: 'unknown' };

/** Reads a path. */
export function parse(path: string): Route {
  const [first = '', second, third, ...rest] = path.split('/').filter(Boolean).map(decode);
  if (first === '') return mail(undefined, undefined, []);
  if (first === 'mail') return mail(second, third, rest);
  if (first === 'work' && third === undefined) return { screen: 'work', filter: workFilter(second) };
  if (first === 'outbox' && second === undefined) return { screen: first };
  if (first === 'settings' && third === undefined) return settings(second);
  // Where the devices were before there were settings.
  if (first === 'devices' && second === undefined) return settings(first);
  if (first !== 'reviews') return { screen: 'unknown' };
  const tab = second === 'decided' || second === 'mine' ? second : 'awaiting';
  const id = tab === 'awaiting' ? (second === 'awaiting' ? third : second) : third;
  return { screen: 'reviews', tab, id: id && /^\d+$/.test(id) ? id : null };
}

function settings(name: string | undefined): Route {
  const tab = tabOf(name);
  return tab ? { screen: 'settings', tab } : { screen: 'unknown' };
}

const isId = (text: string | undefined): text is string => text !== undefined && /^[A-Za-z0-9_-]{1,255}$/.test(text);

/** `/mail/ACCOUNT/MAILBOX/THREAD`, `/mail/ACCOUNT/search/WORDS/THREAD`. */
function mail(account: string | undefined, mailbox: string | undefined, rest: string[]): MailRoute {
  const none: MailRoute = { screen: 'mail', account: null, mailbox: null, query: null, thread: null };
  if (!isId(account)) return none;
  if (mailbox === 'search') {
    const [query = null, thread] = rest;
    return { ...none, account, query, thread: isId(thread) ? thread : null };
  }
  return isId(mailbox) ? { ...none, account, mailbox, thread: isId(rest[0]) ? rest[0] : null } : { ...none, account };
}

/** The path of a folder, a search, a conversation in it. */
export function mailPath(at: Partial<Omit<MailRoute, 'screen'>>): string {
  const place = at.query ? ['search', encodeURIComponent(at.query)] : [at.mailbox];
  const parts = [at.account, ...place, at.thread];
  const end = parts.findIndex((part) => !part);
  return ['/mail', ...(end < 0 ? parts : parts.slice(0, end))].join('/');
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const workFilter = (text: string | undefined): WorkFilter =>
  text === 'overdue' || text === 'open' || text === 'done' ? text : 'mine';

/** The path of a list of work. */
export function workPath(filter: WorkFilter): string {
  return filter === 'mine' ? '/work' : `/work/${filter}`;
}

/** The path of a review. */
export function reviewPath(tab: string, id?: string | null): string {
  return id ? `/reviews/${tab}/${id}` : `/reviews/${tab}`;
}

let current = $state<Route>(parse(globalThis.location?.pathname ?? '/'));

export function route(): Route {
  return current;
}

/** Goes to a path of the application. */
export function go(path: string, replace = false): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', path);
  current = parse(path);
}

globalThis.addEventListener?.('popstate', () => {
  current = parse(location.pathname);
});

/** Makes a link of the application go without loading a page; the browser's own ways with links stay. */
export function follow(event: MouseEvent & { currentTarget: HTMLAnchorElement }): void {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(event.currentTarget.pathname);
}
