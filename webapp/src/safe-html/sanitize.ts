// The second wall before a message's HTML: the server cleans it first, the frame that shows it runs nothing.
import DOMPurify, { type Config, type WindowLike } from 'dompurify';

export interface Cleaned {
  html: string;
  /** Whether pictures of other hosts were held back. */
  hasRemote: boolean;
}

export interface Wishes {
  /** Where a part of the message can be fetched, by its Content-ID (RFC 2392). */
  inline: (cid: string) => string | undefined;
  /** Whether pictures of other hosts may be shown. */
  remote: boolean;
}

const RULES: Config = {
  FORBID_TAGS: ['form', 'input', 'button', 'select', 'textarea', 'option', 'base', 'link', 'meta', 'iframe', 'frame', 'object', 'embed', 'audio', 'video', 'source', 'svg', 'math', 'dialog', 'template', 'slot'],
  FORBID_ATTR: ['srcset', 'ping', 'autofocus', 'tabindex', 'contenteditable', 'popover', 'id', 'name', 'slot', 'is'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  WHOLE_DOCUMENT: false,
  FORCE_BODY: true,
};
const LINK = /^(https?|mailto|tel):/i;
const REMOTE = /^\s*(https?:)?\/\//i;
const REMOTE_STYLE = /url\s*\(\s*['"]?\s*(https?:)?\/\//i;
const DATA_IMAGE = /^data:image\/(png|jpe?g|gif|webp|bmp);/i;
/** A message longer than this is shown as far as it goes. */
export const LONGEST = 2_000_000;

/** Cleans a message's HTML, in the window that will show it: there styles are allowed, and nothing runs. */
export function clean(html: string, wishes: Wishes, view: WindowLike = window): Cleaned {
  let hasRemote = false;
  const purify = DOMPurify(view);
  purify.addHook('afterSanitizeAttributes', (node) => {
    if (REMOTE_STYLE.test(node.getAttribute('style') ?? '') || REMOTE.test(node.getAttribute('background') ?? '')) hasRemote = true;
    if (node.nodeName === 'IMG') hasRemote = picture(node, wishes) || hasRemote;
    else node.removeAttribute('src');
    if (node.nodeName === 'A' || node.nodeName === 'AREA') link(node);
    if (node.nodeName === 'STYLE' && REMOTE_STYLE.test(node.textContent ?? '')) hasRemote = true;
  });
  return { html: purify.sanitize(html.slice(0, LONGEST), RULES) as string, hasRemote: hasRemote && !wishes.remote };
}

/** Gives a picture its place; tells whether one of another host was meant. */
function picture(image: Element, wishes: Wishes): boolean {
  const src = (image.getAttribute('src') ?? '').trim();
  if (/^cid:/i.test(src)) {
    const url = wishes.inline(decoded(src.slice(4)));
    if (url) image.setAttribute('src', url);
    else image.removeAttribute('src');
    return false;
  }
  if (REMOTE.test(src)) {
    if (!wishes.remote) image.removeAttribute('src');
    image.setAttribute('referrerpolicy', 'no-referrer');
    return true;
  }
  // What the server rewrote leads to the server itself; data is a picture or nothing.
  if (!src.startsWith('/') && !DATA_IMAGE.test(src)) image.removeAttribute('src');
  return false;
}

function link(anchor: Element): void {
  const href = (anchor.getAttribute('href') ?? '').trim();
  if (!LINK.test(href)) {
    anchor.removeAttribute('href');
    return;
  }
  anchor.setAttribute('target', '_blank');
  anchor.setAttribute('rel', 'noopener noreferrer');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
