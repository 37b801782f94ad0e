// Where the application stands: one path, one screen.
export type Route =
  | { screen: 'reviews'; tab: 'awaiting' | 'decided' | 'mine'; id: string | null }
  | { screen: 'devices' }
  | { screen: 'outbox' }
  | { screen: 'unknown' };

/** Reads a path. */
export function parse(path: string): Route {
  const [first = '', second, third] = path.split('/').filter(Boolean).map(decode);
  if (first === '') return { screen: 'reviews', tab: 'awaiting', id: null };
  if ((first === 'outbox' || first === 'devices') && second === undefined) return { screen: first };
  if (first !== 'reviews') return { screen: 'unknown' };
  const tab = second === 'decided' || second === 'mine' ? second : 'awaiting';
  const id = tab === 'awaiting' ? (second === 'awaiting' ? third : second) : third;
  return { screen: 'reviews', tab, id: id && /^\d+$/.test(id) ? id : null };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
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
