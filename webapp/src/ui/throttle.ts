// Does a thing at most every so often: the first at once, the last always.

/** Wraps a function; `stop` forgets what waits. */
export function throttle<A extends unknown[]>(every: number, run: (...args: A) => void): { call: (...args: A) => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waiting: A | null = null;
  const next = () => {
    timer = undefined;
    if (!waiting) return;
    const args = waiting;
    waiting = null;
    timer = setTimeout(next, every);
    run(...args);
  };
  return {
    call: (...args) => {
      waiting = args;
      if (timer === undefined) next();
    },
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
      waiting = null;
    },
  };
}
