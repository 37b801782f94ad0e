// The HTML of a letter: what the editor holds, the signature and the quoted message in one document, and apart again.
import { dressed, escaped, innerOf, parsed, STYLES } from '../../ui/editor/html';
import type { Quote } from './letter';

const BODY = 'congvu-body';
const SIGNATURE = 'congvu-signature';
const QUOTE = 'congvu-quote';
const HEAD = 'congvu-quote-head';
const FORWARD = 'congvu-forward';

/** The parts of a letter, as they stand one below the other. */
export interface Sections {
  body: string;
  signature: string;
  quote: Quote | null;
}

/** The whole document. The quoted message goes in as it is: whoever made the quote has sanitised it. */
export function whole({ body, signature, quote }: Sections): string {
  const parts = [`<div class="${BODY}">${dressed(body)}</div>`];
  if (signature !== '') parts.push(`<div class="${SIGNATURE}"><br>${dressed(signature)}</div>`);
  if (quote) parts.push(quoted(quote));
  return `<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>${parts.join('')}</body></html>`;
}

function quoted({ kind, head, html, text }: Quote): string {
  const content = html ?? `<div style="white-space:pre-wrap">${escaped(text)}</div>`;
  const lines = `<div class="${HEAD}">${head.map(escaped).join('<br>')}</div>`;
  if (kind === 'forward') return `<div class="${QUOTE} ${FORWARD}"><br>${lines}<br><div>${content}</div></div>`;
  return `<div class="${QUOTE}"><br>${lines}<blockquote type="cite" style="${STYLES['blockquote']}">${content}</blockquote></div>`;
}

/** Takes a draft's HTML apart. What another program wrote has no parts of ours: it is all body. */
export function sections(html: string, toText: (html: string) => string): Sections {
  const root = parsed(html);
  const part = (name: string) => [...root.children].find((child) => child.classList.contains(name)) ?? null;
  const body = part(BODY);
  if (!body) return { body: innerOf(root), signature: '', quote: null };
  const signature = part(SIGNATURE);
  if (signature?.firstElementChild?.localName === 'br') signature.firstElementChild.remove();
  const quote = part(QUOTE);
  return { body: innerOf(body), signature: signature ? innerOf(signature) : '', quote: quote && unquoted(quote, toText) };
}

function unquoted(quote: Element, toText: (html: string) => string): Quote {
  const head = quote.querySelector(`:scope > .${HEAD}`);
  const html = quote.lastElementChild === head ? '' : quote.lastElementChild ? innerOf(quote.lastElementChild) : '';
  const lines = (head?.innerHTML ?? '').split(/<br\s*\/?>/i).map((line) => parsed(line).textContent ?? '');
  const kind = quote.classList.contains(FORWARD) ? 'forward' : 'reply';
  return { kind, head: lines.filter((line) => line !== ''), html, text: toText(html) };
}

/** The content ids that an HTML text shows. */
export function shownCids(html: string): Set<string> {
  const found = [...html.matchAll(/(?:src|background)\s*=\s*["']?cid:([^"'\s>]+)/gi)].map((match) => decoded(match[1] ?? ''));
  return new Set(found);
}

function decoded(cid: string): string {
  try {
    return decodeURIComponent(cid.replace(/&amp;/g, '&'));
  } catch {
    return cid;
  }
}
