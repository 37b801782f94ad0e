import { describe, expect, it } from 'vitest';
import type { Invocation } from './saving';
import { envelope, mark, send, type Sending, sentBefore, takeBack } from './sending';

function answering(...answers: Invocation[]) {
  const asked: Invocation[] = [];
  return { asked, call: async (calls: Invocation[]) => calls.map((one) => (asked.push(one), answers.shift() ?? one)) };
}

const sending: Sending = {
  accountId: 'a1', emailId: 'e9', identityId: 'i1', from: 'ban@a.example', hold: { seconds: 12 }, sentId: 'm3',
  to: [{ name: 'Sở', email: 'so@a.example' }, { name: null, email: 'SO@a.example' }],
};

describe('sending', () => {
  // RFC 4865 §4
  it('waits so long, or until then', () => {
    expect(envelope(sending)).toEqual({
      mailFrom: { email: 'ban@a.example', parameters: { HOLDFOR: '12' } }, rcptTo: [{ email: 'SO@a.example', parameters: null }],
    });
    expect(envelope({ ...sending, hold: { until: new Date('2026-11-30T00:30:00.123Z') } })).toMatchObject({
      mailFrom: { parameters: { HOLDUNTIL: '2026-11-30T00:30:00Z' } },
    });
    expect(envelope({ ...sending, hold: null })).toMatchObject({ mailFrom: { parameters: null } });
  });

  it('files what was sent, and leaves to the server what is reviewed', async () => {
    const made: Invocation = ['EmailSubmission/set', { created: { sending: { id: 's1', undoStatus: 'pending', sendAt: '2026-11-25T02:00:00Z' } } }];
    const plain = answering(made);
    expect(await send(plain.call, sending)).toEqual({ id: 's1', undoStatus: 'pending', sendAt: '2026-11-25T02:00:00Z' });
    expect(plain.asked[0]?.[1]).toMatchObject({
      create: { sending: { identityId: 'i1', emailId: 'e9' } },
      onSuccessUpdateEmail: { '#sending': { mailboxIds: { m3: true }, 'keywords/$draft': null } },
    });
    const reviewed = answering(made);
    await send(reviewed.call, { ...sending, sentId: null });
    expect(reviewed.asked[0]?.[1]).toMatchObject({ onSuccessDestroyEmail: ['#sending'] });
  });

  it('says what the server refused', async () => {
    const { call } = answering(['EmailSubmission/set', { notCreated: { sending: { type: 'invalidRecipients', description: 'Không có người nhận này.' } } }]);
    await expect(send(call, sending)).rejects.toMatchObject({ type: 'invalidRecipients', message: 'Không có người nhận này.' });
  });

  it('finds what was sent although the answer was lost, and not what was taken back', async () => {
    const list = [{ id: 's1', undoStatus: 'canceled', sendAt: null }, { id: 's2', undoStatus: 'final', sendAt: null }];
    const { call } = answering(['EmailSubmission/query', { ids: ['s1', 's2'] }], ['EmailSubmission/get', { list }]);
    expect(await sentBefore(call, 'a1', 'e9')).toMatchObject({ id: 's2' });
    expect(await sentBefore(answering(['EmailSubmission/query', { ids: [] }]).call, 'a1', 'e9')).toBeNull();
    await expect(sentBefore(answering(['error', { type: 'serverFail' }]).call, 'a1', 'e9')).rejects.toMatchObject({ type: 'serverFail' });
  });

  it('is taken back, and the message is a draft again', async () => {
    const { asked, call } = answering(['EmailSubmission/set', { updated: { s1: null } }]);
    await takeBack(call, 'a1', 's1', 'm2');
    expect(asked[0]?.[1]).toEqual({
      accountId: 'a1', update: { s1: { undoStatus: 'canceled' } },
      onSuccessUpdateEmail: { s1: { mailboxIds: { m2: true }, 'keywords/$draft': true } },
    });
    const late = answering(['EmailSubmission/set', { notUpdated: { s1: { type: 'cannotUnsend' } } }]);
    await expect(takeBack(late.call, 'a1', 's1', null)).rejects.toMatchObject({ type: 'cannotUnsend' });
  });

  it('marks what was answered', async () => {
    const { asked, call } = answering();
    await mark(call, 'a1', 'e1', '$answered', true);
    await mark(call, 'a1', 'e1', '$answered', false);
    expect(asked.map(([, args]) => args['update'])).toEqual([{ e1: { 'keywords/$answered': true } }, { e1: { 'keywords/$answered': null } }]);
  });
});
