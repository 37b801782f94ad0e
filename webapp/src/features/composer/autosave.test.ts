import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Autosave } from './autosave';

describe('saving by itself', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  it('waits until the typing stops', async () => {
    const save = vi.fn(async () => undefined);
    const auto = new Autosave(save);
    for (let at = 0; at < 5; at++) {
      auto.touch();
      await pass(1000);
    }
    expect(save).not.toHaveBeenCalled();
    await pass(1000);
    expect(save).toHaveBeenCalledOnce();
    expect(auto.state).toBe('clean');
    await pass(100_000);
    expect(save).toHaveBeenCalledOnce();
  });

  it('does not wait for ever', async () => {
    const save = vi.fn(async () => undefined);
    const auto = new Autosave(save);
    for (let at = 0; at < 61; at++) {
      auto.touch();
      await pass(1000);
    }
    expect(save.mock.calls.length).toBeGreaterThanOrEqual(1);
    expect(save.mock.calls.length).toBeLessThanOrEqual(2);
  });

  it('saves once at a time, and again what came meanwhile', async () => {
    let done: () => void = () => undefined;
    const save = vi.fn(() => new Promise<void>((resolve) => (done = resolve)));
    const auto = new Autosave(save);
    auto.touch();
    await pass(2000);
    auto.touch();
    await pass(10_000);
    expect(save).toHaveBeenCalledOnce();
    done();
    await pass(2000);
    expect(save).toHaveBeenCalledTimes(2);
  });

  it('tries again, less and less often, and not with each key', async () => {
    const save = vi.fn(async () => {
      throw new Error('gone');
    });
    const auto = new Autosave(save);
    auto.touch();
    await pass(2000);
    expect([auto.state, save.mock.calls.length]).toEqual(['failed', 1]);
    for (let at = 0; at < 4; at++) {
      auto.touch();
      await pass(1000);
    }
    expect(save).toHaveBeenCalledOnce();
    await pass(1000);
    expect(save).toHaveBeenCalledTimes(2);
    await pass(9000);
    expect(save).toHaveBeenCalledTimes(2);
    save.mockImplementation(async () => undefined as never);
    await pass(1000);
    expect(auto.state).toBe('clean');
  });

  it('saves at once when asked, waits for what runs, and says when it cannot', async () => {
    const save = vi.fn(async () => undefined);
    const auto = new Autosave(save);
    await auto.flush();
    expect(save).not.toHaveBeenCalled();
    auto.touch();
    await auto.flush();
    expect(save).toHaveBeenCalledOnce();
    save.mockRejectedValueOnce(new Error('gone'));
    auto.touch();
    await expect(auto.flush()).rejects.toThrow('gone');
    auto.stop();
    await pass(100_000);
    expect(save).toHaveBeenCalledTimes(2);
  });

  it('saves what was written while it was saving before it says that all is saved', async () => {
    let written = 'one';
    const kept: string[] = [];
    const auto: Autosave = new Autosave(async () => {
      kept.push(written);
      if (written === 'one') {
        written = 'two';
        auto.touch();
      }
      await Promise.resolve();
    });
    auto.touch();
    await auto.flush();
    expect(kept).toEqual(['one', 'two']);
  });
});
