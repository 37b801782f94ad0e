// A letter from its bodies alone, at a server that makes none ready (no EmailView): the browser's own cleaner is the only one.
import type { Email, EmailView } from '../jmap/types';

export const BODIES = ['textBody', 'htmlBody', 'attachments', 'bodyValues'];

export function bareView(email: Email): EmailView {
  const values = (parts: Email['textBody']) => parts.flatMap((part) => (part.partId === null ? [] : (email.bodyValues[part.partId] ?? [])));
  const html = values(email.htmlBody.filter((part) => part.type === 'text/html'));
  const text = values(email.textBody.filter((part) => part.type === 'text/plain'));
  return {
    id: email.id,
    html: html.length > 0 ? html.map((value) => value.value).join('<hr>') : null,
    hadRemote: html.some((value) => /<img[^>]+src\s*=\s*["']?https?:/i.test(value.value)),
    text: text.map((value) => value.value).join('\n\n'),
    textIsFromHtml: text.length === 0,
    isTruncated: [...html, ...text].some((value) => value.isTruncated),
    attachments: email.attachments.map(({ partId, blobId, name, type, size, cid }) => ({
      partId, blobId, name, type, declaredType: type, detectedType: null, size, cid, isDangerous: false, isShown: false,
    })),
  };
}
