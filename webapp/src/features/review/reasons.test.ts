import { beforeEach, expect, it } from 'vitest';
import { recentReasons, rememberReason } from './reasons';

beforeEach(() => localStorage.clear());

it('keeps the last five reasons, the newest first, each once', () => {
  for (const reason of ['a', 'b', 'c', 'd', 'e', 'f', 'c', '']) rememberReason(reason);
  expect(recentReasons()).toEqual(['c', 'f', 'e', 'd', 'b']);
});

it('survives what others stored there', () => {
  localStorage.setItem('congvu.reasons', '{broken');
  expect(recentReasons()).toEqual([]);
});
