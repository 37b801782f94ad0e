import { describe, expect, it, vi } from 'vitest';
import { Call, fill, JmapClient, JmapError, requests } from './client';
import { CORE, type Invocation } from './types';

const session = {
  capabilities: { [CORE]: { maxCallsInRequest: 3, maxObjectsInGet: 2, maxObjectsInSet: 2 } },
  accounts: {}, primaryAccounts: {}, username: 'ltmai', apiUrl: '/jmap/api',
  downloadUrl: '/jmap/download/{accountId}/{blobId}/{name}?type={type}', uploadUrl: '/jmap/upload/{accountId}/', eventSourceUrl: '', state: 's',
};

/** A server that answers each method by a function. */
function serving(methods: Record<string, (args: Record<string, unknown>) => unknown>) {
  const posted: Invocation[][] = [];
  const fetcher = vi.fn((input: RequestInfo | URL, init?: RequestInit) => {
    if (String(input).startsWith('/.well-known')) return Promise.resolve(new Response(JSON.stringify(session)));
    const calls = (JSON.parse(String(init?.body)) as { methodCalls: Invocation[] }).methodCalls;
    posted.push(calls);
    const methodResponses = calls.map(([name, args, id]) => {
      const answer = methods[name]?.(args) ?? { type: 'unknownMethod' };
      return [(answer as { type?: string }).type ? 'error' : name, answer, id];
    });
    return Promise.resolve(new Response(JSON.stringify({ methodResponses, sessionState: 's' })));
  });
  const signedOut = vi.fn();
  const client = new JmapClient({ headers: () => ({ 'X-CSRF-Token': 'abc' }), signedOut, fetch: fetcher as typeof fetch });
  return { client, posted, fetcher, signedOut };
}

describe('client', () => {
  it('sends the calls of one turn in one request, with references between them', async () => {
    const { client, posted, fetcher } = serving({ 'Email/query': () => ({ ids: ['e1'] }), 'Email/get': () => ({ list: [{ id: 'e1' }] }) });
    const query = client.call<{ ids: string[] }>('Email/query', { accountId: 'a1' });
    const get = client.call<{ list: unknown[] }>('Email/get', { accountId: 'a1', '#ids': query.ref('/ids') });
    expect((await query).ids).toEqual(['e1']);
    expect((await get).list).toEqual([{ id: 'e1' }]);
    expect(posted).toHaveLength(1);
    expect(posted[0]?.[1]?.[1]).toMatchObject({ '#ids': { resultOf: query.id, name: 'Email/query', path: '/ids' } });
    expect(fetcher.mock.calls[1]?.[1]?.headers).toMatchObject({ 'X-CSRF-Token': 'abc' });
    expect(() => query.ref('/ids')).toThrow();
  });

  it('cuts what is too much for one request, and keeps references together', () => {
    const a = new Call('a', 'X', {}, 'u');
    const b = new Call('b', 'X', {}, 'u');
    const c = new Call('c', 'X', { '#ids': { resultOf: 'a', name: 'X', path: '' } }, 'u');
    const d = new Call('d', 'X', {}, 'u');
    expect(requests([a, b, c, d], 3).map((some) => some.map((call) => call.id))).toEqual([['a', 'c', 'b'], ['d']]);
  });

  it('tells a refused method by its type and its sentence', async () => {
    const { client } = serving({ 'Email/set': () => ({ type: 'forbidden', description: 'Không được.' }), 'Email/get': () => ({ list: [] }) });
    const set = client.call('Email/set', {});
    const get = client.call('Email/get', {});
    await expect(set.promise).rejects.toMatchObject({ type: 'forbidden', message: 'Không được.' });
    await expect(get.promise).resolves.toEqual({ list: [] });
  });

  it('follows the changes to their end', async () => {
    const rounds = [
      { created: ['e1'], updated: [], destroyed: [], newState: '2', hasMoreChanges: true },
      { created: [], updated: ['e1'], destroyed: ['e0'], newState: '3', hasMoreChanges: false },
    ];
    const { client, posted } = serving({ 'Email/changes': () => rounds.shift() });
    expect(await client.changes('Email', 'a1', '1')).toMatchObject({ created: ['e1'], updated: ['e1'], destroyed: ['e0'], newState: '3' });
    expect(posted.map((calls) => calls[0]?.[1]['sinceState'])).toEqual(['1', '2']);
  });

  it('says when everything is to be read anew', async () => {
    const { client } = serving({ 'Email/changes': () => ({ type: 'cannotCalculateChanges' }) });
    expect(await client.changes('Email', 'a1', '1')).toBeNull();
    const endless = serving({ 'Email/changes': () => ({ created: [], updated: [], destroyed: [], newState: '2', hasMoreChanges: true }) });
    expect(await endless.client.changes('Email', 'a1', '1')).toBeNull();
  });

  it('knows the end of the session, a request that was refused, and silence', async () => {
    const answers = [() => new Response('{"kind":"unauthenticated"}', { status: 401 }), () => new Response('x', { status: 500 })];
    const signedOut = vi.fn();
    const fetcher = () => (answers.length > 0 ? Promise.resolve(answers.shift()?.() as Response) : Promise.reject(new TypeError()));
    const client = new JmapClient({ headers: () => ({}), signedOut, fetch: fetcher as typeof fetch });
    await expect(client.session()).rejects.toMatchObject({ kind: 'unauthenticated' });
    expect(signedOut).toHaveBeenCalledOnce();
    await expect(client.call('X', {}).promise).rejects.toBeInstanceOf(JmapError);
    await expect(client.call('X', {}).promise).rejects.toMatchObject({ kind: 'offline' });
  });

  it('fills addresses in', async () => {
    const { client } = serving({});
    expect(await client.downloadUrl('a1', 'b1', 'báo cáo.pdf', 'application/pdf')).toBe(
      '/jmap/download/a1/b1/b%C3%A1o%20c%C3%A1o.pdf?type=application%2Fpdf',
    );
    expect(fill('{x}{y}', { x: '1' })).toBe('1');
  });
});
