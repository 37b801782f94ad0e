import { describe, expect, it } from 'vitest';
import type { Enclosure } from './letter';
import { Uploads } from './uploads.svelte';

const file = (name: string, size: number, type = 'application/pdf') => new File([new Uint8Array(size)], name, { type });
const limits = { upload: 1_000_000, perMessage: 1000 };
const settle = () => new Promise((resolve) => setTimeout(resolve));

function depot() {
  const under: { name: string; done: () => void; cut: () => void; progress: (sent: number) => void }[] = [];
  const arrived: Enclosure[] = [];
  const uploads = new Uploads(
    (one, progress, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        under.push({ name: one.name, progress, done: () => resolve({ blobId: `b-${one.name}`, size: one.size, type: one.type }), cut: () => reject(new Error('cut')) });
      }),
    (enclosure) => arrived.push(enclosure),
  );
  return { uploads, under, arrived };
}

describe('uploads', () => {
  it('go two at a time and become enclosures', async () => {
    const { uploads, under, arrived } = depot();
    expect(uploads.add([file('a', 1), file('b', 2), file('c', 3)], limits, [])).toEqual([]);
    expect(under.map(({ name }) => name)).toEqual(['a', 'b']);
    under[0]?.progress(1);
    expect(uploads.all[0]).toMatchObject({ state: 'sending', sent: 1 });
    under[0]?.done();
    await settle();
    expect(under).toHaveLength(3);
    expect(arrived).toEqual([{ blobId: 'b-a', name: 'a', type: 'application/pdf', size: 1, cid: null }]);
  });

  it('that do not fit are told before a byte is sent', () => {
    const { uploads, under } = depot();
    const there = [{ blobId: 'x', name: 'x', type: '', size: 400, cid: null }];
    const refused = uploads.add([file('large', 2000), file('a', 300), file('b', 400)], limits, there);
    expect(refused.map(({ file: one, why }) => [one.name, why.kind])).toEqual([['large', 'file'], ['b', 'sum']]);
    expect(under.map(({ name }) => name)).toEqual(['a']);
  });

  it('that were cut off are tried again, whole', async () => {
    const { uploads, under, arrived } = depot();
    uploads.add([file('a', 10)], limits, []);
    under[0]?.progress(9);
    under[0]?.cut();
    await settle();
    const [upload] = uploads.all;
    expect([upload?.state, uploads.busy]).toEqual(['failed', false]);
    uploads.retry(upload?.id ?? '');
    expect(uploads.all[0]).toMatchObject({ state: 'sending', sent: 0 });
    under[1]?.done();
    await settle();
    expect([uploads.all, arrived.length]).toEqual([[], 1]);
  });

  it('can be given up, and make room for the next', async () => {
    const { uploads, under, arrived } = depot();
    uploads.add([file('a', 1), file('b', 1), file('c', 1)], limits, []);
    uploads.cancel(uploads.all[0]?.id ?? '');
    await settle();
    under[0]?.done();
    await settle();
    expect(under.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(arrived).toEqual([]);
    uploads.stop();
    expect(uploads.all).toEqual([]);
  });
});
