import { expect, it } from 'vitest';
import { BINDINGS, commandOf } from './keyboard';

const press = (key: string, more: object = {}) =>
  commandOf({ key, ctrlKey: false, metaKey: false, altKey: false, isComposing: false, defaultPrevented: false, target: document.body, ...more });

it('keys are commands', () => {
  expect(['j', 'k', 'Enter', 'e', '#', 'r', 'a', 'f', 'u', '/', '?', 'x', 's', 'q'].map((key) => press(key))).toEqual([
    'next', 'previous', 'open', 'archive', 'trash', 'reply', 'replyAll', 'forward', 'back', 'search', 'help', 'choose', 'star', null,
  ]);
  expect([press('a', { ctrlKey: true }), press('r', { ctrlKey: true }), press('f', { metaKey: true })]).toEqual(['chooseAll', null, null]);
});

it('what is typed is typed, with Telex too', () => {
  const input = document.createElement('input');
  expect([press('e', { target: input }), press('e', { isComposing: true }), press('e', { altKey: true })]).toEqual([null, null, null]);
  const button = document.createElement('button');
  expect([press('Enter', { target: button }), press('j', { target: button })]).toEqual([null, 'next']);
  const box = Object.assign(document.createElement('input'), { type: 'checkbox' });
  expect(press('j', { target: box })).toBe('next');
});

it('each key means one thing', () => {
  const all = BINDINGS.flatMap((binding) => binding.keys.map((key) => `${binding.ctrl ? 'ctrl+' : ''}${key}`));
  expect(new Set(all).size).toBe(all.length);
});
