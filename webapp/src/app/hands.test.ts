import { beforeEach, expect, it, vi } from 'vitest';
import { ACCOUNT, FakeServer } from '../jmap/fake';
import { connection } from '../state/connection.svelte';
import { mailboxesOf } from '../state/mailboxes.svelte';
import { toasts } from '../ui/toasts.svelte';
import { registerComposer } from './compose.svelte';
import { Desk, filterAt } from './desk.svelte';
import { Hands } from './hands.svelte';
import { go, mailPath, type MailRoute, parse, route } from './router.svelte';

let server: FakeServer;
let wide = true;

async function at(mailbox: string, thread: string | null = null): Promise<{ desk: Desk; hands: Hands }> {
  go(mailPath({ account: ACCOUNT, mailbox, thread }));
  const here = () => route() as MailRoute;
  const desk = new Desk(ACCOUNT, filterAt(ACCOUNT, here(), []), false, mailbox);
  await desk.seen(0, 10);
  return { desk, hands: new Hands(() => ({ desk, at: here(), wide })) };
}

const thread = () => (route() as MailRoute).thread;

beforeEach(async () => {
  connection.forget();
  server = new FakeServer();
  for (const [id, name, role] of [['m1', 'INBOX', 'inbox'], ['m2', 'Archive', 'archive'], ['m3', 'Trash', 'trash']] as const) server.mailbox(id, name, role);
  for (let n = 0; n < 3; n++) server.email(`e${n}`, 'm1', { receivedAt: `2026-11-25T0${9 - n}:00:00Z` });
  server.email('old', 'm3');
  vi.stubGlobal('fetch', server.fetch);
  await mailboxesOf(ACCOUNT).load();
  wide = true;
});

it('goes on to the next when the open one is archived, and back to the list where there is one pane', async () => {
  const { desk, hands } = await at('m1', 'te1');
  await hands.act('archive', desk.rows(thread()));
  expect([thread(), server.emails.get('e1')?.mailboxIds]).toEqual(['te2', { m2: true }]);
  expect(toasts.all.at(-1)?.text).toContain('Lưu trữ');
  wide = false;
  await hands.act('archive', desk.rows(thread()));
  expect(thread()).toBeNull();
});

it('stays with the open one when the server refuses', async () => {
  const { desk, hands } = await at('m1', 'te1');
  server.refusal = 'Không được phép.';
  await hands.act('archive', desk.rows(thread()));
  expect([thread(), desk.list.total, toasts.all.at(-1)?.text]).toEqual(['te1', 3, 'Không được phép.']);
});

it('asks before anything is removed for good', async () => {
  const { desk, hands } = await at('m3');
  desk.selection.toggle(0);
  await hands.act('trash', desk.rows(null));
  expect([hands.confirming?.length, server.emails.has('old')]).toEqual([1, true]);
  await hands.act('trash', hands.confirming ?? []);
  expect([hands.confirming, server.emails.has('old')]).toEqual([null, false]);
});

it('works by keys', async () => {
  const { desk, hands } = await at('m1');
  const press = (key: string) => hands.key(new KeyboardEvent('keydown', { key }));
  press('j');
  press('j');
  expect(desk.selection.cursor).toBe(1);
  press('Enter');
  expect(thread()).toBe('te1');
  press('k');
  expect(thread()).toBe('te0');
  press('u');
  expect(thread()).toBeNull();
  press('x');
  expect(desk.selection.ids).toEqual(['e0']);
  press('s');
  await vi.waitFor(() => expect(server.emails.get('e0')?.keywords).toEqual({ $flagged: true }));
  press('Escape');
  expect(desk.selection.size).toBe(0);
});

it('opens a draft to be written on, and answers what is open', async () => {
  const asked = vi.fn();
  const leave = registerComposer(asked);
  server.email('d', 'm1', { keywords: { $draft: true }, receivedAt: '2026-11-26T00:00:00Z' });
  const { desk, hands } = await at('m1');
  const draft = desk.list.row(0);
  if (draft) hands.open(draft);
  go(mailPath({ account: ACCOUNT, mailbox: 'm1', thread: 'te2' }));
  hands.run('replyAll');
  expect(asked.mock.calls.map(([request]) => request as unknown)).toEqual([
    { kind: 'draft', accountId: ACCOUNT, emailId: 'd' }, { kind: 'replyAll', accountId: ACCOUNT, emailId: 'e2' },
  ]);
  leave();
});

it('moves what is dragged: the row, or all that are chosen', async () => {
  const { desk, hands } = await at('m1');
  desk.selection.all(['e0', 'e1']);
  const row = desk.list.row(0);
  if (row) hands.drag(row, { dataTransfer: null } as DragEvent);
  expect(hands.dragged.length).toBe(2);
  hands.drop('m2');
  await vi.waitFor(() => expect(server.emails.get('e1')?.mailboxIds).toEqual({ m2: true }));
  expect(parse(location.pathname)).toMatchObject({ mailbox: 'm1' });
});
