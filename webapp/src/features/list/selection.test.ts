import { expect, it } from 'vitest';
import { Selection } from './selection.svelte';

const ids = ['a', 'b', 'c', undefined, 'e'];
const rows = { total: ids.length, id: (index: number) => ids[index], indexOf: (id: string) => ids.indexOf(id) };

it('chooses one, a range, all and none', () => {
  const selection = new Selection(rows);
  selection.toggle(1);
  expect(selection.ids).toEqual(['b']);
  selection.toggle(4, true);
  expect(selection.ids).toEqual(['b', 'c', 'e']);
  selection.toggle(1);
  expect([selection.has('b'), selection.has(undefined), selection.size]).toEqual([false, false, 2]);
  selection.all(['a', 'b']);
  expect(selection.ids).toEqual(['a', 'b']);
  selection.all(['a', 'b']);
  expect(selection.size).toBe(0);
});

it('steps within the list, and lets go of what left it', () => {
  const selection = new Selection(rows);
  expect([selection.step(1), selection.step(1), selection.step(-5), selection.step(99)]).toEqual([0, 1, 0, 4]);
  selection.all(['a', 'gone']);
  selection.prune();
  expect(selection.ids).toEqual(['a']);
});
