import { expect, it } from 'vitest';
import { kindOf } from './kinds';

it('says in words what a file is', () => {
  expect(kindOf('application/vnd.microsoft.portable-executable')).toBe('tệp chương trình');
  expect(kindOf('application/vnd.openxmlformats-officedocument.wordprocessingml.document')).toBe('văn bản Word');
  expect(kindOf('image/png')).toBe('hình ảnh');
  expect(kindOf('application/x-unheard-of')).toBe('application/x-unheard-of');
});
