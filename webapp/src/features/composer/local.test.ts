import { beforeEach, describe, expect, it } from 'vitest';
import { blank } from './letter';
import { Copies } from './local';

const copy = (id: string, at: number) => ({ id, at, draftId: null, letter: { ...blank('a1'), body: `<p>${id}</p>` } });

describe('the copy in the browser', () => {
  beforeEach(() => localStorage.clear());

  it('is there after the page was closed, the newest first, for its person alone', () => {
    const copies = new Copies(localStorage, 'an@ban');
    copies.put(copy('one', 1));
    copies.put(copy('two', 2));
    new Copies(localStorage, 'binh@ban').put(copy('other', 3));
    expect(new Copies(localStorage, 'an@ban').all()).toEqual([copy('two', 2), copy('one', 1)]);
    copies.drop('two');
    expect(copies.all().map(({ id }) => id)).toEqual(['one']);
  });

  it('does not confuse people whose names begin alike', () => {
    new Copies(localStorage, 'an@ban.x').put(copy('one', 1));
    expect(new Copies(localStorage, 'an@ban').all()).toEqual([]);
  });

  it('says when there is no room', () => {
    const full = { length: 0, getItem: () => null, key: () => null, removeItem: () => undefined, setItem: () => { throw new Error('quota'); } };
    expect(new Copies(full, 'an@ban').put(copy('one', 1))).toBe(false);
  });

  it('throws away what cannot be read, and the oldest of too many', () => {
    const copies = new Copies(localStorage, 'an@ban');
    localStorage.setItem('congvu.unsent.an%40ban/bad', '{');
    for (let at = 0; at < 25; at++) copies.put(copy(`c${at}`, at));
    expect(copies.all()).toHaveLength(20);
    expect(localStorage.length).toBe(20);
  });
});
