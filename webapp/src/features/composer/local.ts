// The browser's own copy of what is being written: made at once, gone as soon as the server holds the same.
import type { Letter } from './letter';

export interface Copy {
  /** Of one composer window. */
  id: string;
  letter: Letter;
  /** The draft on the server that the letter was last saved as. */
  draftId: string | null;
  /** Files that were still on their way: the page has to be given them again. */
  pending?: string[];
  /** When it was written down, in milliseconds. */
  at: number;
}

const PREFIX = 'congvu.unsent.';
/** More copies than windows that could have been open are remains; the oldest go first. */
const MOST = 20;

type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>;

/** The copies of one person on this device. */
export class Copies {
  readonly #store: Store;
  readonly #prefix: string;

  constructor(store: Store, person: string) {
    this.#store = store;
    this.#prefix = `${PREFIX}${encodeURIComponent(person)}/`;
  }

  /** Writes a copy down; false when the browser has no room, which the person is told. */
  put(copy: Copy): boolean {
    try {
      this.#store.setItem(this.#prefix + copy.id, JSON.stringify(copy));
      return true;
    } catch {
      return false;
    }
  }

  drop(id: string): void {
    try {
      this.#store.removeItem(this.#prefix + id);
    } catch {
      // A browser that keeps nothing has nothing to drop.
    }
  }

  /** What was left, the newest first. */
  all(): Copy[] {
    const copies: Copy[] = [];
    for (const key of this.#keys()) {
      const copy = parse(this.#store.getItem(key));
      if (copy) copies.push(copy);
      else this.#store.removeItem(key);
    }
    copies.sort((one, other) => other.at - one.at);
    for (const old of copies.slice(MOST)) this.drop(old.id);
    return copies.slice(0, MOST);
  }

  #keys(): string[] {
    try {
      return Array.from({ length: this.#store.length }, (_, at) => this.#store.key(at) ?? '').filter((key) => key.startsWith(this.#prefix));
    } catch {
      return [];
    }
  }
}

function parse(text: string | null): Copy | null {
  try {
    const copy = JSON.parse(text ?? '') as Partial<Copy>;
    const whole = typeof copy.id === 'string' && typeof copy.at === 'number' && typeof copy.letter?.body === 'string' && Array.isArray(copy.letter.to);
    return whole ? (copy as Copy) : null;
  } catch {
    return null;
  }
}
