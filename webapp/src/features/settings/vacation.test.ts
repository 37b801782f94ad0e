import { describe, expect, it } from 'vitest';
import { faultOf, formOf, responseOf } from './vacation';

const form = { isEnabled: true, from: '2026-12-01', to: '2026-12-05', subject: ' Đi công tác ', text: 'Tôi đi vắng.' };

describe('the automatic answer', () => {
  it('begins with its first day and ends with its last, in Vietnam', () => {
    expect(responseOf(form)).toMatchObject({ fromDate: '2026-11-30T17:00:00Z', toDate: '2026-12-05T17:00:00Z', subject: 'Đi công tác', htmlBody: null });
  });

  it('is shown as it was entered', () => {
    const stored = { id: 'singleton', htmlBody: null, textBody: null, ...responseOf(form) } as Parameters<typeof formOf>[0];
    expect(formOf(stored)).toEqual({ ...form, subject: 'Đi công tác' });
    expect(formOf(null)).toEqual({ isEnabled: false, from: '', to: '', subject: '', text: '' });
  });

  it('needs words, and days in their order', () => {
    expect(faultOf({ ...form, text: ' ' })).toBe('noText');
    expect(faultOf({ ...form, isEnabled: false, text: '' })).toBeNull();
    expect(faultOf({ ...form, to: '2026-11-30' })).toBe('backwards');
    expect(faultOf({ ...form, to: '' })).toBeNull();
  });
});
