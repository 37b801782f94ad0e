// What is attached: fetched, saved, shown.
import type { AttachmentView, Id } from '../../jmap/types';
import { jmap } from '../../state/jmap.svelte';
import { zip } from './zip';

/** More at once than a browser should hold in memory. */
export const MOST_ZIPPED = 200_000_000;
/** A file larger than this is saved, not shown. */
const LARGEST_SHOWN = 30_000_000;
/** How a browser reads what it shows has to begin like what it says it is. */
const MAGIC: Record<string, RegExp> = {
  'application/pdf': /^%PDF-/,
  'image/png': /^\x89PNG/,
  'image/jpeg': /^\xff\xd8\xff/,
  'image/gif': /^GIF8/,
  'image/webp': /^RIFF....WEBP/s,
};

export function isShown(part: AttachmentView): boolean {
  return part.type in MAGIC && part.size <= LARGEST_SHOWN;
}

export async function fetchPart(accountId: Id, part: AttachmentView, fallback: string): Promise<Blob> {
  if (!part.blobId) throw new Error('no blob');
  return jmap.download(accountId, part.blobId, part.name ?? fallback, part.type);
}

/** The kind of what is to be shown, when it begins like it; nothing for what only says so. */
export async function shownKind(part: AttachmentView, blob: Blob): Promise<'pdf' | 'image' | null> {
  const head = String.fromCharCode(...new Uint8Array(await blob.slice(0, 16).arrayBuffer()));
  if (!MAGIC[part.type]?.test(head)) return null;
  return part.type === 'application/pdf' ? 'pdf' : 'image';
}

/** Gives bytes to the browser to be saved. */
export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  // The browser reads it at its leisure.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export async function zipParts(accountId: Id, parts: readonly AttachmentView[], fallback: string, progress: (done: number) => void): Promise<Blob> {
  const files: { name: string; bytes: Uint8Array }[] = [];
  for (const part of parts) {
    const blob = await fetchPart(accountId, part, fallback);
    files.push({ name: part.name ?? fallback, bytes: new Uint8Array(await blob.arrayBuffer()) });
    progress(files.length);
  }
  return zip(files);
}
