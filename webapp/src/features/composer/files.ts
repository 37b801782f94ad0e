// Files that are to go along: whether they fit, before a byte of them travels.
import type { Enclosure } from './letter';

export interface Limits {
  /** RFC 8620 §2 maxSizeUpload. */
  upload: number;
  /** RFC 8621 §1.3.1 maxSizeAttachmentsPerEmail; null where the server names none. */
  perMessage: number | null;
}

export type TooLarge = { kind: 'file'; limit: number } | { kind: 'sum'; limit: number; left: number };

/** What the files of a message may have together. Base64 makes four bytes of three, and a line end of each 57. */
export function room({ upload, perMessage }: Limits): number {
  const encoded = Math.floor(upload / (4 / 3 + 2 / 57)) - 64 * 1024;
  return Math.max(0, Math.min(encoded, perMessage ?? encoded));
}

/** Why a file cannot go along, or null. `there` is what the letter has already, with what is on its way. */
export function tooLarge(size: number, there: number, limits: Limits): TooLarge | null {
  const limit = room(limits);
  if (size > limit) return { kind: 'file', limit };
  return there + size > limit ? { kind: 'sum', limit, left: limit - there } : null;
}

export function total(enclosures: readonly Pick<Enclosure, 'size'>[]): number {
  return enclosures.reduce((sum, { size }) => sum + size, 0);
}

/** A content id for a picture within the text; nothing of the person or the machine is in it. */
export function newCid(): string {
  return `${hex(12)}@congvu.invalid`;
}

/** A name that no two windows share. */
export function hex(bytes: number): string {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What a pasted picture is called, since clipboards name each one image.png. */
export function nameOf(file: { name: string; type: string }, at: number): string {
  if (file.name && !/^image\.(png|jpe?g)$/i.test(file.name)) return file.name;
  const extension = file.type.split('/')[1]?.replace(/\+.*$/, '').replace('jpeg', 'jpg') || 'bin';
  return `hinh-${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}.${extension}`;
}

/** Whether a pasted or dropped file is a picture that mail programs show within a text. */
export function isPicture(type: string): boolean {
  return /^image\/(png|jpeg|gif|webp)$/.test(type);
}
