// When a letter is saved: two seconds after the typing stops, every thirty while it goes on, and again until it worked.
const PAUSE = 2_000;
const LONGEST = 30_000;
const FIRST_RETRY = 5_000;
const LAST_RETRY = 60_000;

export type State = 'clean' | 'dirty' | 'saving' | 'failed';

/** Keeps the time; `save` does the work, throwing when it did not. */
export class Autosave {
  #state: State = 'clean';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dirtySince = 0;
  #wait = FIRST_RETRY;
  #running: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  error: unknown = null;

  constructor(
    private readonly save: () => Promise<void>,
    private readonly changed: (state: State) => void = () => undefined,
  ) {}

  get state(): State {
    return this.#state;
  }

  /** Something was changed. */
  touch(): void {
    if (this.#stopped) return;
    if (this.#state === 'saving') {
      this.#again = true;
      return;
    }
    if (this.#state !== 'dirty' && this.#state !== 'failed') this.#dirtySince = Date.now();
    // What failed is tried again in its own time, not with each key.
    if (this.#state === 'failed') return;
    this.#become('dirty');
    this.#after(Math.max(0, Math.min(PAUSE, this.#dirtySince + LONGEST - Date.now())));
  }

  /** Saves now what is not saved yet; throws when that cannot be done. */
  async flush(): Promise<void> {
    for (;;) {
      clearTimeout(this.#timer);
      if (this.#running) await this.#running.catch(() => undefined);
      else if (this.#state === 'clean') return;
      else await this.#run();
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #after(wait: number): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#run().catch(() => undefined), wait);
  }

  #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#again = false;
    this.#become('saving');
    this.#running = this.save()
      .then(
        () => {
          this.error = null;
          this.#wait = FIRST_RETRY;
          this.#running = null;
          this.#become('clean');
          if (this.#again) this.touch();
        },
        (error: unknown) => {
          this.error = error;
          this.#running = null;
          this.#become('failed');
          this.#after(this.#wait);
          this.#wait = Math.min(this.#wait * 2, LAST_RETRY);
          throw error;
        },
      );
    return this.#running;
  }

  #become(state: State): void {
    this.#state = state;
    this.changed(state);
  }
}
