import { expect, it } from 'vitest';
import { isLabel, keywordOf, labelOf, labelsOf, tint } from './labels';

it('a label becomes a keyword and is read again', () => {
  expect(keywordOf('Khẩn')).toBe('label.kh=e1=ba=a9n');
  for (const label of ['Khẩn', 'Dự án 2', 'A.b-c', 'Ý kiến (gấp) 100%']) expect(labelOf(keywordOf(label))).toBe(label.charAt(0) + label.slice(1).toLowerCase());
  expect(keywordOf(' khẩn '.normalize('NFD'))).toBe(keywordOf('KHẨN'));
  expect(/^[\x21-\x7e]+$/.test(keywordOf('Ý kiến {a}%*"\\()'))).toBe(true);
  expect(labelOf('label.=zz')).toBe('=zz');
});

it('marks of the system are no labels; those of other clients are', () => {
  expect([labelOf('$seen'), labelOf('\\Seen'), labelOf('work')]).toEqual([null, null, 'work']);
  expect(labelsOf({ $seen: true, 'label.b': true, 'label.a': true, 'label.c': false })).toEqual([
    { keyword: 'label.a', name: 'A' }, { keyword: 'label.b', name: 'B' },
  ]);
  expect([isLabel(' '), isLabel('Khẩn'), isLabel('ậ'.repeat(20))]).toEqual([false, true, false]);
  expect(tint('label.a')).toBe(tint('label.a'));
});
