import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { push } from './push';

class Source extends EventTarget {
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  close = vi.fn();
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('tells of changes, of a line that was cut and of its return', () => {
  const made: Source[] = [];
  const on = { changed: vi.fn(), resumed: vi.fn(), online: vi.fn() };
  const stream = push('/jmap/events?types={types}&closeafter={closeafter}&ping={ping}', on, (url) => {
    expect(url).toBe('/jmap/events?types=*&closeafter=no&ping=30');
    const source = new Source();
    made.push(source);
    return source as unknown as EventSource;
  });
  made[0]?.onopen?.();
  expect(on.resumed).not.toHaveBeenCalled();
  const data = JSON.stringify({ '@type': 'StateChange', changed: { a1: { Email: '7' } } });
  made[0]?.dispatchEvent(Object.assign(new Event('state'), { data }));
  made[0]?.dispatchEvent(Object.assign(new Event('state'), { data: '{broken' }));
  expect(on.changed.mock.calls).toEqual([[{ a1: { Email: '7' } }]]);
  made[0]?.onerror?.();
  expect(on.online).toHaveBeenLastCalledWith(false);
  vi.advanceTimersByTime(999);
  expect(made).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(made).toHaveLength(2);
  made[1]?.onerror?.();
  vi.advanceTimersByTime(1_999);
  expect(made).toHaveLength(2);
  stream.retry();
  made[2]?.onopen?.();
  expect(on.resumed).toHaveBeenCalledOnce();
  dispatchEvent(new Event('offline'));
  expect(on.online).toHaveBeenLastCalledWith(false);
  dispatchEvent(new Event('online'));
  made[3]?.onopen?.();
  expect([on.online.mock.lastCall, on.resumed.mock.calls.length]).toEqual([[true], 2]);
  stream.stop();
  expect(made[3]?.close).toHaveBeenCalled();
});
