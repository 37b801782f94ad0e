// When a letter may be sent later: times that offices mean, in Vietnam's time, which knows no summer time.
const OFFSET = 7 * 3_600_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The office opens at half past seven, and again at half past one. */
const MORNING = 7.5;
const AFTERNOON = 13.5;

export type When = 'afternoon' | 'tomorrow' | 'monday';

export interface Suggestion {
  when: When;
  at: Date;
}

/** This afternoon, tomorrow morning, Monday morning: those that lie ahead, working days only. */
export function suggestions(now: Date): Suggestion[] {
  const local = now.getTime() + OFFSET;
  const midnight = Math.floor(local / DAY) * DAY - OFFSET;
  const weekday = new Date(local).getUTCDay();
  const at = (days: number, hour: number) => new Date(midnight + days * DAY + hour * HOUR);
  const works = (day: number) => day % 7 !== 0 && day % 7 !== 6;
  const all: Suggestion[] = [];
  // A suggestion that is only minutes away is none.
  if (works(weekday) && at(0, AFTERNOON).getTime() - now.getTime() > HOUR / 2) all.push({ when: 'afternoon', at: at(0, AFTERNOON) });
  if (works(weekday + 1)) all.push({ when: 'tomorrow', at: at(1, MORNING) });
  const toMonday = (8 - weekday) % 7 || 7;
  if (toMonday > 1 || !works(weekday + 1)) all.push({ when: 'monday', at: at(toMonday, MORNING) });
  return all;
}

/** The value of a date and time field for an instant, in Vietnam's time. */
export function fieldOf(at: Date): string {
  return new Date(at.getTime() + OFFSET).toISOString().slice(0, 16);
}

/** The instant that a date and time field says, or null. */
export function instantOf(field: string): Date | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(field)) return null;
  const at = Date.parse(`${field.slice(0, 16)}:00Z`);
  return Number.isNaN(at) ? null : new Date(at - OFFSET);
}

export type Unfit = 'past' | 'tooFar';

/** Why a letter cannot wait until then; `longest` is what the server holds one for, in seconds. */
export function unfit(at: Date, now: Date, longest: number): Unfit | null {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  if (seconds < 60) return 'past';
  return seconds > longest ? 'tooFar' : null;
}
