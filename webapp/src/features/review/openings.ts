// What a reviewer has still to open before they may approve (S9.1, Điều 9), and how it is opened.
import { type Client, link, type ReviewDetail } from '../../api/client';

/** A part of a message that is opened by itself; the text, when it is too long to be shown, is opened as the message. */
export type Part = { key: string; name: string; path: string };

export function attachmentPart(review: Pick<ReviewDetail, 'id'>, attachment: { index: number; name: string }): Part {
  return { key: String(attachment.index), name: attachment.name, path: link.attachment(review.id, attachment.index) };
}

/** The parts that the person has not opened yet, in order. */
export function unopened(
  review: Pick<ReviewDetail, 'id' | 'textOpened' | 'attachments'>,
  wholeMessage: string,
): Part[] {
  const text = review.textOpened ? [] : [{ key: 'text', name: wholeMessage, path: link.message(review.id) }];
  return [...text, ...review.attachments.filter((a) => !a.opened).map((a) => attachmentPart(review, a))];
}

/** Fetches a part, which the server notes, and gives it to the browser to be saved. */
export async function openPart(client: Client, part: Part): Promise<void> {
  const url = URL.createObjectURL(await client.file(part.path));
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = part.key === 'text' ? 'message.eml' : part.name;
  anchor.click();
  // The browser reads it at its leisure.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
