import { describe, expect, it } from 'vitest';
import { blank } from './letter';
import { filledIn } from './templates';

const file = { blobId: 'b', name: 'mau.docx', type: 'application/x', size: 1, cid: null };
const template = { ...blank('a1'), subject: 'Giấy mời', body: '<p>Kính mời</p>', enclosures: [file] };

describe('a template', () => {
  it('fills an empty letter in', () => {
    expect(filledIn({ ...blank('a1'), body: '<p></p>' }, template)).toMatchObject({ subject: 'Giấy mời', body: '<p>Kính mời</p>', enclosures: [file] });
  });

  it('stands before what is written, and keeps the subject that there is', () => {
    const letter = { ...blank('a1'), subject: 'Họp', body: '<p>Thêm</p>' };
    expect(filledIn(letter, template)).toMatchObject({ subject: 'Họp', body: '<p>Kính mời</p><p>Thêm</p>' });
    expect(filledIn({ ...letter, plain: true, body: 'Thêm' }, template).body).toBe('Kính mời\nThêm');
    expect(filledIn(letter, { ...template, plain: true, body: 'Kính mời' }).body).toBe('<p>Kính mời</p><p>Thêm</p>');
  });
});
