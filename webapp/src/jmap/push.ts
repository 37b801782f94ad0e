// Hears what changed (RFC 8620 §7.3), connects again when the line is cut, and knows whether the server is there.
import { fill } from './client';
import type { StateChange } from './types';

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 60_000;
const PING_SECONDS = 30;
/** `EventSource.CLOSED`. */
const CLOSED = 2;

export interface Push {
  /** Tries at once instead of waiting. */
  retry: () => void;
  stop: () => void;
}

export interface Listeners {
  changed: (changed: StateChange['changed']) => void;
  /** The line is up again after it was down: what was missed is to be asked for. */
  resumed: () => void;
  /** Whether the line is up. */
  online: (up: boolean) => void;
}

/** Opens the event stream of a session. */
export function push(eventSourceUrl: string, on: Listeners, make: (url: string) => EventSource = (url) => new EventSource(url)): Push {
  const url = fill(eventSourceUrl, { types: '*', closeafter: 'no', ping: String(PING_SECONDS) });
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = FIRST_WAIT;
  let stopped = false;
  let wasCut = false;

  const open = () => {
    clearTimeout(timer);
    source?.close();
    source = make(url);
    source.onopen = () => {
      wait = FIRST_WAIT;
      on.online(true);
      if (wasCut) on.resumed();
      wasCut = false;
    };
    source.addEventListener('state', (event) => {
      const change = readChange((event as MessageEvent<string>).data);
      if (change) on.changed(change);
    });
    source.onerror = () => {
      // An answer that is no stream is an answer: the server is there.
      const refused = source?.readyState === CLOSED;
      source?.close();
      if (stopped) return;
      wasCut = true;
      if (!refused) on.online(false);
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    };
  };
  const back = () => open();
  // The browser knows of a pulled cable before the stream does.
  const gone = () => {
    wasCut = true;
    on.online(false);
  };
  globalThis.addEventListener?.('online', back);
  globalThis.addEventListener?.('offline', gone);
  open();
  return {
    retry: open,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      source?.close();
      globalThis.removeEventListener?.('online', back);
      globalThis.removeEventListener?.('offline', gone);
    },
  };
}

function readChange(data: string): StateChange['changed'] | null {
  try {
    return (JSON.parse(data) as StateChange).changed ?? null;
  } catch {
    return null;
  }
}
