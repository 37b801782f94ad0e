// As whom a letter is sent: the identities of the accounts that a person may send from.
import type { Identity } from '../../jmap/types';
import { type Address, folded, type Letter } from './letter';
import { escaped } from '../../ui/editor/html';
import { toText } from '../../ui/editor/text';

/** That mail of an account is reviewed before it leaves, and by which article. */
export interface ReviewRule {
  article: string;
}

export interface Sender {
  accountId: string;
  identity: Identity;
  review: ReviewRule | null;
}

/** The sender of a letter; the first of its account where its own is gone. */
export function senderOf(senders: readonly Sender[], letter: Pick<Letter, 'accountId' | 'identityId'>): Sender | null {
  const own = senders.filter((sender) => sender.accountId === letter.accountId);
  return own.find((sender) => sender.identity.id === letter.identityId) ?? own[0] ?? null;
}

/** The sender with that address, preferably of that account. */
export function senderWith(senders: readonly Sender[], accountId: string, email: string | null): Sender | null {
  const matching = email === null ? [] : senders.filter((sender) => folded(sender.identity.email) === folded(email));
  return matching.find((sender) => sender.accountId === accountId) ?? senderOf(senders, { accountId, identityId: null });
}

/** From whom the letter is. */
export function addressOf({ identity }: Sender): Address {
  return { name: identity.name || null, email: identity.email };
}

/** The signature in the letter's form. */
export function signatureOf(sender: Sender | null, plain: boolean): string {
  if (!sender) return '';
  const { htmlSignature: html, textSignature: text } = sender.identity;
  if (plain) return text.trim() !== '' ? text.trimEnd() : toText(html);
  if (html.trim() !== '') return html;
  return text.trim() === '' ? '' : text.trimEnd().split('\n').map((line) => `<p>${escaped(line)}</p>`).join('');
}

/** The letter from another sender: with their signature, unless the person took the old one out. */
export function from(letter: Letter, before: Sender | null, after: Sender): Letter {
  const kept = letter.signature === '' && signatureOf(before, letter.plain) !== '';
  return {
    ...letter,
    accountId: after.accountId,
    identityId: after.identity.id,
    signature: kept ? '' : signatureOf(after, letter.plain),
  };
}
