// Which rows of a long list are on the screen. All rows are one height, so this is arithmetic: the same for ten and for 100,000.

export interface Window {
  first: number;
  /** The last row, inclusive; before `first` when there is none. */
  last: number;
}

/** The rows to draw, with some around those that are seen. */
export function windowOf(scrollTop: number, height: number, rowHeight: number, count: number, around = 8): Window {
  if (count === 0 || rowHeight <= 0) return { first: 0, last: -1 };
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - around);
  const last = Math.min(count - 1, Math.ceil((scrollTop + height) / rowHeight) + around);
  return { first: Math.min(first, count - 1), last };
}

/** Where to scroll so that a row is seen; null when it is. */
export function scrollTo(index: number, scrollTop: number, height: number, rowHeight: number): number | null {
  const top = index * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + height) return top + rowHeight - height;
  return null;
}
