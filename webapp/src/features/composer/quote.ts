// The quoted message and what is said above it.
import { type Address, blank, type Letter, type Quote } from './letter';
import { contents, enclosures, type ReadEmail } from './message';
import { written } from './addresses';
import { escaped } from '../../ui/editor/html';
import { heading, type Kind } from './reply';
import { toText } from '../../ui/editor/text';

/** Words of the interface; the tests bring their own. */
export type Say = (key: 'quote.wrote' | 'quote.forwarded' | 'quote.from' | 'quote.date' | 'quote.subject' | 'quote.to' | 'quote.cc', params?: Record<string, string>) => string;

export interface Means {
  say: Say;
  /** A date as the head of a quote gives it. */
  date: (iso: string) => string;
  /** Sanitises HTML that came from outside. */
  clean: (html: string) => string;
}

const list = (addresses: Address[] | null) => (addresses ?? []).map(written).join(', ');

/** The message as it stands below an answer or in a message passed on. */
export function quoteOf(email: ReadEmail, kind: Kind, { say, date, clean }: Means): Quote {
  const { html, text } = contents(email);
  const page = html === null ? null : clean(html);
  const at = date(email.sentAt ?? email.receivedAt);
  const words = page === null ? text : toText(page);
  if (kind !== 'forward') {
    return { kind: 'reply', head: [say('quote.wrote', { date: at, who: list(email.from) })], html: page, text: words };
  }
  const head = [
    say('quote.forwarded'),
    say('quote.from', { who: list(email.from) }),
    say('quote.date', { date: at }),
    say('quote.subject', { subject: email.subject ?? '' }),
    ...(email.to?.length ? [say('quote.to', { who: list(email.to) })] : []),
    ...(email.cc?.length ? [say('quote.cc', { who: list(email.cc) })] : []),
  ];
  return { kind: 'forward', head, html: page, text: words };
}

/** A letter that answers a message or passes it on, with nothing written yet. */
export function answer(kind: Kind, email: ReadEmail, accountId: string, own: readonly string[], means: Means): Letter {
  const quote = quoteOf(email, kind, means);
  return {
    ...blank(accountId),
    ...heading(kind, email, own),
    quote,
    enclosures: enclosures(email, quote.html, kind === 'forward'),
  };
}

/** A message passed on whole and unchanged, as a file of its own. */
export function redirected(email: ReadEmail, accountId: string): Letter {
  const { to, cc, subject, references } = heading('forward', email, []);
  const name = `${(email.subject ?? '').replace(/[\\/:*?"<>|\s\p{C}]+/gu, ' ').trim().slice(0, 80) || 'message'}.eml`;
  const file = { blobId: email.blobId, name, type: 'message/rfc822', size: email.size ?? 0, cid: null };
  return { ...blank(accountId), to, cc, subject, references, enclosures: [file] };
}

/** Moves the quote into the text, so that it can be edited: as cited lines, which the editor can hold. */
export function intoText(letter: Letter): Letter {
  const { quote } = letter;
  if (!quote) return letter;
  const forward = quote.kind === 'forward';
  if (letter.plain) {
    const lines = quote.text.split('\n').map((line) => (forward ? line : line.startsWith('>') ? `>${line}` : `> ${line}`));
    return { ...letter, quote: null, body: [letter.body, '', ...quote.head, ...lines].join('\n') };
  }
  const paragraphs = (lines: string[]) => lines.map((line) => `<p>${escaped(line)}</p>`).join('');
  const words = paragraphs(quote.text.split('\n'));
  return { ...letter, quote: null, body: `${letter.body}<p></p>${paragraphs(quote.head)}${forward ? words : `<blockquote>${words}</blockquote>`}` };
}
