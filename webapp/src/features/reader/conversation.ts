// A conversation as it is read: which letters are open, and what of an email is shown.
import type { AttachmentView, EmailAddress, EmailRow, EmailView, Id } from '../../jmap/types';

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

/** What is attached for people: what the letter shows in its place is not listed again. */
export function attachmentsOf(view: EmailView): AttachmentView[] {
  return view.attachments.filter((part) => !part.isShown);
}
