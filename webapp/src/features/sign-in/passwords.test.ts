import { expect, it } from 'vitest';
import { rules } from './passwords';

it('tells which rules a password meets', () => {
  const met = (next: string) => rules(next, 'ban dau 12345', 'ntbinh@bqlctgt', 12).map((r) => r.met);
  expect(met('')).toEqual([false, false, false]);
  expect(met('ngắn')).toEqual([false, true, true]);
  expect(met('ban dau 12345')).toEqual([true, false, true]);
  expect(met('NTBinh-2026-xyz')).toEqual([true, true, false]);
  expect(met('cầu xóm bóng 2026')).toEqual([true, true, true]);
});
