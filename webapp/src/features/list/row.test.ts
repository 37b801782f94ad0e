import { describe, expect, it } from 'vitest';
import type { EmailRow } from '../../jmap/types';
import { marks, people, pieces } from './row';

const email = (name: string, more: Partial<EmailRow> = {}) =>
  ({ id: name, keywords: {}, hasAttachment: false, from: [{ name, email: 'x@y.example' }], to: [{ name: null, email: 'a@b.example' }], ...more }) as EmailRow;

describe('a row', () => {
  it('says who wrote', () => {
    const [mai, binh] = [email('Lê Thị Mai'), email('Nguyễn Thanh Bình')];
    expect(people(mai, [mai], false)).toBe('Lê Thị Mai');
    expect(people(binh, [mai, binh, mai], false)).toBe('Mai, Bình');
    expect(people(mai, ['A B', 'C D', 'E F', 'G H'].map((name) => email(name)), false)).toBe('B … F, H');
    expect(people(mai, [], true)).toBe('a@b.example');
    expect(people(email('', { from: null }), [], false)).toBe('');
  });

  it('is unread when anything in the conversation is, and a draft of ours is not unread', () => {
    const read = email('a', { keywords: { $seen: true } });
    const unread = email('b', { hasAttachment: true });
    const draft = email('c', { keywords: { $draft: true, $flagged: true } });
    expect(marks(read, [read, unread])).toMatchObject({ unread: true, attachment: true, count: 2 });
    expect(marks(read, [read, draft])).toMatchObject({ unread: false, starred: true, draft: true });
    expect(marks(read, [])).toMatchObject({ unread: false, count: 1 });
  });

  it('reads a snippet without trusting it', () => {
    expect(pieces('Báo <mark>cáo</mark> &lt;b&gt; <img src=x> &amp;lt;')).toEqual([
      { text: 'Báo ', marked: false }, { text: 'cáo', marked: true }, { text: ' <b> <img src=x> &lt;', marked: false },
    ]);
  });
});
