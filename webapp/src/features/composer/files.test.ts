import { describe, expect, it } from 'vitest';
import { isPicture, nameOf, newCid, room, tooLarge } from './files';

const MB = 1_000_000;

describe('files', () => {
  it('must fit once they are encoded', () => {
    const limits = { upload: 50 * MB, perMessage: null };
    expect(room(limits)).toBeGreaterThan(36 * MB);
    expect((room(limits) * 4) / 3).toBeLessThan(50 * MB);
    expect(tooLarge(40 * MB, 0, limits)).toMatchObject({ kind: 'file' });
    expect(tooLarge(20 * MB, 10 * MB, limits)).toBeNull();
    expect(tooLarge(20 * MB, 20 * MB, limits)).toMatchObject({ kind: 'sum', left: room(limits) - 20 * MB });
    expect(room({ upload: 50 * MB, perMessage: 10 * MB })).toBe(10 * MB);
    expect(room({ upload: 10, perMessage: null })).toBe(0);
  });

  it('from the clipboard get a name that tells them apart', () => {
    const at = Date.parse('2026-11-25T02:03:04Z');
    expect(nameOf({ name: 'image.png', type: 'image/png' }, at)).toBe('hinh-20261125-020304.png');
    expect(nameOf({ name: '', type: 'image/jpeg' }, at)).toBe('hinh-20261125-020304.jpg');
    expect(nameOf({ name: 'sơ đồ.png', type: 'image/png' }, at)).toBe('sơ đồ.png');
  });

  it('are told apart by what a mail program shows', () => {
    expect([isPicture('image/png'), isPicture('image/svg+xml'), isPicture('image/tiff'), isPicture('application/pdf')]).toEqual([true, false, false, false]);
    expect(newCid()).not.toBe(newCid());
  });
});
