// What was done lately and can be taken back.
import { toasts } from '../ui/toasts.svelte';

const MOST = 20;
const steps: { id: number; back: () => Promise<void> }[] = [];
let last = 0;

/** Tells what was done, with a way back for ten seconds; the way back stays for the key. */
export function done(text: string, undoWord: string, back: () => Promise<void>): void {
  const id = ++last;
  steps.push({ id, back });
  if (steps.length > MOST) steps.shift();
  toasts.tell(text, { words: undoWord, run: () => void undo(id) });
}

/** Takes a step back: the one asked for, or the last. */
export async function undo(id?: number): Promise<void> {
  const at = id === undefined ? steps.length - 1 : steps.findIndex((step) => step.id === id);
  const [step] = at < 0 ? [] : steps.splice(at, 1);
  await step?.back();
}
