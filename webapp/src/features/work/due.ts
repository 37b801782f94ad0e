// Deadlines and readers in words.
import type { Assignment, Present } from '../../api/client';

export type Tone = 'plain' | 'waiting' | 'success' | 'danger';

const DAY_MS = 86_400_000;
const dayOf = (at: number) => Math.floor((at + 7 * 3_600_000) / DAY_MS);

/** How urgent it is: late is red, due today amber, done green (interface.md, screen 1). */
export function urgency(work: Pick<Assignment, 'progress' | 'dueAt'>, now = Date.now()): Tone {
  if (work.progress === 'done') return 'success';
  if (!work.dueAt) return 'plain';
  const due = Date.parse(work.dueAt);
  if (due < now) return 'danger';
  return dayOf(due) === dayOf(now) ? 'waiting' : 'plain';
}

/** The end of a working day in Vietnam, some days from now, for the date field: `2026-11-27T17:00`. */
export function endOfDay(days: number, now = Date.now()): string {
  const date = new Date((dayOf(now) + days) * DAY_MS).toISOString().slice(0, 10);
  return `${date}T17:00`;
}

/** What a date field holds, as an instant: its clock is Vietnam's. */
export function instantOf(local: string): string | null {
  if (!local) return null;
  const at = Date.parse(`${local}:00+07:00`);
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

/** What a date field holds for an instant. */
export function localOf(instant: string | null | undefined): string {
  const at = Date.parse(instant ?? '');
  return Number.isNaN(at) ? '' : new Date(at + 7 * 3_600_000).toISOString().slice(0, 16);
}

/** Who answers, and else who reads: the sentence's key and its names. */
export function presence(present: Present[]): { replying: string[]; reading: string[] } {
  return {
    replying: present.filter((one) => one.isReplying).map((one) => one.name),
    reading: present.filter((one) => !one.isReplying).map((one) => one.name),
  };
}

/** Names as a list; of many, the first and how many more. */
export function names(all: string[], others: (count: number) => string, shown = 3): string {
  if (all.length <= shown) return all.join(', ');
  return `${all.slice(0, shown - 1).join(', ')} ${others(all.length - shown + 1)}`;
}

/** The name by which people call each other: the last word of a Vietnamese name. */
export function givenName(name: string): string {
  return name.trim().split(/\s+/).at(-1) ?? name;
}
