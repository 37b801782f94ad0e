import { describe, expect, it } from 'vitest';
import { date, filterOf, terms } from './query';

const around = { mailbox: (name: string) => (name === 'Dự án' ? 'm7' : undefined), label: (name: string) => `label:${name}` };
const read = (question: string) => filterOf(question, around);

describe('a question', () => {
  it('is words, looked for everywhere', () => {
    expect(read('báo cáo tuần')).toEqual({ text: 'báo cáo tuần' });
    expect(read('"báo cáo tuần"')).toEqual({ text: '"báo cáo tuần"' });
    expect(read('http://x 12:30')).toEqual({ text: 'http://x 12:30' });
    expect(read('')).toEqual({ operator: 'AND', conditions: [] });
  });

  it('knows operators in both languages, with and without marks', () => {
    for (const operator of ['from', 'Từ', 'tu', 'TỪ'.normalize('NFD')]) expect(read(`${operator}:mai`)).toEqual({ from: 'mai' });
    expect(read('tieude:"kế hoạch" có:tệp là:chưađọc')).toEqual({
      operator: 'AND', conditions: [{ subject: 'kế hoạch' }, { hasAttachment: true }, { notKeyword: '$seen' }],
    });
    expect(read('trong:"Dự án"')).toEqual({ inMailbox: 'm7' });
    expect(read('in:nowhere')).toEqual({ text: 'in:nowhere' });
    expect(read('nhãn:khẩn')).toEqual({ hasKeyword: 'label:khẩn' });
    expect(read('lonhon:5MB nhohon:300k')).toEqual({ operator: 'AND', conditions: [{ minSize: 5e6 }, { maxSize: 3e5 }] });
    expect(read('báo cáo từ:mai -sở')).toEqual({
      operator: 'AND', conditions: [{ text: 'báo cáo' }, { from: 'mai' }, { operator: 'NOT', conditions: [{ text: 'sở' }] }],
    });
  });

  it('knows operators and values of several words', () => {
    for (const question of ['chủ đề:"kế hoạch"', 'Chu de: "kế hoạch"', 'chu-de:"kế hoạch"']) expect(read(question)).toEqual({ subject: 'kế hoạch' });
    expect(read('có:đính kèm')).toEqual({ hasAttachment: true });
    expect(read('co: tep dinh kem là:chưa đọc -là:đã đọc')).toEqual({
      operator: 'AND', conditions: [{ hasAttachment: true }, { notKeyword: '$seen' }, { operator: 'NOT', conditions: [{ hasKeyword: '$seen' }] }],
    });
    expect(read('chủ đề mới')).toEqual({ text: 'chủ đề mới' });
  });

  it('reads days as people write them', () => {
    expect(date('25/11/2026')).toBe('2026-11-24T17:00:00Z');
    expect(date('2026-11-25')).toBe('2026-11-24T17:00:00Z');
    expect(date('1/2', new Date('2026-11-25T00:00:00Z'))).toBe('2026-01-31T17:00:00Z');
    expect(date('hôm qua')).toBeNull();
    expect(read('sau:32/13/2026')).toEqual({ text: 'after:32/13/2026' });
  });

  it('is bounded', () => {
    expect(terms('a:b '.repeat(10))).toHaveLength(1);
    expect((read('from:x '.repeat(100)) as { conditions: unknown[] }).conditions).toHaveLength(20);
  });
});
