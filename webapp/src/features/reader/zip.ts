// Several files as one, stored and not compressed (what is attached is compressed already): the plain half of APPNOTE 6.3.

export interface File {
  name: string;
  bytes: Uint8Array;
}

const TABLE = Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Numbers of two and four bytes, the low byte first. */
function fields(...values: [size: 2 | 4, value: number][]): Uint8Array {
  const bytes: number[] = [];
  for (const [size, value] of values) for (let at = 0; at < size; at++) bytes.push((value >>> (8 * at)) & 0xff);
  return Uint8Array.from(bytes);
}

/** Names told apart, without paths: an archive that is unpacked stays in its folder. */
export function names(files: readonly { name: string }[]): string[] {
  const taken = new Set<string>();
  return files.map(({ name }) => {
    // eslint-disable-next-line no-control-regex
    const plain = name.replace(/[\\/:*?"<>|\u0000-\u001f]/g, '_').replace(/^\.+/, '_') || 'file';
    const dot = plain.lastIndexOf('.') > 0 ? plain.lastIndexOf('.') : plain.length;
    let free = plain;
    for (let n = 2; taken.has(free.toLowerCase()); n++) free = `${plain.slice(0, dot)} (${n})${plain.slice(dot)}`;
    taken.add(free.toLowerCase());
    return free;
  });
}

/** The archive. Names are UTF-8 (flag bit 11). */
export function zip(files: readonly File[]): Blob {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  const all = names(files);
  files.forEach(({ bytes }, at) => {
    const name = new TextEncoder().encode(all[at]);
    const common: [2 | 4, number][] = [
      [2, 20], [2, 0x0800], [2, 0], [2, 0], [2, 0x21], [4, crc32(bytes)], [4, bytes.length], [4, bytes.length], [2, name.length], [2, 0],
    ];
    const head = fields([4, 0x04034b50], ...common);
    parts.push(head, name, bytes);
    directory.push(fields([4, 0x02014b50], [2, 20], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), name);
    offset += head.length + name.length + bytes.length;
  });
  const size = directory.reduce((sum, piece) => sum + piece.length, 0);
  const end = fields([4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, size], [4, offset], [2, 0]);
  return new Blob([...parts, ...directory, end] as BlobPart[], { type: 'application/zip' });
}
