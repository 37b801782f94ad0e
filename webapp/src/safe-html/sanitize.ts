// The second wall before a message's HTML: the server cleans it first, the frame that shows it runs nothing.
import DOMPurify, { type Config, type WindowLike } from 'dompurify';

const RULES: Config = {
  FORBID_TAGS: ['form', 'input', 'button', 'select', 'textarea', 'option', 'base', 'link', 'meta', 'iframe', 'frame', 'object', 'embed', 'audio', 'video', 'source', 'svg', 'math', 'dialog', 'template', 'slot'],
  FORBID_ATTR: ['srcset', 'ping', 'autofocus', 'tabindex', 'contenteditable', 'popover', 'id', 'name', 'slot', 'is'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  WHOLE_DOCUMENT: false,
  FORCE_BODY: true,
};
const LINK = /^(https?|mailto|tel):/i;
const REMOTE = /^https:\/\//i;
const DATA_IMAGE = /^data:image\/(png|jpe?g|gif|webp|bmp);/i;
/** A message longer than this is shown as far as it goes. */
export const LONGEST = 2_000_000;

/** Cleans a message's HTML, in the window that will show it: there styles are allowed, and nothing runs. */
export function clean(html: string, remote: boolean, view: WindowLike = window): string {
  const purify = DOMPurify(view);
  purify.addHook('afterSanitizeAttributes', (node) => {
    if (node.nodeName === 'IMG') picture(node, remote);
    else node.removeAttribute('src');
    if (node.nodeName === 'A' || node.nodeName === 'AREA') link(node);
  });
  return purify.sanitize(html.slice(0, LONGEST), RULES) as string;
}

/** A picture is data, which is a picture and nothing else, or lies elsewhere, where that was asked for. */
function picture(image: Element, remote: boolean): void {
  const src = (image.getAttribute('src') ?? '').trim();
  if (!DATA_IMAGE.test(src) && !(remote && REMOTE.test(src))) image.removeAttribute('src');
  image.setAttribute('referrerpolicy', 'no-referrer');
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
