// Hears which accounts changed, and connects again when the line is cut.
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 60_000;

/** Calls `changed` whenever something changed, also after a line that was cut came back; returns how to stop. */
export function listen(changed: () => void): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = FIRST_WAIT;
  let stopped = false;
  const open = (again: boolean) => {
    source = new EventSource('/api/v1/events');
    source.onopen = () => {
      wait = FIRST_WAIT;
      if (again) changed();
    };
    source.addEventListener('changed', changed);
    source.onerror = () => {
      source?.close();
      if (stopped) return;
      timer = setTimeout(() => open(true), wait);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    };
  };
  open(false);
  return () => {
    stopped = true;
    clearTimeout(timer);
    source?.close();
  };
}
