import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Composer } from './composer.svelte';
import type { Desk } from './desk';
import { Copies } from './local';
import type { ReadEmail } from './message';
import type { Invocation } from './saving';
import type { Sender } from './senders';

const sender = (accountId: string, email: string, signature: string, reviewed = false): Sender => ({
  accountId, review: reviewed ? { article: 'Điều 9' } : null,
  identity: { id: `i-${accountId}`, name: 'An', email, replyTo: null, bcc: null, textSignature: signature, htmlSignature: '', mayDelete: false },
});
const original: ReadEmail = {
  id: 'e1', blobId: 'b1', keywords: {}, from: [{ name: 'Sở', email: 'so@a.example' }], replyTo: null, to: [{ name: null, email: 'ban@a.example' }],
  cc: null, bcc: null, subject: 'Góp ý', messageId: ['1@x'], inReplyTo: null, references: null, sentAt: null, receivedAt: '2026-11-25T02:00:00Z',
  htmlBody: [{ partId: '1', type: 'text/plain' }], textBody: [{ partId: '1', type: 'text/plain' }], attachments: [], bodyValues: { '1': { value: 'Kính gửi' } },
};

/** A server that keeps drafts and sends; `down` makes it unreachable. */
class Office {
  down = false;
  lost = false;
  refuse: Record<string, unknown> | null = null;
  next = 1;
  drafts = new Map<string, Record<string, unknown>>();
  submitted: string[] = [];
  marked: Record<string, unknown>[] = [];
  copied: string[] = [];

  desk(): Desk {
    return {
      call: async (calls) => {
        if (this.down) throw new TypeError('offline');
        const answers = calls.map((one) => this.answer(one));
        if (this.lost && calls.some(([name]) => name === 'EmailSubmission/set')) {
          this.lost = false;
          throw new TypeError('cut');
        }
        return answers;
      },
      read: async () => original,
      upload: async (accountId, file) => ({ blobId: `${accountId}-${file.name}`, size: file.size, type: file.type }),
      copyBlobs: async (_from, to, ids) => Object.fromEntries(ids.map((id) => [id, `${to}-${id}`])),
      mailbox: async (accountId, role) => `${accountId}-${role}`,
      senders: async () => [sender('a1', 'an@a.example', 'Văn An'), sender('a2', 'ban@a.example', 'Ban', true)],
      limits: () => ({ upload: 1e6, perMessage: null }),
      means: { say: (key) => key, date: (iso) => iso, clean: (html) => html },
    };
  }

  answer([name, args]: Invocation): Invocation {
    if (name === 'Email/get') return [name, { state: 's', list: (args['ids'] as string[]).filter((id) => this.drafts.has(id)).map((id) => ({ id, keywords: { $draft: true } })) }];
    if (name === 'EmailSubmission/query') return [name, { ids: this.submitted.map((_, at) => `s${at}`) }];
    if (name === 'EmailSubmission/get') return [name, { list: [{ id: 's0', undoStatus: 'pending', sendAt: null }] }];
    if (name === 'EmailSubmission/set') {
      if (this.refuse) return [name, { notCreated: { sending: this.refuse } }];
      this.submitted.push((args['create'] as { sending: { emailId: string } }).sending.emailId);
      return [name, { created: { sending: { id: `s${this.submitted.length - 1}` } } }];
    }
    if (args['update']) this.marked.push(args['update'] as Record<string, unknown>);
    const created: Record<string, { id: string }> = {};
    for (const [key, email] of Object.entries((args['create'] ?? {}) as Record<string, Record<string, unknown>>)) {
      created[key] = { id: `d${this.next++}` };
      this.drafts.set(created[key].id, email);
    }
    for (const id of (args['destroy'] ?? []) as string[]) this.drafts.delete(id);
    return [name, { oldState: 's', newState: 's', created }];
  }
}

describe('a composer', () => {
  let office: Office;
  const copies = () => new Copies(localStorage, 'an');
  const composer = () => new Composer(office.desk(), copies());
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  beforeEach(() => {
    localStorage.clear();
    office = new Office();
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  it('answers from the address that was written to, with its signature', async () => {
    const one = composer();
    await one.open({ kind: 'reply', accountId: 'a2', emailId: 'e1' });
    expect(one.letter).toMatchObject({ accountId: 'a2', identityId: 'i-a2', subject: 'Re: Góp ý', signature: '<p>Ban</p>', inReplyTo: ['1@x'] });
    expect(one.sender?.review?.article).toBe('Điều 9');
    await pass(60_000);
    expect(office.drafts.size).toBe(0);
  });

  it('keeps one draft, and a copy of its own only until the server has it', async () => {
    const one = composer();
    await one.open({ kind: 'new', accountId: 'a1' });
    one.change({ subject: 'Báo' });
    await pass(500);
    expect(copies().all()).toHaveLength(1);
    await pass(2000);
    expect([office.drafts.size, copies().all()]).toEqual([1, []]);
    one.change({ subject: 'Báo cáo' });
    await pass(3000);
    expect([...office.drafts.values()].map((draft) => draft['subject'])).toEqual(['Báo cáo']);
  });

  it('loses nothing when the server is gone and the tab is closed', async () => {
    const one = composer();
    await one.open({ kind: 'new', accountId: 'a1' });
    office.down = true;
    one.editor = () => '<p>Kính gửi</p>';
    one.touch();
    await pass(5000);
    expect(one.saving).toBe('failed');
    one.close(true);
    const [copy] = copies().all();
    expect(copy?.letter.body).toBe('<p>Kính gửi</p>');
    office.down = false;
    const two = composer();
    await two.restore(copy as NonNullable<typeof copy>);
    expect([two.letter.body, two.notices]).toEqual(['<p>Kính gửi</p>', ['restored']]);
    await pass(3000);
    expect(office.drafts.size).toBe(1);
  });

  it('sends what was written last, once, marks what it answers, and is closed', async () => {
    const one = composer();
    await one.open({ kind: 'reply', accountId: 'a1', emailId: 'e1' });
    one.editor = () => '<p>Vâng</p>';
    one.touch();
    const gone = await one.send({ seconds: 10 });
    expect(office.submitted).toEqual(['d1']);
    expect(JSON.stringify(office.drafts.get('d1'))).toContain('Vâng');
    expect(office.marked).toEqual([{ e1: { 'keywords/$answered': true } }]);
    expect(gone).toMatchObject({ sent: { id: 's0' }, draftId: 'd1' });
    await pass(60_000);
    expect([office.drafts.size, copies().all()]).toEqual([1, []]);
  });

  it('does not send twice when the answer was lost', async () => {
    const one = composer();
    await one.open({ kind: 'new', accountId: 'a1', to: ['so@a.example'] });
    office.lost = true;
    await expect(one.send(null)).rejects.toThrow('cut');
    expect([one.phase, one.letter.to.length]).toEqual(['writing', 1]);
    await one.send(null);
    expect(office.submitted).toEqual(['d1']);
  });

  it('keeps everything when the server refuses', async () => {
    const one = composer();
    await one.open({ kind: 'new', accountId: 'a1', to: ['moi@a.example'], subject: 'Báo cáo' });
    office.refuse = { type: 'invalidRecipients', description: 'Không có người nhận này.' };
    await expect(one.send(null)).rejects.toMatchObject({ message: 'Không có người nhận này.' });
    expect([one.phase, one.letter.subject, office.drafts.size]).toEqual(['writing', 'Báo cáo', 1]);
    office.refuse = null;
    await one.send(null);
    expect(office.submitted).toEqual(['d1']);
  });

  it('goes on with a letter that was taken back; one under review gets a draft again', async () => {
    const one = composer();
    await one.open({ kind: 'new', accountId: 'a2', subject: 'Báo cáo' });
    const gone = await one.send({ seconds: 10 });
    expect(gone.draftId).toBeNull();
    office.drafts.clear();
    const two = composer();
    two.resume(gone, one.senders);
    await pass(3000);
    expect([two.letter.subject, office.drafts.size]).toEqual(['Báo cáo', 1]);
  });

  it('moves to the other account with its files, its signature and its draft', async () => {
    const one = composer();
    await one.open({ kind: 'new', accountId: 'a1' });
    one.uploads.add([new File(['x'], 'a.pdf', { type: 'application/pdf' })], { upload: 1e6, perMessage: null }, []);
    await pass(3000);
    expect([one.letter.enclosures[0]?.blobId, office.drafts.size]).toEqual(['a1-a.pdf', 1]);
    await one.sendAs(one.senders[1] as Sender);
    expect(one.letter).toMatchObject({ accountId: 'a2', signature: '<p>Ban</p>', enclosures: [{ blobId: 'a2-a1-a.pdf' }] });
    await pass(3000);
    expect([...office.drafts.values()].map((draft) => draft['mailboxIds'])).toEqual([{ 'a2-drafts': true }]);
  });

  it('changes between plain and formatted', async () => {
    const one = composer();
    await one.open({ kind: 'new', accountId: 'a1' });
    one.editor = () => '<p>một</p><p><b>hai</b></p>';
    one.setPlain(true);
    expect(one.letter).toMatchObject({ plain: true, body: 'một\nhai', signature: 'Văn An' });
    one.setPlain(false);
    expect(one.letter).toMatchObject({ plain: false, body: '<p>một</p><p>hai</p>', signature: '<p>Văn An</p>' });
  });

  it('is thrown away with its draft', async () => {
    const one = composer();
    await one.open({ kind: 'new', accountId: 'a1' });
    one.change({ subject: 'x' });
    await pass(3000);
    await one.discard();
    await pass(60_000);
    expect([office.drafts.size, copies().all()]).toEqual([0, []]);
  });
});
