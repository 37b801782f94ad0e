// Templates are messages in a folder of the account: whoever writes for the account has them, on every device.
import type { GetResponse, Id, QueryResponse, SetResponse } from '../../jmap/types';
import { jmap } from '../../state/jmap.svelte';
import { mailboxesOf } from '../../state/mailboxes.svelte';
import type { Letter } from './letter';
import { created, fromDraft } from './message';
import { toHtml, toText } from '../../ui/editor/text';
import { createdId } from './saving';
import { addressOf, type Sender } from './senders';
import { cleaned, desk } from './server';

/** What the folder is called, in every language: one account has one folder. */
export const FOLDER = 'Mẫu thư';
const MOST = 100;

export interface Template {
  id: Id;
  subject: string | null;
}

async function folder(accountId: Id): Promise<Id | null> {
  const mailboxes = mailboxesOf(accountId);
  if (!mailboxes.known) await mailboxes.load();
  return mailboxes.all.find((mailbox) => mailbox.name === FOLDER && mailbox.parentId === null)?.id ?? null;
}

export async function templatesOf(accountId: Id): Promise<Template[]> {
  const inMailbox = await folder(accountId);
  if (!inMailbox) return [];
  const query = jmap.call<QueryResponse>('Email/query', {
    accountId, filter: { inMailbox }, sort: [{ property: 'receivedAt', isAscending: false }], limit: MOST,
  });
  const get = jmap.call<GetResponse<Template>>('Email/get', { accountId, '#ids': query.ref('/ids'), properties: ['id', 'subject'] });
  return (await get).list.sort((one, other) => (one.subject ?? '').localeCompare(other.subject ?? '', 'vi'));
}

/** Keeps a letter as a template: its words and files, not its recipients. */
export async function keepAsTemplate(letter: Letter, sender: Sender, name: string): Promise<void> {
  const { accountId } = letter;
  const mailboxId = (await folder(accountId)) ?? (await mailboxesOf(accountId).create(FOLDER, null));
  const bare: Letter = { ...letter, subject: name, to: [], cc: [], bcc: [], signature: '', quote: null, inReplyTo: [], references: [] };
  const email = { ...created(bare, { mailboxId, from: addressOf(sender) }), keywords: { $seen: true } };
  const set = await jmap.call<SetResponse<Template>>('Email/set', { accountId, create: { template: email } });
  createdId(['Email/set', { ...set }], 'template');
}

export async function removeTemplate(accountId: Id, id: Id): Promise<void> {
  await jmap.call('Email/set', { accountId, destroy: [id] });
}

/** A letter with a template before what is written already; its subject where there is none. */
export async function withTemplate(letter: Letter, id: Id): Promise<Letter> {
  const email = await desk.read(letter.accountId, id);
  const template = fromDraft(email, letter.accountId, null, (html) => cleaned(html, false));
  return filledIn(letter, template);
}

/** The pure half: words in the letter's form, files along. */
export function filledIn(letter: Letter, template: Letter): Letter {
  const words = template.plain === letter.plain ? template.body : letter.plain ? toText(template.body) : toHtml(template.body);
  const isEmpty = (letter.plain ? letter.body : toText(letter.body)).trim() === '' && !/<img/i.test(letter.body);
  return {
    ...letter,
    subject: letter.subject.trim() === '' ? template.subject : letter.subject,
    body: isEmpty ? words : words + (letter.plain ? '\n' : '') + letter.body,
    enclosures: [...letter.enclosures, ...template.enclosures],
  };
}
