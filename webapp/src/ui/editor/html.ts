// HTML that this application makes and reads, without showing it: what the editor holds, and what of it goes into a message.

/** What each element of the editor carries into a message, where no style sheet follows it. */
export const STYLES: Readonly<Record<string, string>> = {
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
const RESTING = 'data-resting-style';
const STYLE = /(<[a-z][^<>]*?\s)style(\s*=)/gi;
const RESTED = /(<[a-z][^<>]*?\s)data-resting-style=/gi;
const LINKS = /^(?:https?:|mailto:|tel:|cid:)/i;

/** Text that stands for itself in HTML. */
export function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}

/**
 * The body of an HTML text; nothing in it runs or is fetched. Styles rest under another name meanwhile: the page's policy
 * complains of those that a parser meets, even where nothing is shown.
 */
export function parsed(html: string): HTMLElement {
  return new DOMParser().parseFromString(html.replace(STYLE, `$1${RESTING}$2`), 'text/html').body;
}

/** What is in an element, its styles under their own name again. */
export function innerOf(element: Element): string {
  return element.innerHTML.replace(RESTED, '$1style=');
}

export function styleOf(element: Element): string {
  return element.getAttribute(RESTING) ?? '';
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
