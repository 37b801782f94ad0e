// The composer's desk at the server: JMAP, and what is kept of it.
import { fill, JmapError } from '../../jmap/client';
import { CORE, type CoreCapability, type GetResponse, type Identity, MAIL, SUBMISSION } from '../../jmap/types';
import { full } from '../../locales/dates';
import { language, t } from '../../locales/i18n.svelte';
import { aside } from '../../safe-html/aside';
import { clean } from '../../safe-html/sanitize';
import { identitiesOf } from '../../state/identities';
import { jmap, mailSession } from '../../state/jmap.svelte';
import { mailboxesOf } from '../../state/mailboxes.svelte';
import type { Desk } from './desk';
import type { Limits } from './files';
import type { Letter } from './letter';
import { BODY_PROPERTIES, PROPERTIES, type ReadEmail } from './message';
import { reviewRule } from './review';
import { type Call, type Invocation, Refused } from './saving';
import type { Sender } from './senders';

/** More of a message than this is not quoted. */
const MOST_QUOTED = 1_000_000;

export const call: Call = (calls) => Promise.all(calls.map(one));

async function one([name, args]: Invocation): Promise<Invocation> {
  try {
    return [name, await jmap.call<Record<string, unknown>>(name, args, /^(EmailSubmission|Identity)/.test(name) ? SUBMISSION : MAIL)];
  } catch (error) {
    // A refused method is an answer; a server that is not there is not.
    if (error instanceof JmapError && error.status === 200) return ['error', { type: error.type, description: error.message }];
    throw error;
  }
}

/** Where what was read is cleaned. */
let quiet: Awaited<ReturnType<typeof aside>> | undefined;

async function read(accountId: string, emailId: string): Promise<ReadEmail> {
  quiet = await aside();
  const got = await jmap.call<GetResponse<ReadEmail>>('Email/get', {
    accountId, ids: [emailId], properties: PROPERTIES, bodyProperties: BODY_PROPERTIES, fetchTextBodyValues: true, fetchHTMLBodyValues: true,
    maxBodyValueBytes: MOST_QUOTED,
  });
  const [email] = got.list;
  if (!email) throw new Refused('notFound', t('composer.gone'));
  return email;
}

async function copyBlobs(from: string, to: string, blobIds: string[]): Promise<Record<string, string>> {
  const answer = await jmap.call<{ copied: Record<string, string> | null; notCopied: Record<string, unknown> | null }>('Blob/copy', {
    fromAccountId: from, accountId: to, blobIds,
  });
  if (Object.keys(answer.notCopied ?? {}).length > 0) throw new Refused('blobNotFound', t('composer.filesStay'));
  return answer.copied ?? {};
}

async function mailbox(accountId: string, role: 'drafts' | 'sent'): Promise<string | null> {
  const mailboxes = mailboxesOf(accountId);
  if (!mailboxes.known) await mailboxes.load();
  if (!mailboxes.known && mailboxes.failure) throw mailboxes.failure;
  return mailboxes.withRole(role)?.id ?? null;
}

/** Every identity of every account that the person may write from. */
export async function senders(): Promise<Sender[]> {
  const session = await jmap.session();
  const accounts = mailSession.accounts.filter((account) => !account.isReadOnly);
  const all = await Promise.all(
    accounts.map(async ({ id, name }) => {
      const capabilities = session.accounts[id]?.accountCapabilities ?? {};
      const review = reviewRule(capabilities);
      // Who may write and not send keeps drafts, for somebody who may.
      const identities = SUBMISSION in capabilities ? await identitiesOf(id) : [drafting(name)];
      return identities.map((identity): Sender => ({ accountId: id, identity, review }));
    }),
  );
  return all.flat();
}

function drafting(email: string): Identity {
  return { id: '', name: '', email, replyTo: null, bcc: null, textSignature: '', htmlSignature: '', mayDelete: false };
}

function limits(accountId: string): Limits {
  const session = mailSession.current;
  const core = session?.capabilities[CORE] as CoreCapability | undefined;
  const mail = session?.accounts[accountId]?.accountCapabilities[MAIL] as { maxSizeAttachmentsPerEmail?: number } | undefined;
  return { upload: core?.maxSizeUpload ?? Number.MAX_SAFE_INTEGER, perMessage: mail?.maxSizeAttachmentsPerEmail ?? null };
}

/** Where a picture of a letter can be fetched. */
export function pictureUrl(letter: Letter, cid: string): string | undefined {
  const session = mailSession.current;
  const found = letter.enclosures.find((enclosure) => enclosure.cid === cid);
  if (!session || !found) return undefined;
  return fill(session.downloadUrl, { accountId: letter.accountId, blobId: found.blobId, name: found.name || 'picture', type: found.type });
}

/** How long the server holds a message of an account, in seconds (RFC 8621 §1.3.2); 0 where it does not. */
export function longestHold(accountId: string): number {
  const capability = mailSession.current?.accounts[accountId]?.accountCapabilities[SUBMISSION] as { maxDelayedSend?: number } | undefined;
  return capability?.maxDelayedSend ?? 0;
}

/** HTML of a message that was read just now, its own pictures still by their content ids. */
export function cleaned(html: string, remote: boolean): string {
  return clean(html, { inline: (cid) => `cid:${cid}`, remote }, quiet).html;
}

export const desk: Desk = {
  call,
  read,
  upload: (accountId, file, progress, signal) => jmap.upload(accountId, file, progress, signal),
  copyBlobs,
  mailbox,
  senders,
  limits,
  means: {
    say: t,
    date: (iso) => full(iso, language()),
    // Quoted pictures of the message stay with it; those from elsewhere stay what they are, and are not shown here.
    clean: (html) => cleaned(html, true),
  },
};
