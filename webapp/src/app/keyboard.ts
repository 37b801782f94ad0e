// The keys of the mail screens, as one table: what is pressed, what is done, and how the help sheet words it.
import type { Key } from '../locales/i18n.svelte';

export type Command =
  | 'next' | 'previous' | 'open' | 'back' | 'archive' | 'trash' | 'junk' | 'reply' | 'replyAll' | 'forward' | 'compose'
  | 'search' | 'help' | 'choose' | 'chooseAll' | 'star' | 'read' | 'unread' | 'undo' | 'leave';

interface Binding {
  /** As `KeyboardEvent.key` names it. */
  keys: string[];
  ctrl?: boolean;
  command: Command;
  words: Key;
}

export const BINDINGS: readonly Binding[] = [
  { keys: ['j'], command: 'next', words: 'key.next' },
  { keys: ['k'], command: 'previous', words: 'key.previous' },
  { keys: ['Enter', 'o'], command: 'open', words: 'key.open' },
  { keys: ['u'], command: 'back', words: 'key.back' },
  { keys: ['e'], command: 'archive', words: 'key.archive' },
  { keys: ['#', 'Delete'], command: 'trash', words: 'key.trash' },
  { keys: ['!'], command: 'junk', words: 'key.junk' },
  { keys: ['s'], command: 'star', words: 'key.star' },
  { keys: ['x'], command: 'choose', words: 'key.choose' },
  { keys: ['a'], ctrl: true, command: 'chooseAll', words: 'key.chooseAll' },
  { keys: ['I'], command: 'read', words: 'key.read' },
  { keys: ['U'], command: 'unread', words: 'key.unread' },
  { keys: ['c'], command: 'compose', words: 'key.compose' },
  { keys: ['r'], command: 'reply', words: 'key.reply' },
  { keys: ['a'], command: 'replyAll', words: 'key.replyAll' },
  { keys: ['f'], command: 'forward', words: 'key.forward' },
  { keys: ['z'], command: 'undo', words: 'key.undo' },
  { keys: ['/'], command: 'search', words: 'key.search' },
  { keys: ['?'], command: 'help', words: 'key.help' },
  { keys: ['Escape'], command: 'leave', words: 'key.leave' },
];

/** What of an event is looked at. */
export interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  isComposing: boolean;
  defaultPrevented: boolean;
  target: EventTarget | null;
}

const TYPING = 'input:not([type="checkbox"]), textarea, select, [contenteditable], dialog[open]';
/** Enter belongs to what it presses. */
const PRESSES = 'button, summary, a[href]:not([data-row])';

/** The command of a key; nothing while something is typed, or when the key is the browser's. */
export function commandOf(event: Pressed): Command | null {
  if (event.defaultPrevented || event.isComposing || event.altKey) return null;
  const target = event.target as Element | null;
  if (target?.closest?.(TYPING)) return null;
  if (event.key === 'Enter' && target?.closest?.(PRESSES)) return null;
  const ctrl = event.ctrlKey || event.metaKey;
  return BINDINGS.find((binding) => binding.keys.includes(event.key) && (binding.ctrl ?? false) === ctrl)?.command ?? null;
}
