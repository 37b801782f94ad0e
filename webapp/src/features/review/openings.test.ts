import { expect, it, vi } from 'vitest';
import type { Client, ReviewDetail } from '../../api/client';
import { openPart, unopened } from './openings';

const attachment = (index: number, name: string, opened: boolean) =>
  ({ index, name, opened }) as ReviewDetail['attachments'][number];

it('names what is still to be opened, in order', () => {
  const review = {
    id: '7',
    textOpened: false,
    attachments: [attachment(0, 'a.pdf', true), attachment(1, 'b.pdf', false)],
  };
  expect(unopened(review, 'toàn bộ thư')).toEqual([
    { key: 'text', name: 'toàn bộ thư', path: '/api/v1/reviews/7/message' },
    { key: '1', name: 'b.pdf', path: '/api/v1/reviews/7/attachments/1' },
  ]);
  expect(unopened({ ...review, textOpened: true, attachments: [] }, 'toàn bộ thư')).toEqual([]);
});

it('fetches a part by the interface and saves it under its name', async () => {
  const file = vi.fn(() => Promise.resolve(new Blob(['x'])));
  const click = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => undefined);
  URL.createObjectURL = () => 'blob:x';
  await openPart({ file } as unknown as Client, { key: '1', name: 'b.pdf', path: '/p' });
  expect(file).toHaveBeenCalledWith('/p');
  expect((click.mock.instances[0] as unknown as HTMLAnchorElement).download).toBe('b.pdf');
});
