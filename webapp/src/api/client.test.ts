import { describe, expect, it, vi } from 'vitest';
import { Client, Problem } from './client';

function answering(...answers: Response[]) {
  const calls: [string, RequestInit][] = [];
  const fetcher = vi.fn((input: RequestInfo | URL, init?: RequestInit) => {
    calls.push([String(input), init ?? {}]);
    const next = answers.shift();
    return next ? Promise.resolve(next) : Promise.reject(new TypeError('offline'));
  });
  return { client: new Client(() => 'vi', fetcher as typeof fetch), calls };
}

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
const header = (call: [string, RequestInit] | undefined, name: string) =>
  (call?.[1].headers as Record<string, string> | undefined)?.[name];

describe('client', () => {
  it('carries the token of the session in every unsafe request', async () => {
    const { client, calls } = answering(json({ csrf: 'abc', person: { name: 'Mai' } }), json({}), json({ reviews: [] }));
    await client.signIn('ltmai@bqlctgt', 'x');
    await client.withdraw('7');
    await client.reviews('awaiting');
    expect(header(calls[0], 'X-CSRF-Token')).toBeUndefined();
    expect(header(calls[1], 'X-CSRF-Token')).toBe('abc');
    expect(header(calls[2], 'X-CSRF-Token')).toBeUndefined();
    expect(header(calls[2], 'Accept-Language')).toBe('vi');
  });

  it('words a problem with its article', async () => {
    const citation = { rule: 'S9.1', instrument: 'Quy định', article: 9, text: 'Điều 9' };
    const { client } = answering(json({ kind: 'ownMessage', detail: 'Không được.', citation }, 403));
    const problem = await client.decide('1', 'approve', 'd').catch((e: unknown) => e);
    expect(problem).toBeInstanceOf(Problem);
    expect(problem).toMatchObject({ status: 403, kind: 'ownMessage', message: 'Không được.', citation });
  });

  it('tells that the session has ended, and that nobody answers', async () => {
    const { client } = answering(json({ kind: 'unauthenticated', detail: '' }, 401));
    const ended = vi.fn();
    client.onSignedOut = ended;
    await expect(client.me()).rejects.toMatchObject({ kind: 'unauthenticated' });
    expect(ended).toHaveBeenCalledOnce();
    await expect(client.me()).rejects.toMatchObject({ kind: 'offline' });
  });

  it('survives an answer that is no JSON', async () => {
    const { client } = answering(new Response('<html>', { status: 502 }));
    await expect(client.me()).rejects.toMatchObject({ status: 502, kind: 'fault' });
  });
});
