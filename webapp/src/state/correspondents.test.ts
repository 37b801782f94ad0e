import { expect, it } from 'vitest';
import { counted } from './correspondents';

it('correspondents are each named once, with a name where one was seen, the most frequent first', () => {
  const seen = [
    { address: { name: null, email: 'so@a.example' }, weight: 1 },
    { address: { name: 'An', email: 'an@a.example' }, weight: 3 },
    { address: { name: 'Sở Nội vụ', email: 'SO@a.example' }, weight: 3 },
  ];
  expect(counted(seen)).toEqual([{ name: 'Sở Nội vụ', email: 'so@a.example' }, { name: 'An', email: 'an@a.example' }]);
});
