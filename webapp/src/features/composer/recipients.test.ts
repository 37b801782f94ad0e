import { describe, expect, it } from 'vitest';
import { ranked, take, unmarked } from './recipients';

const a = (email: string, name: string | null = null, detail: string | null = null) => ({ email, name, detail });

describe('the recipients', () => {
  it('take what is read and leave what is not, with the reason', () => {
    expect(take([{ name: null, email: 'an@a.example' }], 'AN@a.example, binh@a.example, chi')).toEqual({
      addresses: [{ name: null, email: 'an@a.example' }, { name: null, email: 'binh@a.example' }],
      rest: 'chi', wrong: { text: 'chi', wrong: 'noAt' },
    });
  });

  const people = [
    a('ntdao@a.example', 'Nguyễn Thị Đào', 'Kế toán trưởng, Ban QLDA'), a('dao@a.example', 'Trần Đạo'), a('so@a.example', 'Sở Nội vụ'), a('so@a.example', 'Sở'),
  ];
  const offered = (typed: string, chosen = [] as typeof people) => ranked(people, typed, chosen).map(({ email }) => email);

  it('are found with and without marks, by the beginnings of words, exact marks first', () => {
    expect(offered('nguyen dao')).toEqual(['ntdao@a.example']);
    expect(offered('đạo')).toEqual(['dao@a.example', 'ntdao@a.example']);
    expect(offered('Đào')[0]).toBe('ntdao@a.example');
    expect(offered('ke toan')).toEqual(['ntdao@a.example']);
    expect(offered('noi')).toEqual(['so@a.example']);
    expect(offered('xyz')).toEqual([]);
    expect(offered('')).toEqual([]);
  });

  it('are not offered twice', () => {
    expect(offered('so', [a('SO@a.example')])).toEqual([]);
    expect(unmarked('Đường')).toBe('duong');
  });
});
