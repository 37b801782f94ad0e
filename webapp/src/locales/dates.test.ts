import { describe, expect, it } from 'vitest';
import { figure, full, size, when } from './dates';

const now = new Date('2026-11-23T08:00:00Z');

describe('dates', () => {
  it('are said as the office says them, in the time of Vietnam', () => {
    expect(when('2026-11-23T02:12:00Z', 'vi', now)).toBe('hôm nay 09:12');
    expect(when('2026-11-23T02:12:00Z', 'en', now)).toBe('today 09:12');
    // 23:30 in London is the next morning here.
    expect(when('2026-11-22T23:30:00Z', 'vi', now)).toBe('hôm nay 06:30');
    expect(when('2026-11-10T02:00:00Z', 'vi', now)).toBe('thứ Ba 10/11');
    expect(when('2025-12-31T02:00:00Z', 'en', now)).toBe('Wed 31/12/2025');
    expect(full('2026-11-10T02:00:00Z', 'vi')).toBe('thứ Ba, 10/11/2026 09:00');
    expect(when('never', 'vi', now)).toBe('never');
  });

  it('and numbers are grouped', () => {
    expect([figure(32_500, 'vi'), figure(32_500, 'en')]).toEqual(['32.500', '32,500']);
  });

  it('and sizes are short', () => {
    expect([size(12, 'vi'), size(12_345, 'vi'), size(3_400_000, 'en')]).toEqual(['12 B', '12 KB', '3.4 MB']);
  });
});
