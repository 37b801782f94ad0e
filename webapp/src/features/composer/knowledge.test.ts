import { expect, it } from 'vitest';
import { known } from './knowledge';

it('what the server says of recipients is known by their folded addresses', () => {
  const rule = { effect: 'warn', citation: { rule: 'S8.3a', instrument: '', text: 'Điều 8' } };
  const { facts, written } = known([
    { address: 'Dan@GMAIL.com', place: 'elsewhere', isOfficial: false, rule, wroteBefore: false },
    { address: 'so@a.example', place: 'here', isOfficial: true, rule: null, wroteBefore: true },
    { address: 'sai@a.example', place: 'unknown', isOfficial: true, rule: null, wroteBefore: false },
  ]);
  expect(facts.get('dan@gmail.com')).toEqual({ official: false, article: 'Điều 8', isNobody: false });
  expect(facts.get('sai@a.example')?.isNobody).toBe(true);
  expect([...(written ?? [])]).toEqual(['so@a.example']);
});
