import { expect, it, vi } from 'vitest';
import { canCompose, openComposer, registerComposer } from './compose.svelte';

it('a letter is asked of whoever registered, and of nobody afterwards', () => {
  const open = vi.fn();
  openComposer({ kind: 'new', accountId: 'a1' });
  const leave = registerComposer(open);
  expect(canCompose()).toBe(true);
  openComposer({ kind: 'reply', accountId: 'a1', emailId: 'e1' });
  leave();
  openComposer({ kind: 'new', accountId: 'a1' });
  expect(open.mock.calls).toEqual([[{ kind: 'reply', accountId: 'a1', emailId: 'e1' }]]);
  expect(canCompose()).toBe(false);
});
