// The HTML of a letter: what the editor holds, the signature and the quoted message in one document, and apart again.
import type { Quote } from './letter';

const BODY = 'congvu-body';
const SIGNATURE = 'congvu-signature';
const QUOTE = 'congvu-quote';
const HEAD = 'congvu-quote-head';
const FORWARD = 'congvu-forward';

/** What each element of the editor carries into a message, where no style sheet follows it. */
const STYLES: Readonly<Record<string, string>> = {
  p: 'margin:0',
  ul: 'margin:0 0 0 24px;padding:0',
  ol: 'margin:0 0 0 24px;padding:0',
  h2: 'margin:12px 0 4px;font-size:18px',
  h3: 'margin:8px 0 4px;font-size:16px',
  table: 'border-collapse:collapse;margin:8px 0',
  td: 'border:1px solid #888;padding:4px 8px;vertical-align:top',
  th: 'border:1px solid #888;padding:4px 8px;text-align:left;background:#f2f2f2',
  blockquote: 'margin:0 0 0 8px;padding-left:12px;border-left:2px solid #ccc',
  img: 'max-width:100%',
};
const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  img: ['src', 'alt', 'width', 'height'],
  td: ['colspan', 'rowspan'],
  th: ['colspan', 'rowspan'],
  ol: ['start'],
};
const VOID = new Set(['br', 'hr', 'img']);
const KEPT = new Set(['p', 'br', 'hr', 'strong', 'b', 'em', 'i', 'u', 's', 'a', 'ul', 'ol', 'li', 'h2', 'h3', 'blockquote', 'table', 'tbody', 'tr', 'td', 'th', 'img']);
const LINKS = /^(?:https?:|mailto:|tel:|cid:)/i;

/** Text that stands for itself in HTML. */
export function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

/** The body of an HTML text; nothing in it runs or is fetched. */
export function parsed(html: string): HTMLElement {
  return new DOMParser().parseFromString(html, 'text/html').body;
}

/** The editor's HTML as it goes into a message: known elements alone, each with its own style. */
export function dressed(html: string): string {
  return children(parsed(html));
}

function children(node: Node): string {
  return [...node.childNodes].map(dress).join('');
}

function dress(node: Node): string {
  if (node.nodeType === 3) return escaped(node.nodeValue ?? '');
  if (!(node instanceof Element)) return '';
  const tag = node.localName;
  if (!KEPT.has(tag)) return children(node);
  const attributes = (ATTRIBUTES[tag] ?? []).flatMap((name) => {
    const value = node.getAttribute(name);
    const leads = name === 'href' || name === 'src';
    return value === null || (leads && !LINKS.test(value)) ? [] : [` ${name}="${escaped(value)}"`];
  });
  const style = STYLES[tag] ? ` style="${STYLES[tag]}"` : '';
  const open = `<${tag}${attributes.join('')}${style}>`;
  if (VOID.has(tag)) return open;
  const inner = children(node);
  // An empty paragraph is a line that was left free.
  return `${open}${inner === '' && tag === 'p' ? '<br>' : inner}</${tag}>`;
}

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
  if (!body) return { body: root.innerHTML, signature: '', quote: null };
  const signature = part(SIGNATURE);
  if (signature?.firstElementChild?.localName === 'br') signature.firstElementChild.remove();
  const quote = part(QUOTE);
  return { body: body.innerHTML, signature: signature?.innerHTML ?? '', quote: quote && unquoted(quote, toText) };
}

function unquoted(quote: Element, toText: (html: string) => string): Quote {
  const head = quote.querySelector(`:scope > .${HEAD}`);
  const html = quote.lastElementChild === head ? '' : (quote.lastElementChild?.innerHTML ?? '');
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
