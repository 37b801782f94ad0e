// How this browser likes to see things. Nothing of it is a secret or a rule.
const STORED = 'congvu.preferences';

export interface Preferences {
  density: 'comfortable' | 'compact';
  /** How long a sent letter can be taken back. */
  undoSeconds: number;
  /** Senders whose pictures are shown without asking. */
  pictures: string[];
}

const MOST_SENDERS = 200;
/** What a person may choose; the server holds no letter for second thoughts longer than two minutes. */
export const UNDO_SECONDS: readonly number[] = [0, 5, 10, 20, 30, 60];

function initial(): Preferences {
  const usual: Preferences = { density: 'comfortable', undoSeconds: 10, pictures: [] };
  try {
    const stored = JSON.parse(globalThis.localStorage?.getItem(STORED) ?? '{}') as Partial<Preferences>;
    return {
      density: stored.density === 'compact' ? 'compact' : usual.density,
      undoSeconds: UNDO_SECONDS.includes(Number(stored.undoSeconds)) ? Number(stored.undoSeconds) : usual.undoSeconds,
      pictures: Array.isArray(stored.pictures) ? stored.pictures.filter((sender) => typeof sender === 'string') : usual.pictures,
    };
  } catch {
    return usual;
  }
}

let held = $state.raw<Preferences>(initial());

export const preferences = {
  get current(): Preferences {
    return held;
  },
  set(change: Partial<Preferences>): void {
    held = { ...held, ...change };
    globalThis.localStorage?.setItem(STORED, JSON.stringify(held));
  },
  showsPicturesOf(sender: string): boolean {
    return held.pictures.includes(sender.toLowerCase());
  },
  showPicturesOf(sender: string): void {
    const others = held.pictures.filter((other) => other !== sender.toLowerCase());
    this.set({ pictures: [sender.toLowerCase(), ...others].slice(0, MOST_SENDERS) });
  },
};
