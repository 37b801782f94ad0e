import { expect, it } from 'vitest';
import { scrollTo, windowOf } from './windowed';

it('draws what is seen, and a little around it', () => {
  expect(windowOf(0, 600, 60, 100_000)).toEqual({ first: 0, last: 18 });
  expect(windowOf(3_000_000, 600, 60, 100_000)).toEqual({ first: 49_992, last: 50_018 });
  expect(windowOf(1e9, 600, 60, 10)).toEqual({ first: 9, last: 9 });
  expect(windowOf(0, 600, 60, 0)).toEqual({ first: 0, last: -1 });
});

it('scrolls no further than needed', () => {
  expect([scrollTo(5, 0, 600, 60), scrollTo(10, 0, 600, 60), scrollTo(1, 300, 600, 60)]).toEqual([null, 60, 60]);
});
