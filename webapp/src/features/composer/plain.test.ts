import { describe, expect, it } from 'vitest';
import { textOf } from './plain';

describe('a letter as text', () => {
  const quote = { kind: 'reply' as const, head: ['An viết:'], html: null, text: 'Chào\n\n> cũ' };

  // RFC 3676 §4.3
  it('separates the signature where it is the end', () => {
    expect(textOf('Kính gửi', 'Văn An', null)).toBe('Kính gửi\n\n-- \nVăn An');
    expect(textOf('Kính gửi', 'Văn An', quote)).toBe('Kính gửi\n\nVăn An\n\nAn viết:\n> Chào\n>\n>> cũ');
  });

  it('passes on as it was', () => {
    expect(textOf('', '', { ...quote, kind: 'forward', head: ['Thư chuyển tiếp', 'Từ: An'] })).toBe('\n\nThư chuyển tiếp\nTừ: An\n\nChào\n\n> cũ');
  });
});
