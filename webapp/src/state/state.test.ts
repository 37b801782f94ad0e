import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ACCOUNT, FakeServer } from '../jmap/fake';
import { destroy, move, setKeyword } from './actions';
import { connection } from './connection.svelte';
import { emailsOf } from './emails.svelte';
import { EmailList } from './list.svelte';
import { mailboxesOf } from './mailboxes.svelte';
import { mailSession } from './jmap.svelte';
import { done, undo } from './undo.svelte';

let server: FakeServer;

beforeEach(() => {
  connection.forget();
  server = new FakeServer();
  server.mailbox('m1', 'INBOX', 'inbox');
  server.mailbox('m2', 'Archive', 'archive');
  for (let n = 0; n < 180; n++) server.email(`e${n}`, 'm1', { receivedAt: new Date(Date.UTC(2026, 10, 25) - n * 60_000).toISOString() });
  vi.stubGlobal('fetch', server.fetch);
});

const inbox = () => new EmailList({ accountId: ACCOUNT, filter: { inMailbox: 'm1' }, collapse: true });
const row = (list: EmailList, index: number) => {
  const found = list.row(index);
  if (!found) throw new Error(`no row ${index}`);
  return found;
};

describe('a list', () => {
  it('knows the windows that were looked at, and how many there are in all', async () => {
    const list = inbox();
    await list.need(0, 20);
    expect([list.total, list.row(0)?.id, list.row(49)?.id, list.row(50)]).toEqual([180, 'e0', 'e49', undefined]);
    await list.need(120, 140);
    expect([list.row(120)?.id, list.row(149)?.id, list.row(60)]).toEqual(['e120', 'e149', undefined]);
    const asked = server.calls.length;
    await list.need(121, 139);
    expect(server.calls.length).toBe(asked);
    expect(list.indexOfThread('te120')).toBe(120);
  });

  it('asks again for what is seen, and forgets what may have moved', async () => {
    const list = inbox();
    await list.need(0, 10);
    await list.need(160, 179);
    server.email('new', 'm1', { receivedAt: '2026-11-26T00:00:00Z' });
    await list.refresh();
    expect([list.total, list.row(0), list.row(150 + 11)?.id]).toEqual([181, undefined, 'e160']);
  });

  it('tells that it could not be read, and is whole again afterwards', async () => {
    const list = inbox();
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('offline')));
    await list.need(0, 10);
    expect(list.failure).toMatchObject({ kind: 'offline' });
    vi.stubGlobal('fetch', server.fetch);
    await list.refresh();
    expect([list.failure, list.total]).toEqual([null, 180]);
  });
});

describe('an action', () => {
  it('moves at once, and undo brings back', async () => {
    const list = inbox();
    await list.need(0, 10);
    const first = row(list, 0);
    const moving = move(ACCOUNT, [first], 'm2', list, [first.id]);
    expect([list.total, list.row(0)?.id]).toEqual([179, 'e1']);
    const back = await moving;
    expect(server.emails.get('e0')?.mailboxIds).toEqual({ m2: true });
    done('Đã chuyển', 'Hoàn tác', back);
    await undo();
    expect(server.emails.get('e0')?.mailboxIds).toEqual({ m1: true });
    expect([list.total, list.row(0)?.id]).toEqual([180, 'e0']);
  });

  it('is taken back when the server refuses', async () => {
    const list = inbox();
    await list.need(0, 10);
    server.refusal = 'Không được phép.';
    const first = row(list, 0);
    await expect(move(ACCOUNT, [first], 'm2', list, [first.id])).rejects.toMatchObject({ type: 'forbidden', message: 'Không được phép.' });
    expect([list.total, list.row(0)?.id, list.row(0)?.mailboxIds]).toEqual([180, 'e0', { m1: true }]);
    await expect(setKeyword(ACCOUNT, [first], '$seen', true)).rejects.toBeDefined();
    expect(list.row(0)?.keywords).toEqual({});
    await expect(destroy(ACCOUNT, [first], list, [first.id])).rejects.toBeDefined();
    expect(list.total).toBe(180);
  });

  it('sets a keyword on those that lack it, and undo takes it from those alone', async () => {
    const list = inbox();
    server.email('e1', 'm1', { keywords: { $flagged: true }, receivedAt: '2026-11-24T23:59:00Z' });
    await list.need(0, 10);
    const back = await setKeyword(ACCOUNT, [row(list, 0), row(list, 1)], '$flagged', true);
    expect(server.emails.get('e0')?.keywords).toEqual({ $flagged: true });
    await back();
    expect([server.emails.get('e0')?.keywords, server.emails.get('e1')?.keywords]).toEqual([{}, { $flagged: true }]);
  });
});

describe('what is kept', () => {
  it('follows the server', async () => {
    const list = inbox();
    await list.need(0, 10);
    const emails = emailsOf(ACCOUNT);
    server.email('e0', 'm1', { keywords: { $seen: true } });
    server.note('Email', 'e0', 'updated');
    server.emails.delete('e1');
    server.note('Email', 'e1', 'destroyed');
    await emails.sync();
    expect([emails.get('e0')?.keywords, emails.get('e1')]).toEqual([{ $seen: true }, undefined]);
  });

  it('reads a conversation whole', async () => {
    server.email('x1', 'm1', { threadId: 'tx', receivedAt: '2026-11-26T01:00:00Z' });
    server.email('x2', 'm2', { threadId: 'tx', receivedAt: '2026-11-26T02:00:00Z' });
    const list = inbox();
    await list.need(0, 10);
    expect(emailsOf(ACCOUNT).thread('tx').map((email) => email.id)).toEqual(['x1', 'x2']);
    connection.forget();
    const emails = emailsOf(ACCOUNT);
    const members = await emails.members([{ ...row(list, 0) }]);
    expect(members.map((email) => email.id)).toEqual(['x1', 'x2']);
  });

  it('holds folders, makes, renames and removes them', async () => {
    const mailboxes = mailboxesOf(ACCOUNT);
    await mailboxes.load();
    expect(mailboxes.withRole('inbox')?.unreadEmails).toBe(180);
    const id = await mailboxes.create('Dự án', null);
    await mailboxes.rename(id, 'Dự án cầu');
    expect(mailboxes.get(id)?.name).toBe('Dự án cầu');
    server.refusal = 'Không.';
    await expect(mailboxes.rename(id, 'X')).rejects.toBeDefined();
    expect(mailboxes.get(id)?.name).toBe('Dự án cầu');
    await expect(mailboxes.destroy(id)).rejects.toBeDefined();
    server.refusal = null;
    await mailboxes.destroy(id);
    expect(mailboxes.get(id)).toBeUndefined();
    server.mailbox('m9', 'Khác');
    server.note('Mailbox', 'm9', 'created');
    await mailboxes.sync();
    expect(mailboxes.get('m9')?.name).toBe('Khác');
  });

  it('opens the accounts that hold mail', async () => {
    await mailSession.open();
    expect([mailSession.primary, mailSession.accounts.map((account) => account.name)]).toEqual([ACCOUNT, ['ltmai@khanhhoa.example']]);
  });
});
