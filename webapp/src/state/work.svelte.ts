// How the conversations of shared accounts stand: who handles them, by when, how many notes.
import { SvelteMap } from 'svelte/reactivity';
import type { Assignment, Standing, WorkFilter } from '../api/client';
import { client } from './session.svelte';

/** As many as the interface answers at once. */
const AT_ONCE = 200;

const known = new SvelteMap<string, Standing>();
/** What is asked for at the end of this turn: conversations by account. */
let wanted: Record<string, string[]> = {};
let planned = false;

const key = (account: string, thread: string) => `${account}/${thread}`;

async function fetchWanted(): Promise<void> {
  planned = false;
  const asked = Object.entries(wanted);
  wanted = {};
  for (const [account, threads] of asked) {
    for (let from = 0; from < threads.length; from += AT_ONCE) {
      const found = await client.standings(account, threads.slice(from, from + AT_ONCE));
      for (const standing of found) known.set(key(account, standing.thread), standing);
    }
  }
}

/** Asks for several conversations in one request, at the end of this turn. What could not be learnt stays unknown. */
function want(account: string, threads: string[]): void {
  const before = wanted[account] ?? [];
  wanted[account] = [...before, ...threads.filter((thread) => !before.includes(thread))];
  if (planned) return;
  planned = true;
  queueMicrotask(() => void fetchWanted().catch(() => undefined));
}

export const work = {
  /** How a conversation stands, as far as it is known. */
  of(account: string, thread: string): Standing | null {
    return known.get(key(account, thread)) ?? null;
  },

  /** Makes sure that these are known. */
  show(account: string, threads: string[]): void {
    const missing = threads.filter((thread) => !known.has(key(account, thread)));
    if (missing.length > 0) want(account, missing);
  },

  /** Something of the account changed: what is known of these is looked up again. */
  refresh(account: string, threads: string[]): void {
    if (threads.length > 0) want(account, threads);
  },

  /** What was just done here. */
  changed(account: string, thread: string, assignment: Assignment): void {
    const before = known.get(key(account, thread));
    known.set(key(account, thread), { thread, notes: before?.notes ?? 0, readers: before?.readers ?? [], assignment });
  },

  list(filter: WorkFilter): Promise<Assignment[]> {
    return client.work(filter);
  },
};
