// A conversation as it is read: which letters are open, and what of an email is shown.
import type { BodyPart, Email, EmailAddress, EmailRow, Id } from '../../jmap/types';

/** The letters that are open at first: those unread, and the last. Drafts are not read but written on. */
export function expanded(thread: readonly EmailRow[]): Set<Id> {
  const open = thread.filter((email) => !email.keywords['$seen'] && !email.keywords['$draft']).map((email) => email.id);
  const last = thread.filter((email) => !email.keywords['$draft']).at(-1) ?? thread.at(-1);
  return new Set(last ? [...open, last.id] : open);
}

/** "Lê Thị Mai <mai@…>", or the address alone. */
export function full(address: EmailAddress): string {
  return address.name?.trim() ? `${address.name.trim()} <${address.email}>` : address.email;
}

export function short(address: EmailAddress): string {
  return address.name?.trim() || address.email;
}

/** The two letters of a person without a picture: of the family name and of the given name. */
export function initials(name: string): string {
  const words = name.replace(/@.*$/, '').split(/[\s._-]+/).filter(Boolean);
  const first = words[0]?.charAt(0) ?? '?';
  const last = words.length > 1 ? (words.at(-1)?.charAt(0) ?? '') : '';
  return (first + last).toLocaleUpperCase('vi');
}

export interface Body {
  html: string | null;
  text: string;
  cut: boolean;
}

const valueOf = (email: Email, parts: readonly BodyPart[]) =>
  parts.flatMap((part) => (part.partId === null ? [] : (email.bodyValues[part.partId] ?? [])));

/** The body to show: HTML where there is some, and the words. */
export function bodyOf(email: Email): Body {
  const htmlParts = email.htmlBody.filter((part) => part.type === 'text/html');
  const text = valueOf(email, email.textBody.filter((part) => part.type === 'text/plain'));
  const html = valueOf(email, htmlParts);
  return {
    html: html.length > 0 ? html.map((value) => value.value).join('<hr>') : null,
    text: text.map((value) => value.value).join('\n\n'),
    cut: [...text, ...html].some((value) => value.isTruncated),
  };
}

/** What is attached for people: parts that the HTML shows in their places are not listed again. */
export function attachmentsOf(email: Email): BodyPart[] {
  const { html } = bodyOf(email);
  return email.attachments.filter((part) => !(html && part.cid && part.disposition !== 'attachment' && html.includes(`cid:${part.cid}`)));
}
