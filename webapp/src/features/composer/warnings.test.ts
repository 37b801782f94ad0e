import { describe, expect, it } from 'vitest';
import { blank, type Letter } from './letter';
import { type Fact, type Knowledge, warnings } from './warnings';

const facts = (all: Record<string, Fact>) => new Map(Object.entries(all));
const knowledge: Knowledge = { facts: facts({}), written: null };
const to = (...emails: string[]) => emails.map((email) => ({ name: null, email }));
const letter: Letter = { ...blank('a1'), subject: 'Báo cáo', to: to('so@khanhhoa.example'), body: '<p>Kính gửi quý Sở</p>' };
const kinds = (one: Letter, known = knowledge) => warnings(one, known).map((warning) => warning.kind);
const file = { blobId: 'b', name: 'a.pdf', type: 'application/pdf', size: 1, cid: null };

describe('before a letter leaves', () => {
  it('nothing is said of one that is in order', () => {
    expect(kinds(letter)).toEqual([]);
  });

  it('a missing subject and an empty text are told', () => {
    expect(kinds({ ...letter, subject: '  ', body: '<p></p>' })).toEqual(['noSubject', 'empty']);
    expect(kinds({ ...letter, body: '<p></p>', enclosures: [file] })).toEqual([]);
    expect(kinds({ ...letter, body: '<p><img src="cid:x"></p>' })).toEqual([]);
  });

  it('an attachment that is spoken of and not there is told, in either language, accented or not', () => {
    for (const words of ['Xin gửi kèm báo cáo', 'tài liệu ĐÍNH KÈM', 'đính kèm'.normalize('NFD'), 'xem file dinh kem', 'Please see attached', 'văn bản kèm\n theo']) {
      expect(kinds({ ...letter, body: `<p>${words}</p>` })).toEqual(['noAttachment']);
      expect(kinds({ ...letter, body: `<p>${words}</p>`, enclosures: [file] })).toEqual([]);
    }
    expect(kinds({ ...letter, subject: 'Gửi kèm hồ sơ' })).toEqual(['noAttachment']);
    expect(kinds({ ...letter, body: '<p>unattached</p>' })).toEqual([]);
  });

  it('the words of the quoted message do not count', () => {
    expect(kinds({ ...letter, quote: { kind: 'reply', head: [], html: null, text: 'đính kèm' } })).toEqual([]);
    expect(kinds({ ...letter, plain: true, body: 'Vâng\n> đính kèm' })).toEqual([]);
    expect(kinds({ ...letter, body: '<p>Vâng</p><blockquote><p>đính kèm</p></blockquote>' })).toEqual([]);
  });

  // S2.2b
  it('recipients outside the official domains are named', () => {
    const known = { ...knowledge, facts: facts({ 'a@x.example': { official: false, article: null, isNobody: false }, 'b@so.example': { official: true, article: null, isNobody: false }, 'c@x.example': { official: false, article: null, isNobody: false } }) };
    const outside = { ...letter, to: to('A@X.example', 'b@so.example', 'unknown@y.example'), bcc: to('c@x.example') };
    expect(warnings(outside, known)).toEqual([{ kind: 'outside', addresses: ['A@X.example', 'c@x.example'] }]);
    expect(kinds({ ...letter, to: to('n@x.example') }, { ...knowledge, facts: facts({ 'n@x.example': { official: null, article: null, isNobody: false } }) })).toEqual([]);
  });

  // S8.3a
  it('private email is named apart, with its article', () => {
    const known = { ...knowledge, facts: facts({ 'an@gmail.com': { official: false, article: 'Điều 8', isNobody: false } }) };
    expect(warnings({ ...letter, cc: to('An@GMAIL.com') }, known)).toEqual([{ kind: 'private', addresses: ['An@GMAIL.com'], article: 'Điều 8' }]);
  });

  it('an address of ours that nobody has comes first', () => {
    const known = { ...knowledge, facts: facts({ 'sai@khanhhoa.example': { official: true, article: null, isNobody: true } }) };
    expect(kinds({ ...letter, to: to('sai@khanhhoa.example'), subject: '' }, known)).toEqual(['nobody', 'noSubject']);
  });

  it('who is written to for the first time is named, where that is known', () => {
    const written = new Set(['so@khanhhoa.example']);
    expect(kinds({ ...letter, to: to('SO@khanhhoa.example') }, { ...knowledge, written })).toEqual([]);
    expect(kinds({ ...letter, to: to('moi@khanhhoa.example') }, { ...knowledge, written })).toEqual(['firstTime']);
  });

  it('many recipients are counted, each once', () => {
    const many = to(...Array.from({ length: 25 }, (_, at) => `a${at}@khanhhoa.example`));
    expect(warnings({ ...letter, to: many, cc: many }, knowledge)).toEqual([{ kind: 'many', count: 25 }]);
  });
});
