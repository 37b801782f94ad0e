import { expect, it } from 'vitest';
import { ahead } from './scheduled';

it('letters that wait are told in the order of their times, and those held for a review alone are not', () => {
  const list = [
    { id: 's1', emailId: 'e1', sendAt: '2026-11-30T00:30:00Z' }, { id: 's2', emailId: 'e2', sendAt: '2026-11-26T00:30:00Z' },
    { id: 's3', emailId: 'e3', sendAt: '2026-11-25T01:00:00Z' },
  ];
  expect(ahead(list, [{ id: 'e1', subject: 'Báo cáo' }], Date.parse('2026-11-25T02:00:00Z'))).toEqual([
    { id: 's2', sendAt: '2026-11-26T00:30:00Z', subject: null, isHere: false },
    { id: 's1', sendAt: '2026-11-30T00:30:00Z', subject: 'Báo cáo', isHere: true },
  ]);
});
