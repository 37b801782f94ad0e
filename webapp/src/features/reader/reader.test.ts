import { describe, expect, it } from 'vitest';
import type { AttachmentView, EmailRow, EmailView } from '../../jmap/types';
import { authenticity } from './authenticity';
import { attachmentsOf, expanded, full, initials } from './conversation';
import { isShown, shownKind } from './files';
import { crc32, names, zip } from './zip';

const row = (id: string, ...keywords: string[]) => ({ id, keywords: Object.fromEntries(keywords.map((k) => [k, true])) }) as unknown as EmailRow;
const part = (more: Partial<AttachmentView>) => ({ blobId: 'b', size: 10, name: null, type: 'text/plain', isShown: false, ...more }) as AttachmentView;

describe('a conversation', () => {
  it('opens what is unread, and the last', () => {
    expect([...expanded([row('a', '$seen'), row('b'), row('c', '$seen'), row('d', '$draft')])]).toEqual(['b', 'c']);
    expect([...expanded([row('d', '$draft')])]).toEqual(['d']);
    expect([...expanded([])]).toEqual([]);
  });

  it('names people', () => {
    expect(full({ name: 'Mai', email: 'm@x' })).toBe('Mai <m@x>');
    expect([initials('Lê Thị Đào'), initials('sonoivu@x.example'), initials('')]).toEqual(['LĐ', 'S', '?']);
  });

  it('lists no picture twice', () => {
    const view = { attachments: [part({ name: 'logo.png', isShown: true }), part({ name: 'a.pdf' })] } as EmailView;
    expect(attachmentsOf(view).map((a) => a.name)).toEqual(['a.pdf']);
  });
});

it('a sender is said to be genuine only when the server found so', () => {
  const judge = (results: string[], from = 'a@so.example') => authenticity(results, from, 'mai@khanhhoa.example').words;
  expect(judge(['mail.khanhhoa.example; spf=fail; dmarc=pass header.from=so.example', 'x; dmarc=fail'])).toBe('auth.pass');
  expect(judge(['mail; dmarc=fail'])).toBe('auth.fail');
  expect(judge(['mail; dkim=pass header.d=so.example; dmarc=none'])).toBe('auth.pass');
  expect(judge(['mail; dkim=pass header.d=evil-so.example.net; dmarc=none'])).toBe('auth.none');
  expect(judge(['mail; dkim=pass header.d=other.example; dmarc=none'])).toBe('auth.none');
  expect([judge([]), judge([], 'x@KHANHHOA.example')]).toEqual(['auth.unknown', 'auth.inside']);
});

describe('an archive', () => {
  const files = [
    { name: 'Báo cáo.txt', bytes: new TextEncoder().encode('xin chào') },
    { name: '../../etc/báo cáo.TXT', bytes: new Uint8Array() },
    { name: 'báo cáo.txt', bytes: new Uint8Array([1, 2, 3]) },
  ];

  it('has its records where its end says they are', async () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
    const bytes = new DataView(await zip(files).arrayBuffer());
    const end = bytes.byteLength - 22;
    expect([bytes.getUint32(end, true), bytes.getUint16(end + 10, true)]).toEqual([0x06054b50, 3]);
    let at = bytes.getUint32(end + 16, true);
    const sizes: number[] = [];
    for (let n = 0; n < 3; n++) {
      expect(bytes.getUint32(at, true)).toBe(0x02014b50);
      expect(bytes.getUint32(bytes.getUint32(at + 42, true), true)).toBe(0x04034b50);
      sizes.push(bytes.getUint32(at + 20, true));
      at += 46 + bytes.getUint16(at + 28, true);
    }
    expect([sizes, at]).toEqual([[9, 0, 3], end]);
  });

  it('keeps names apart and within the folder', () => {
    expect(names([{ name: '' }, { name: '..' }, { name: 'A' }, { name: 'a' }])).toEqual(['file', '_', 'A', 'a (2)']);
  });
});

it('what only says that it is a PDF is not shown as one', async () => {
  const pdf = part({ type: 'application/pdf' });
  expect(isShown(pdf)).toBe(true);
  expect(isShown(part({ type: 'text/html' }))).toBe(false);
  expect(await shownKind(pdf, new Blob(['%PDF-1.4']))).toBe('pdf');
  expect(await shownKind(pdf, new Blob(['<script>']))).toBeNull();
});
