import { expect, it, vi } from 'vitest';
import { throttle } from './throttle';

it('does the first at once, few in between, and the last', () => {
  vi.useFakeTimers();
  const run = vi.fn();
  const slow = throttle(100, run);
  for (let n = 0; n < 10; n++) {
    slow.call(n);
    vi.advanceTimersByTime(30);
  }
  expect(run.mock.calls.map(([n]) => n as number)).toEqual([0, 3, 6, 9]);
  slow.call(10);
  vi.advanceTimersByTime(100);
  expect(run).toHaveBeenLastCalledWith(10);
  slow.call(11);
  slow.call(12);
  slow.stop();
  vi.advanceTimersByTime(200);
  expect(run).toHaveBeenLastCalledWith(10);
  vi.useRealTimers();
});
