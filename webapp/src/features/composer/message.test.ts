import { describe, expect, it } from 'vitest';
import { blank, type Letter } from './letter';
import { created, enclosures, fromDraft, type Part, type ReadEmail } from './message';
import { answer, intoText, quoteOf, redirected } from './quote';

const place = { mailboxId: 'm5', from: { name: 'Ban QLDA', email: 'ban@a.example' } };
const letter: Letter = { ...blank('a1'), subject: ' Báo cáo ', to: [{ name: null, email: 'so@a.example' }], body: '<p>Kính gửi</p>', signature: '<p>Văn An</p>' };
const pdf = { blobId: 'b1', name: 'báo cáo.pdf', type: 'application/pdf', size: 9, cid: null };
const seal = { blobId: 'b2', name: 'dau.png', type: 'image/png', size: 9, cid: 'seal@x' };
const shape = (part: Part): string => (part.subParts ? `${part.type}(${part.subParts.map(shape).join(' ')})` : part.type);
const structure = (one: Letter) => shape(created(one, place)['bodyStructure'] as Part);

describe('a message made of a letter', () => {
  it('says the same in text and in HTML', () => {
    const email = created(letter, place);
    expect(email).toMatchObject({
      mailboxIds: { m5: true }, keywords: { $draft: true, $seen: true }, from: [place.from], to: letter.to, subject: 'Báo cáo',
      bodyValues: { text: { value: 'Kính gửi\n\n-- \nVăn An' } },
    });
    expect(structure(letter)).toBe('multipart/alternative(text/plain text/html)');
    for (const absent of ['cc', 'bcc', 'inReplyTo', 'references', 'header:Importance:asText']) expect(email).not.toHaveProperty(absent);
  });

  it('keeps pictures of the text beside it and files after it', () => {
    expect(structure({ ...letter, enclosures: [pdf] })).toBe('multipart/mixed(multipart/alternative(text/plain text/html) application/pdf)');
    expect(structure({ ...letter, body: '<p><img src="cid:seal@x"></p>', enclosures: [seal, pdf] })).toBe(
      'multipart/mixed(multipart/alternative(text/plain multipart/related(text/html image/png)) application/pdf)',
    );
    // A picture that was taken out of the text does not go along unseen.
    expect(structure({ ...letter, enclosures: [seal] })).toBe('multipart/alternative(text/plain text/html)');
  });

  it('is text alone when it is plain', () => {
    const plain = { ...letter, plain: true, body: 'Kính gửi', signature: 'Văn An' };
    expect(structure(plain)).toBe('text/plain');
    expect(structure({ ...plain, enclosures: [pdf] })).toBe('multipart/mixed(text/plain application/pdf)');
  });

  it('names the files, and no type that is none', () => {
    const part = (type: string) => (created({ ...letter, plain: true, enclosures: [{ ...pdf, type }] }, place)['bodyStructure'] as Part).subParts?.[1];
    expect(part('application/pdf')).toEqual({ blobId: 'b1', type: 'application/pdf', name: 'báo cáo.pdf', disposition: 'attachment' });
    expect(part('')?.type).toBe('application/octet-stream');
    expect(part('multipart/mixed')?.type).toBe('application/octet-stream');
    expect(part('text/html\r\nX: y')?.type).toBe('application/octet-stream');
  });

  it('says how important it is, and asks for a receipt to its sender', () => {
    expect(created({ ...letter, importance: 'high', receipt: true }, place)).toMatchObject({
      'header:Importance:asText': 'high', 'header:X-Priority:asText': '1', 'header:Disposition-Notification-To:asAddresses': [place.from],
    });
  });
});

const read: ReadEmail = {
  id: 'e1', blobId: 'whole', size: 2000, keywords: {}, from: [{ name: 'Sở, Nội vụ', email: 'so@a.example' }], replyTo: null,
  to: [place.from], cc: [{ name: null, email: 'ub@a.example' }], bcc: null, subject: 'Góp ý: <dự thảo>', messageId: ['1@x'], inReplyTo: null, references: null,
  sentAt: '2026-11-12T09:12:00+07:00', receivedAt: '2026-11-12T02:13:00Z',
  htmlBody: [{ partId: '2', type: 'text/html' }], textBody: [{ partId: '1', type: 'text/plain' }],
  attachments: [
    { blobId: 'b1', type: 'application/pdf', name: 'a.pdf', size: 9, disposition: 'attachment', cid: 'unseen@x' },
    { blobId: 'b2', type: 'image/png', name: null, size: 3, disposition: 'inline', cid: 'seal@x' },
  ],
  bodyValues: { '1': { value: 'Kính gửi Ban' }, '2': { value: '<p>Kính gửi <b>Ban</b><img src="cid:seal@x"></p><script>x()</script>' } },
};
const means = {
  say: (key: string, params: Record<string, string> = {}) => [key, ...Object.values(params)].join('|'),
  date: (iso: string) => iso.slice(0, 10),
  clean: (html: string) => html.replace(/<script.*<\/script>/, ''),
};

describe('an answer', () => {
  it('quotes the message, sanitised, with the pictures that it shows', () => {
    const one = answer('reply', read, 'a1', ['ban@a.example'], means);
    expect(one.quote).toEqual({
      kind: 'reply', head: ['quote.wrote|2026-11-12|"Sở, Nội vụ" <so@a.example>'], html: '<p>Kính gửi <b>Ban</b><img src="cid:seal@x"></p>', text: 'Kính gửi Ban',
    });
    expect(one.enclosures).toEqual([{ blobId: 'b2', name: '', type: 'image/png', size: 3, cid: 'seal@x' }]);
    expect(one).toMatchObject({ subject: 'Re: Góp ý: <dự thảo>', inReplyTo: ['1@x'], body: '', to: read.from });
  });

  it('passes everything on', () => {
    const one = answer('forward', read, 'a1', [], means);
    expect(one.quote?.head).toEqual([
      'quote.forwarded', 'quote.from|"Sở, Nội vụ" <so@a.example>', 'quote.date|2026-11-12', 'quote.subject|Góp ý: <dự thảo>',
      'quote.to|Ban QLDA <ban@a.example>', 'quote.cc|ub@a.example',
    ]);
    expect(one.enclosures.map((file) => [file.blobId, file.cid])).toEqual([['b1', null], ['b2', 'seal@x']]);
  });

  it('quotes a message of text alone as text', () => {
    const text = { ...read, htmlBody: read.textBody };
    expect(quoteOf(text, 'reply', means)).toMatchObject({ html: null, text: 'Kính gửi Ban' });
  });

  it('may carry the message whole', () => {
    expect(redirected(read, 'a1')).toMatchObject({
      subject: 'Fwd: Góp ý: <dự thảo>', quote: null, to: [],
      enclosures: [{ blobId: 'whole', type: 'message/rfc822', name: 'Góp ý dự thảo.eml', cid: null }],
    });
  });

  it('takes the quote into the text when it is to be edited', () => {
    const one = answer('reply', read, 'a1', [], means);
    const rich = intoText({ ...one, body: '<p>Vâng</p>' });
    expect([rich.quote, rich.body.endsWith('<blockquote><p>Kính gửi Ban</p></blockquote>')]).toEqual([null, true]);
    expect(intoText({ ...one, plain: true, body: 'Vâng' }).body.endsWith('\n> Kính gửi Ban')).toBe(true);
  });
});

describe('a draft', () => {
  it('is the letter that it was', () => {
    const quote = { kind: 'reply' as const, head: ['An viết:'], html: '<p>Chào<img src="cid:seal@x"></p>', text: 'Chào' };
    const before: Letter = { ...letter, subject: 'x', quote, enclosures: [seal, pdf], importance: 'low', inReplyTo: ['1@x'], cc: [{ name: 'B', email: 'b@a.example' }] };
    const made = created(before, place) as Record<string, never> & { bodyValues: ReadEmail['bodyValues'] };
    const draft = {
      ...read, ...made, bodyValues: made.bodyValues, htmlBody: [{ partId: 'html', type: 'text/html' }], textBody: [{ partId: 'text', type: 'text/plain' }],
      attachments: [{ ...seal, disposition: 'inline' }, { ...pdf, disposition: 'attachment' }],
    };
    const after = fromDraft(draft, 'a1', null, (html) => html);
    expect(after.body).toContain('Kính gửi');
    expect({ ...after, body: '', signature: '' }).toEqual({ ...before, body: '', signature: '' });
  });

  it('of another program opens too', () => {
    const text = { ...read, htmlBody: read.textBody };
    expect(fromDraft(text, 'a1', null, means.clean)).toMatchObject({ plain: true, body: 'Kính gửi Ban', subject: 'Góp ý: <dự thảo>' });
    expect(fromDraft(read, 'a1', null, means.clean)).toMatchObject({ plain: false, body: '<p>Kính gửi <b>Ban</b><img src="cid:seal@x"></p>' });
    expect(enclosures(read, null, false)).toEqual([]);
  });
});
