import { describe, expect, test } from 'vitest';
import { endOfDay, givenName, instantOf, localOf, names, presence, urgency } from './due';

// Wednesday 25 November 2026, 09:00 in Vietnam.
const now = Date.parse('2026-11-25T02:00:00Z');

describe('deadlines', () => {
  test('late is red, today amber, later plain, done green', () => {
    const due = (dueAt: string | null, progress = 'assigned') => urgency({ progress, dueAt }, now);
    expect(due('2026-11-25T01:59:00Z')).toBe('danger');
    expect(due('2026-11-25T16:59:00Z')).toBe('waiting');
    expect(due('2026-11-25T17:01:00Z')).toBe('plain');
    expect(due(null)).toBe('plain');
    expect(due('2026-11-20T00:00:00Z', 'done')).toBe('success');
  });

  test('a date field speaks the time of Vietnam', () => {
    expect(endOfDay(2, now)).toBe('2026-11-27T17:00');
    // Past midnight there, still the day before in Greenwich.
    expect(endOfDay(0, Date.parse('2026-11-25T18:00:00Z'))).toBe('2026-11-26T17:00');
    expect(instantOf('2026-11-27T17:00')).toBe('2026-11-27T10:00:00.000Z');
    expect(localOf('2026-11-27T10:00:00Z')).toBe('2026-11-27T17:00');
    expect(instantOf('')).toBeNull();
    expect(instantOf('gì đó')).toBeNull();
    expect(localOf(null)).toBe('');
  });
});

describe('people', () => {
  test('who answers is told apart from who reads', () => {
    const found = presence([
      { name: 'An', isReplying: false },
      { name: 'Mai', isReplying: true },
    ]);
    expect(found).toEqual({ replying: ['Mai'], reading: ['An'] });
  });

  test('are called by the last word of their name', () => {
    expect(givenName('Nguyễn Văn An')).toBe('An');
    expect(givenName('')).toBe('');
  });

  test('many are counted', () => {
    const more = (count: number) => `và ${count} người khác`;
    expect(names(['An', 'Mai'], more)).toBe('An, Mai');
    expect(names(['An', 'Mai', 'Lan', 'Đức'], more)).toBe('An, Mai và 2 người khác');
  });
});
