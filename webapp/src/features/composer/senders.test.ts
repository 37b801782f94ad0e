import { describe, expect, it } from 'vitest';
import { blank } from './letter';
import { addressOf, from, type Sender, senderOf, senderWith, signatureOf } from './senders';

const sender = (accountId: string, id: string, email: string, more: Partial<Sender['identity']> = {}): Sender => ({
  accountId, review: null,
  identity: { id, name: '', email, replyTo: null, bcc: null, textSignature: '', htmlSignature: '', mayDelete: false, ...more },
});
const own = sender('a1', 'i1', 'an@a.example', { name: 'Văn An', htmlSignature: '<p><b>Văn An</b></p>' });
const shared = sender('a2', 'i2', 'ban@a.example', { textSignature: 'Ban QLDA\n<so 1>\n' });
const second = sender('a2', 'i3', 'vanthu@a.example');
const all = [own, shared, second];

describe('the sender', () => {
  it('is the one of the letter, else the first of its account', () => {
    expect(senderOf(all, { accountId: 'a2', identityId: 'i3' })).toBe(second);
    expect(senderOf(all, { accountId: 'a2', identityId: 'gone' })).toBe(shared);
    expect(senderOf(all, { accountId: 'a9', identityId: null })).toBeNull();
  });

  it('of an answer has the address that was written to', () => {
    expect(senderWith(all, 'a2', 'VANTHU@a.example')).toBe(second);
    expect(senderWith(all, 'a2', 'an@a.example')).toBe(shared);
    expect(senderWith(all, 'a1', null)).toBe(own);
    expect(addressOf(own)).toEqual({ name: 'Văn An', email: 'an@a.example' });
    expect(addressOf(second).name).toBeNull();
  });
});

describe('the signature', () => {
  it('is in the form of the letter, whichever was written', () => {
    expect(signatureOf(own, true)).toBe('Văn An');
    expect(signatureOf(own, false)).toBe('<p><b>Văn An</b></p>');
    expect(signatureOf(shared, false)).toBe('<p>Ban QLDA</p><p>&lt;so 1&gt;</p>');
    expect(signatureOf(shared, true)).toBe('Ban QLDA\n<so 1>');
    expect(signatureOf(second, false)).toBe('');
  });

  it('changes with the sender, unless it was taken out', () => {
    const letter = { ...blank('a1'), identityId: 'i1', signature: signatureOf(own, false) };
    expect(from(letter, own, shared)).toMatchObject({ accountId: 'a2', identityId: 'i2', signature: '<p>Ban QLDA</p><p>&lt;so 1&gt;</p>' });
    expect(from({ ...letter, signature: '' }, own, shared).signature).toBe('');
    expect(from({ ...letter, signature: '' }, second, own).signature).toBe('<p><b>Văn An</b></p>');
  });
});
