// Which rows are chosen, and where the keyboard stands.
import { SvelteSet } from 'svelte/reactivity';
import type { Id } from '../../jmap/types';

/** What a selection needs of a list. */
export interface Rows {
  total: number;
  id: (index: number) => Id | undefined;
  indexOf: (id: Id) => number;
}

export class Selection {
  #chosen = new SvelteSet<Id>();
  /** The row of the keyboard. */
  cursor = $state(-1);
  #anchor = 0;

  constructor(readonly rows: Rows) {}

  get size(): number {
    return this.#chosen.size;
  }

  has(id: Id | undefined): boolean {
    return id !== undefined && this.#chosen.has(id);
  }

  get ids(): Id[] {
    return [...this.#chosen];
  }

  /** Turns one row around; with `range`, every known row from the last one on is chosen. */
  toggle(index: number, range = false): void {
    if (range) {
      const [from, to] = [Math.min(this.#anchor, index), Math.max(this.#anchor, index)];
      for (let at = from; at <= to; at++) this.#add(at);
      return;
    }
    const id = this.rows.id(index);
    this.#anchor = index;
    this.cursor = index;
    if (id === undefined) return;
    if (!this.#chosen.delete(id)) this.#chosen.add(id);
  }

  #add(index: number): void {
    const id = this.rows.id(index);
    if (id !== undefined) this.#chosen.add(id);
  }

  /** Chooses these, or nothing when all of them are chosen already. */
  all(ids: readonly Id[]): void {
    const whole = ids.length > 0 && ids.every((id) => this.#chosen.has(id));
    this.#chosen.clear();
    if (!whole) for (const id of ids) this.#chosen.add(id);
  }

  clear(): void {
    this.#chosen.clear();
  }

  /** Moves the keyboard's row; gives its index. */
  step(by: number): number {
    this.cursor = Math.max(0, Math.min(this.rows.total - 1, this.cursor + by));
    return this.cursor;
  }

  /** Lets go of what is in the list no more. */
  prune(): void {
    for (const id of this.#chosen) if (this.rows.indexOf(id) < 0) this.#chosen.delete(id);
  }
}
