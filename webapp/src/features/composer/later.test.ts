import { describe, expect, it } from 'vitest';
import { fieldOf, instantOf, suggestions, unfit } from './later';

const shown = (now: string) => suggestions(new Date(now)).map(({ when, at }) => `${when} ${fieldOf(at)}`);

describe('sending later', () => {
  it('suggests what the office means', () => {
    // A Wednesday, 09:00 in Vietnam.
    expect(shown('2026-11-25T02:00:00Z')).toEqual(['afternoon 2026-11-25T13:30', 'tomorrow 2026-11-26T07:30', 'monday 2026-11-30T07:30']);
    // The same day at 16:00; a Wednesday in Vietnam that is Tuesday elsewhere.
    expect(shown('2026-11-25T09:00:00Z')).toEqual(['tomorrow 2026-11-26T07:30', 'monday 2026-11-30T07:30']);
    expect(shown('2026-11-24T23:00:00Z')[0]).toBe('afternoon 2026-11-25T13:30');
  });

  it('suggests working days alone, and Monday once', () => {
    // Friday, Saturday, Sunday.
    expect(shown('2026-11-27T09:00:00Z')).toEqual(['monday 2026-11-30T07:30']);
    expect(shown('2026-11-28T02:00:00Z')).toEqual(['monday 2026-11-30T07:30']);
    expect(shown('2026-11-29T02:00:00Z')).toEqual(['tomorrow 2026-11-30T07:30']);
    expect(shown('2026-11-30T09:00:00Z')).toEqual(['tomorrow 2026-12-01T07:30', 'monday 2026-12-07T07:30']);
  });

  it('reads a field as Vietnam reads it, wherever the browser stands', () => {
    expect(instantOf('2026-11-25T13:30')?.toISOString()).toBe('2026-11-25T06:30:00.000Z');
    expect(fieldOf(new Date('2026-11-25T06:30:00Z'))).toBe('2026-11-25T13:30');
    expect([instantOf(''), instantOf('2026-99-99T13:30')]).toEqual([null, null]);
  });

  it('knows what cannot be', () => {
    const now = new Date('2026-11-25T02:00:00Z');
    expect(unfit(new Date('2026-11-25T01:00:00Z'), now, 1000)).toBe('past');
    expect(unfit(new Date('2026-11-25T02:30:00Z'), now, 1000)).toBe('tooFar');
    expect(unfit(new Date('2026-11-25T02:10:00Z'), now, 1000)).toBeNull();
  });
});
