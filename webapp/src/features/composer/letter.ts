// What a person writes, before it becomes a message. No part of it knows of the screen or of the server.

/** An address with the name that stands before it. */
export interface Address {
  name: string | null;
  email: string;
}

/** A file that goes along. One with a `cid` stands within the text. */
export interface Enclosure {
  blobId: string;
  name: string;
  type: string;
  size: number;
  cid: string | null;
}

export type Importance = 'high' | 'normal' | 'low';

/** The message that is answered or passed on: shown below what is written and appended to it, never edited with it. */
export interface Quote {
  kind: 'reply' | 'forward';
  /** Whose words follow: one sentence for an answer, the lines of a forwarded message's head. */
  head: string[];
  /** Sanitised; null for a message of text alone. */
  html: string | null;
  text: string;
}

/** Everything that is kept of a letter, in a draft and in the browser's own copy. */
export interface Letter {
  accountId: string;
  identityId: string | null;
  to: Address[];
  cc: Address[];
  bcc: Address[];
  subject: string;
  /** Plain letters hold text in `body`, others the editor's HTML. */
  plain: boolean;
  body: string;
  /** The signature as HTML or text, after `plain`; stands apart so that it changes with the sender. */
  signature: string;
  quote: Quote | null;
  inReplyTo: string[];
  references: string[];
  enclosures: Enclosure[];
  importance: Importance;
  receipt: boolean;
}

/** A letter with nothing in it. */
export function blank(accountId: string): Letter {
  return {
    accountId,
    identityId: null,
    to: [],
    cc: [],
    bcc: [],
    subject: '',
    plain: false,
    body: '',
    signature: '',
    quote: null,
    inReplyTo: [],
    references: [],
    enclosures: [],
    importance: 'normal',
    receipt: false,
  };
}

/** Everybody the letter goes to, each once. */
export function recipients(letter: Letter): Address[] {
  return distinct([...letter.to, ...letter.cc, ...letter.bcc]);
}

/** How two spellings of an address are compared: the server folds ASCII case alone. */
export function folded(email: string): string {
  return email.trim().normalize('NFC').replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** The addresses without those that were there before, in their order. */
export function distinct(addresses: readonly Address[], without: readonly Address[] = []): Address[] {
  const seen = new Set(without.map((address) => folded(address.email)));
  return addresses.filter((address) => {
    const key = folded(address.email);
    if (key === '' || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
