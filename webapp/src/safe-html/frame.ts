// Puts cleaned HTML into the frame's document, and hears what happens in there. The frame runs no script: all code is out here.

export interface Heard {
  /** The height that the letter needs. */
  height: (pixels: number) => void;
  /** The target of the link under the pointer or the keyboard; empty when there is none. */
  link: (target: string) => void;
  /** A key that is for the application. */
  key: (event: KeyboardEvent) => void;
  /** A mail address was followed. */
  mailto: (address: string) => void;
}

const QUOTES = 'blockquote[type="cite"], .gmail_quote, .moz-cite-prefix + blockquote, #divRplyFwdMsg';

/** Fills the document; returns how to let go of it. */
export function fillFrame(document: Document, html: string, quoteWords: string, heard: Heard): () => void {
  document.body.innerHTML = html;
  foldQuotes(document, quoteWords);
  const measure = () => heard.height(Math.ceil(document.body.scrollHeight));
  const observer = new ResizeObserver(measure);
  observer.observe(document.body);
  measure();
  const stop = new AbortController();
  const on = (type: string, handle: (event: Event) => void) => document.addEventListener(type, handle, { signal: stop.signal, capture: true });
  on('load', measure);
  on('toggle', measure);
  for (const type of ['mouseover', 'focusin']) on(type, (event) => heard.link(targetOf(event)));
  for (const type of ['mouseout', 'focusout']) on(type, () => heard.link(''));
  on('keydown', (event) => heard.key(event as KeyboardEvent));
  on('click', (event) => {
    const target = targetOf(event);
    if (!/^mailto:/i.test(target)) return;
    event.preventDefault();
    heard.mailto(addressOf(target));
  });
  return () => {
    observer.disconnect();
    stop.abort();
  };
}

/** The outermost quotation is folded, without a script: `details` opens by itself. */
function foldQuotes(document: Document, words: string): void {
  const quote = document.body.querySelector(QUOTES);
  if (!quote || !quote.parentElement || hasNothingElse(document.body, quote)) return;
  const details = document.createElement('details');
  const summary = document.createElement('summary');
  summary.textContent = '•••';
  summary.title = words;
  details.append(summary);
  quote.before(details);
  details.append(quote);
}

function hasNothingElse(body: Element, quote: Element): boolean {
  return (body.textContent ?? '').trim().length - (quote.textContent ?? '').trim().length < 1;
}

function targetOf(event: Event): string {
  const element = event.target as Element | null;
  return element?.closest?.('a[href], area[href]')?.getAttribute('href') ?? '';
}

function addressOf(mailto: string): string {
  try {
    return decodeURIComponent(mailto.slice(7).split('?')[0] ?? '');
  } catch {
    return '';
  }
}
