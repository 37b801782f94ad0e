import { describe, expect, it } from 'vitest';
import { answering, bare, forwarding } from './subject';

describe('a subject', () => {
  it('gets its prefix once', () => {
    expect(answering('Báo cáo tuần')).toBe('Re: Báo cáo tuần');
    expect(answering('Re: Báo cáo tuần')).toBe('Re: Báo cáo tuần');
    expect(forwarding('Fwd: Báo cáo tuần')).toBe('Fwd: Báo cáo tuần');
    expect(forwarding('Re: Fw: Báo cáo')).toBe('Fwd: Báo cáo');
  });

  it('knows the prefixes of other programs, in Vietnamese too', () => {
    for (const prefix of ['RE:', 'Re[2]:', 'Re (3) :', 'FW:', 'FWD:', 'Trả lời:', 'TL:', 'TL: Re:', 'Chuyển tiếp:', 'Trả lời:'.normalize('NFD')]) {
      expect(bare(`${prefix} Công văn số 12`)).toBe('Công văn số 12');
    }
  });

  it('keeps words that only look like one', () => {
    expect(bare('Regarding: nhà thầu')).toBe('Regarding: nhà thầu');
    expect(bare('Công văn 12/TL: góp ý')).toBe('Công văn 12/TL: góp ý');
    expect(bare('re')).toBe('re');
  });

  it('may be empty', () => {
    expect(answering('')).toBe('Re:');
    expect(answering('Re:')).toBe('Re:');
  });

  it('ends with a long chain', () => {
    expect(bare('Re: '.repeat(40) + 'x')).toBe('x');
  });
});
