// The recipients' field: what is typed becomes chips, and what is offered while typing.
import { read, type Entry } from './addresses';
import { type Address, distinct, folded } from './letter';

/** Someone who is offered. */
export interface Candidate extends Address {
  /** Position and agency, or another word about them. */
  detail?: string | null;
}

/** A provider of candidates for what was typed. */
export type Complete = (typed: string) => Promise<readonly Candidate[]>;

export const MOST_OFFERED = 8;

export interface Taken {
  addresses: Address[];
  /** What could not be read stays in the field, with the reason for the first. */
  rest: string;
  wrong: Extract<Entry, { wrong: unknown }> | null;
}

/** Takes typed or pasted text into the list. */
export function take(list: readonly Address[], text: string): Taken {
  const entries = read(text);
  const good = entries.flatMap((entry) => ('address' in entry ? [entry.address] : []));
  const bad = entries.filter((entry) => 'wrong' in entry);
  return {
    addresses: [...list, ...distinct(good, list)],
    rest: bad.map((entry) => entry.text).join(', '),
    wrong: bad[0] ?? null,
  };
}

/** Letters without their marks: "Nguyễn Thị Đào" is found by "nguyen thi dao". */
export function unmarked(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').replace(/[đĐ]/g, 'd').toLowerCase();
}

/** The best candidates first: whose name or address has words that begin as typed, exact marks before none. */
export function ranked(candidates: readonly Candidate[], typed: string, chosen: readonly Address[]): Candidate[] {
  const needle = typed.trim().normalize('NFC').toLowerCase();
  if (needle === '') return [];
  const taken = new Set(chosen.map((address) => folded(address.email)));
  const found: { candidate: Candidate; rank: number }[] = [];
  for (const candidate of distinct(candidates) as Candidate[]) {
    const rank = rankOf(candidate, needle);
    if (rank > 0 && !taken.has(folded(candidate.email))) found.push({ candidate, rank });
  }
  found.sort((one, other) => other.rank - one.rank);
  return found.slice(0, MOST_OFFERED).map(({ candidate }) => candidate);
}

function rankOf({ name, email, detail }: Candidate, needle: string): number {
  const whole = `${name ?? ''} ${email}`.normalize('NFC').toLowerCase();
  const plain = unmarked(needle);
  const words = unmarked(`${name ?? ''} ${email} ${detail ?? ''}`).split(/[\s.@_,()-]+/);
  const begins = plain.split(/\s+/).every((part) => words.some((word) => word.startsWith(part)));
  if (begins) return whole.includes(needle) ? 3 : 2;
  return unmarked(whole).includes(plain) ? 1 : 0;
}
