import { describe, expect, it } from 'vitest';
import { heading, type Original, writtenTo } from './reply';

const a = (email: string, name: string | null = null) => ({ email, name });
const OWN = ['bqlctgt@khanhhoa.example', 'an@khanhhoa.example'];
const message: Original = {
  from: [a('sonoivu@khanhhoa.example', 'Sở Nội vụ')],
  replyTo: null,
  to: [a('BQLCTGT@khanhhoa.example'), a('sotaichinh@khanhhoa.example')],
  cc: [a('an@khanhhoa.example'), a('ubnd@khanhhoa.example'), a('SONOIVU@khanhhoa.example')],
  subject: 'Báo cáo',
  messageId: ['m3@x'],
  inReplyTo: ['m2@x'],
  references: ['m1@x', 'm2@x'],
};
const emails = (list: { email: string }[]) => list.map((address) => address.email);

describe('an answer', () => {
  it('goes to the author', () => {
    const { to, cc, subject } = heading('reply', message, OWN);
    expect([emails(to), cc, subject]).toEqual([['sonoivu@khanhhoa.example'], [], 'Re: Báo cáo']);
    expect(to[0]?.name).toBe('Sở Nội vụ');
  });

  it('goes where Reply-To says', () => {
    const { to } = heading('reply', { ...message, replyTo: [a('vanthu@khanhhoa.example')] }, OWN);
    expect(emails(to)).toEqual(['vanthu@khanhhoa.example']);
  });

  it('to all leaves out our own addresses, and writes to each once', () => {
    const { to, cc } = heading('replyAll', message, OWN);
    expect(emails(to)).toEqual(['sonoivu@khanhhoa.example', 'sotaichinh@khanhhoa.example']);
    expect(emails(cc)).toEqual(['ubnd@khanhhoa.example']);
  });

  it('to all with a Reply-To does not write to the author twice', () => {
    const { to } = heading('replyAll', { ...message, replyTo: [a('sotaichinh@khanhhoa.example')] }, OWN);
    expect(emails(to)).toEqual(['sotaichinh@khanhhoa.example']);
  });

  it('to our own message goes on to those whom it went to', () => {
    const sent = { ...message, from: [a('bqlctgt@khanhhoa.example')], to: [a('ubnd@khanhhoa.example')], cc: [a('sonoivu@khanhhoa.example')] };
    expect(emails(heading('reply', sent, OWN).to)).toEqual(['ubnd@khanhhoa.example']);
    expect(emails(heading('replyAll', sent, OWN).cc)).toEqual(['sonoivu@khanhhoa.example']);
  });

  it('to a message to oneself goes to oneself', () => {
    const self = { ...message, from: [a('an@khanhhoa.example')], to: [a('an@khanhhoa.example')], cc: null };
    expect(emails(heading('replyAll', self, OWN).to)).toEqual(['an@khanhhoa.example']);
  });
});

// RFC 5322 §3.6.4
describe('the thread', () => {
  it('is the references of the parent and its id', () => {
    const { inReplyTo, references } = heading('reply', message, OWN);
    expect([inReplyTo, references]).toEqual([['m3@x'], ['m1@x', 'm2@x', 'm3@x']]);
  });

  it('takes a single In-Reply-To where there are no references, and not several', () => {
    expect(heading('reply', { ...message, references: null }, OWN).references).toEqual(['m2@x', 'm3@x']);
    expect(heading('reply', { ...message, references: [], inReplyTo: ['m1@x', 'm2@x'] }, OWN).references).toEqual(['m3@x']);
  });

  it('is none where the parent has none', () => {
    const bare = { ...message, messageId: null, inReplyTo: null, references: null };
    expect(heading('reply', bare, OWN)).toMatchObject({ inReplyTo: [], references: [] });
  });

  it('of a message passed on is kept, but it is no answer', () => {
    expect(heading('forward', message, OWN)).toEqual({
      to: [], cc: [], subject: 'Fwd: Báo cáo', inReplyTo: [], references: ['m1@x', 'm2@x', 'm3@x'],
    });
  });

  it('has an end', () => {
    const long = Array.from({ length: 400 }, (_, at) => `r${at}@x`);
    const { references } = heading('reply', { ...message, references: long }, OWN);
    expect(references).toHaveLength(50);
    expect([references[0], references.at(-1)]).toEqual(['r0@x', 'm3@x']);
  });
});

describe('the sender of an answer', () => {
  it('is the address that the message came to', () => {
    expect(writtenTo(message, OWN)).toBe('bqlctgt@khanhhoa.example');
    expect(writtenTo({ ...message, to: null }, OWN)).toBe('an@khanhhoa.example');
    expect(writtenTo({ ...message, to: null, cc: null }, OWN)).toBeNull();
  });
});
