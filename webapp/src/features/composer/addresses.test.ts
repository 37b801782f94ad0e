import { describe, expect, it } from 'vitest';
import { MOST_PASTED, read, written, wrongWith } from './addresses';

const emails = (text: string) => read(text).map((entry) => ('address' in entry ? entry.address.email : `? ${entry.text}`));

describe('reading addresses', () => {
  it('takes one, with and without a name', () => {
    expect(read('an@khanhhoa.example')).toEqual([{ address: { name: null, email: 'an@khanhhoa.example' } }]);
    expect(read('Nguyễn Văn An <an@khanhhoa.example>')).toEqual([{ address: { name: 'Nguyễn Văn An', email: 'an@khanhhoa.example' } }]);
    expect(read('mailto:an@khanhhoa.example')).toEqual([{ address: { name: null, email: 'an@khanhhoa.example' } }]);
  });

  it('takes what is pasted from Outlook, from a spreadsheet and from a line of words', () => {
    expect(emails('Văn An <an@a.example>; Bình <b@a.example>;')).toEqual(['an@a.example', 'b@a.example']);
    expect(emails('an@a.example\nb@a.example\r\n\tc@a.example')).toEqual(['an@a.example', 'b@a.example', 'c@a.example']);
    expect(emails('an@a.example b@a.example, c@a.example')).toEqual(['an@a.example', 'b@a.example', 'c@a.example']);
  });

  it('keeps a comma within a name, quoted or not', () => {
    expect(read('"An, Sở Nội vụ" <an@a.example>')).toEqual([{ address: { name: 'An, Sở Nội vụ', email: 'an@a.example' } }]);
    expect(read('An, Sở Nội vụ <an@a.example>, b@a.example')).toEqual([
      { address: { name: 'An, Sở Nội vụ', email: 'an@a.example' } },
      { address: { name: null, email: 'b@a.example' } },
    ]);
    expect(read('"Nói \\"nhanh\\"" <an@a.example>')).toEqual([{ address: { name: 'Nói "nhanh"', email: 'an@a.example' } }]);
  });

  it('takes the members of a group', () => {
    expect(emails('Các sở: an@a.example, b@a.example;')).toEqual(['an@a.example', 'b@a.example']);
  });

  it('hands back what is no address, and says why', () => {
    expect(read('văn thư, an@a.example')).toEqual([
      { text: 'văn thư', wrong: 'space' },
      { address: { name: null, email: 'an@a.example' } },
    ]);
    expect(wrongWith('vanthu')).toBe('noAt');
    expect(wrongWith('@a.example')).toBe('noName');
    expect(wrongWith('an@')).toBe('noDomain');
    expect(wrongWith('an@localhost')).toBe('badDomain');
    expect(wrongWith('an@a..example')).toBe('badDomain');
    expect(wrongWith('an@10.0.0.1')).toBe('badDomain');
    expect(wrongWith('a..n@a.example')).toBe('badName');
    expect(wrongWith(`${'a'.repeat(65)}@a.example`)).toBe('badName');
    expect(wrongWith('"a b"@a.example')).toBe('space');
  });

  it('takes addresses and domains of other alphabets', () => {
    expect(wrongWith('hộpthư@tên-miền.example')).toBeNull();
  });

  it('is quick and bounded on a long paste', () => {
    expect(read('an@a.example,'.repeat(20_000))).toHaveLength(MOST_PASTED);
    expect(read('<'.repeat(50_000)).length).toBeLessThanOrEqual(1);
    expect(read('a, '.repeat(20_000)).length).toBeLessThanOrEqual(MOST_PASTED);
  });

  it('writes what it reads', () => {
    for (const address of [{ name: 'An, "Sở"', email: 'an@a.example' }, { name: null, email: 'an@a.example' }, { name: 'Văn An', email: 'an@a.example' }]) {
      expect(read(written(address))).toEqual([{ address }]);
    }
  });
});
