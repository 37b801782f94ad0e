// A letter as the JMAP object that makes a message of it (RFC 8621 §4.6), and a draft as the letter it was.
import { type Address, type Enclosure, type Importance, type Letter } from './letter';
import { sections, shownCids, whole } from './markup';
import { toText } from '../../ui/editor/text';
import { textOf } from './plain';

/** A part of a body, as far as it is made or read here (RFC 8621 §4.1.4). */
export interface Part {
  partId?: string | null;
  blobId?: string | null;
  size?: number;
  type: string;
  name?: string | null;
  disposition?: string | null;
  cid?: string | null;
  charset?: string | null;
  subParts?: Part[] | null;
}

/** What is asked of the server for a message that is answered, passed on or written further. */
export const PROPERTIES = [
  'id', 'blobId', 'threadId', 'mailboxIds', 'keywords', 'from', 'replyTo', 'to', 'cc', 'bcc', 'subject', 'messageId', 'inReplyTo',
  'references', 'sentAt', 'receivedAt', 'htmlBody', 'textBody', 'attachments', 'bodyValues',
  'header:Importance:asText', 'header:Disposition-Notification-To:asText',
] as const;
export const BODY_PROPERTIES = ['partId', 'blobId', 'size', 'name', 'type', 'disposition', 'cid'] as const;

/** A message that was read, as far as the composer needs it. */
export interface ReadEmail {
  id: string;
  blobId: string;
  size?: number;
  keywords: Record<string, boolean>;
  from: Address[] | null;
  replyTo: Address[] | null;
  to: Address[] | null;
  cc: Address[] | null;
  bcc: Address[] | null;
  subject: string | null;
  messageId: string[] | null;
  inReplyTo: string[] | null;
  references: string[] | null;
  sentAt: string | null;
  receivedAt: string;
  htmlBody: Part[];
  textBody: Part[];
  attachments: Part[];
  bodyValues: Record<string, { value: string; isTruncated?: boolean }>;
  'header:Importance:asText'?: string | null;
  'header:Disposition-Notification-To:asText'?: string | null;
}

/** Under which name a message is kept while it is written, and from whom it is. */
export interface Place {
  mailboxId: string;
  from: Address;
  replyTo?: Address[] | null;
}

/** The object for Email/set. The Bcc stays in the draft; the server takes it off what it sends (RFC 8621 §7.5). */
export function created(letter: Letter, { mailboxId, from, replyTo }: Place): Record<string, unknown> {
  const { structure, values } = bodyOf(letter);
  const some = (name: string, list: readonly unknown[]) => (list.length > 0 ? { [name]: list } : {});
  return {
    mailboxIds: { [mailboxId]: true },
    keywords: { $draft: true, $seen: true },
    from: [from],
    ...some('replyTo', replyTo ?? []),
    ...some('to', letter.to),
    ...some('cc', letter.cc),
    ...some('bcc', letter.bcc),
    subject: letter.subject.trim(),
    ...some('inReplyTo', letter.inReplyTo),
    ...some('references', letter.references),
    ...urgency(letter.importance),
    // RFC 8098 §2.1: the receipt goes to whoever sends.
    ...(letter.receipt ? { 'header:Disposition-Notification-To:asAddresses': [from] } : {}),
    bodyStructure: structure,
    bodyValues: values,
  };
}

function urgency(importance: Importance): Record<string, string> {
  if (importance === 'normal') return {};
  const high = importance === 'high';
  return { 'header:Importance:asText': high ? 'high' : 'low', 'header:X-Priority:asText': high ? '1' : '5' };
}

function bodyOf(letter: Letter): { structure: Part; values: Record<string, { value: string }> } {
  const text: Part = { partId: 'text', type: 'text/plain' };
  if (letter.plain) {
    const value = textOf(letter.body, letter.signature, letter.quote);
    return { structure: mixed(text, letter.enclosures.map(attached)), values: { text: { value } } };
  }
  const html = whole(letter);
  const shown = shownCids(html);
  const within = letter.enclosures.filter((enclosure) => enclosure.cid !== null && shown.has(enclosure.cid));
  // A picture that was taken out of the text does not go along unseen.
  const along = letter.enclosures.filter((enclosure) => enclosure.cid === null);
  const page: Part = { partId: 'html', type: 'text/html' };
  const rich = within.length > 0 ? { type: 'multipart/related', subParts: [page, ...within.map(inlined)] } : page;
  const value = textOf(toText(letter.body), toText(letter.signature), letter.quote);
  return {
    // RFC 2046 §5.1.4: the plainest first.
    structure: mixed({ type: 'multipart/alternative', subParts: [text, rich] }, along.map(attached)),
    values: { text: { value }, html: { value: html } },
  };
}

function mixed(content: Part, files: Part[]): Part {
  return files.length > 0 ? { type: 'multipart/mixed', subParts: [content, ...files] } : content;
}

function attached({ blobId, type, name }: Enclosure): Part {
  return { blobId, type: sendable(type), name, disposition: 'attachment' };
}

function inlined({ blobId, type, name, cid }: Enclosure): Part {
  return { blobId, type: sendable(type), name, disposition: 'inline', cid };
}

// A type that a browser made up is none; a multipart has parts, and no blob.
function sendable(type: string): string {
  return /^(?!multipart\/)[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/i.test(type) ? type : 'application/octet-stream';
}

/** The first HTML part of a message, and its text; the HTML is as it came, not yet sanitised. */
export function contents(email: ReadEmail): { html: string | null; text: string } {
  const values = (parts: Part[], type: string) =>
    parts.filter((part) => part.type === type).map((part) => email.bodyValues[part.partId ?? '']?.value ?? '');
  const html = values(email.htmlBody, 'text/html');
  const text = values(email.textBody, 'text/plain');
  const page = html.length > 0 ? html.join('<br>') : null;
  return { html: page, text: text.length > 0 ? text.join('\n') : page === null ? '' : toText(page) };
}

/** The files of a message. A picture that the HTML shows goes along as one; `all` takes the others too. */
export function enclosures(email: ReadEmail, html: string | null, all: boolean): Enclosure[] {
  const shown = shownCids(html ?? '');
  return email.attachments.flatMap((part) => {
    if (!part.blobId) return [];
    const cid = part.cid && shown.has(part.cid) ? part.cid : null;
    if (cid === null && !all) return [];
    return [{ blobId: part.blobId, name: part.name ?? '', type: part.type, size: part.size ?? 0, cid }];
  });
}

/** The letter that a draft holds. `clean` sanitises what any program may have written into it. */
export function fromDraft(email: ReadEmail, accountId: string, identityId: string | null, clean: (html: string) => string): Letter {
  const { html, text } = contents(email);
  const page = html === null ? null : clean(html);
  const parts = page === null ? { body: text, signature: '', quote: null } : sections(page, toText);
  return {
    accountId,
    identityId,
    to: email.to ?? [],
    cc: email.cc ?? [],
    bcc: email.bcc ?? [],
    subject: email.subject ?? '',
    plain: page === null,
    ...parts,
    inReplyTo: email.inReplyTo ?? [],
    references: email.references ?? [],
    enclosures: enclosures(email, page, true),
    importance: importanceOf(email['header:Importance:asText']),
    receipt: Boolean(email['header:Disposition-Notification-To:asText']),
  };
}

function importanceOf(header: string | null | undefined): Importance {
  const word = header?.trim().toLowerCase();
  return word === 'high' || word === 'low' ? word : 'normal';
}
