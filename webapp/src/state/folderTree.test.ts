import { expect, it } from 'vitest';
import type { Mailbox } from '../jmap/types';
import { figure, roleName, tree } from './folderTree';

const folder = (id: string, more: Partial<Mailbox> = {}) =>
  ({ id, name: id, parentId: null, role: null, sortOrder: 0, totalEmails: 5, unreadThreads: 2, ...more }) as Mailbox;

it('stands with roles first, then by name as Vietnamese sort it, children under their parents', () => {
  const all = [
    folder('Đấu thầu'), folder('dau', { name: 'Dự án' }), folder('x', { name: 'Cầu', parentId: 'dau' }), folder('t', { role: 'trash' }),
    folder('i', { role: 'inbox' }), folder('lost', { parentId: 'nowhere', name: 'Ăn ca' }),
  ];
  expect(tree(all).map(({ mailbox, depth }) => [mailbox.id, depth])).toEqual([
    ['i', 0], ['t', 0], ['lost', 0], ['dau', 0], ['x', 1], ['Đấu thầu', 0],
  ]);
});

it('ends where folders lie within one another', () => {
  expect(tree([folder('a', { parentId: 'b' }), folder('b', { parentId: 'a' })])).toEqual([]);
});

it('has words for roles, and a figure that means something', () => {
  expect([roleName({ role: 'junk' }), roleName({ role: null }), roleName({ role: 'odd' })]).toEqual(['folder.junk', null, null]);
  expect([figure(folder('a')), figure(folder('d', { role: 'drafts' })), figure(folder('t', { role: 'trash' }))]).toEqual([2, 5, 0]);
});
