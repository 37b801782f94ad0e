// HTML as text and text as HTML: what a reader without HTML sees, and what plain letters are made of.
import { escaped, parsed, styleOf } from './html';

const BLOCKS = new Set([
  'address', 'article', 'aside', 'blockquote', 'center', 'dd', 'div', 'dl', 'dt', 'fieldset', 'figure', 'footer', 'form', 'h1', 'h2', 'h3',
  'h4', 'h5', 'h6', 'header', 'hr', 'li', 'main', 'nav', 'ol', 'p', 'pre', 'section', 'table', 'tbody', 'tfoot', 'thead', 'tr', 'ul',
]);
const SPACED = new Set(['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'table']);
const SILENT = new Set(['script', 'style', 'head', 'title', 'template', 'noscript', 'object', 'svg']);
/** Deeper nesting is no letter; what is deeper counts as plain words. */
const DEEPEST = 100;

class Lines {
  readonly lines: string[] = [];
  #line = '';
  #started = false;

  word(text: string, pre: boolean): void {
    if (pre) {
      const [first = '', ...rest] = text.split('\n');
      this.#add(first);
      for (const line of rest) {
        this.end(true);
        this.#add(line);
      }
      return;
    }
    const collapsed = text.replace(/[ \t\r\n\f]+/g, ' ');
    this.#add(this.#line === '' || this.#line.endsWith(' ') ? collapsed.replace(/^ /, '') : collapsed);
  }

  #add(text: string): void {
    this.#line += text;
    if (text !== '') this.#started = true;
  }

  /** Ends the line; `always` also when there is nothing on it. */
  end(always = false): void {
    if (this.#started || always) this.lines.push(this.#line.replace(/[ \t]+$/, ''));
    this.#line = '';
    this.#started = false;
  }

  blank(): void {
    this.end();
    if (this.lines.length > 0 && this.lines.at(-1) !== '') this.lines.push('');
  }
}

/** The text of an HTML letter: lists with their marks, links with where they lead, quotes with "> ". */
export function toText(html: string): string {
  return linesOf(parsed(html), 0).join('\n').replace(/\u00a0/g, ' ').replace(/\s+$/, '').replace(/^\n+/, '');
}

function linesOf(root: Node, depth: number): string[] {
  const out = new Lines();
  for (const child of root.childNodes) walk(child, out, depth, false);
  out.end();
  return out.lines;
}

function walk(node: Node, out: Lines, depth: number, pre: boolean): void {
  if (node.nodeType === 3) return out.word(node.nodeValue ?? '', pre);
  if (!(node instanceof Element) || SILENT.has(node.localName)) return;
  if (depth > DEEPEST) return out.word(node.textContent ?? '', false);
  const tag = node.localName;
  if (tag === 'br') return out.end(true);
  if (tag === 'img') return out.word(node.getAttribute('alt') ?? '', false);
  if (tag === 'hr') {
    out.blank();
    out.lines.push('----------');
    return;
  }
  if (tag === 'a') return link(node, out, depth, pre);
  if (tag === 'blockquote' || tag === 'li') return marked(node, out, depth);
  if (tag === 'tr') return row(node, out, depth);
  const block = BLOCKS.has(tag);
  if (block) out.end();
  if (SPACED.has(tag)) out.blank();
  const before = out.lines.length;
  for (const child of node.childNodes) walk(child, out, depth + 1, pre || tag === 'pre' || isPre(node));
  if (!block) return;
  out.end();
  // The editor's empty paragraph is a free line.
  if (tag === 'p' && out.lines.length === before) out.lines.push('');
  if (SPACED.has(tag)) out.blank();
}

function isPre(element: Element): boolean {
  return /white-space\s*:\s*pre/i.test(styleOf(element));
}

function link(node: Element, out: Lines, depth: number, pre: boolean): void {
  const href = node.getAttribute('href') ?? '';
  const words = (node.textContent ?? '').trim();
  for (const child of node.childNodes) walk(child, out, depth + 1, pre);
  const same = [href, href.replace(/^(?:mailto:|tel:|https?:\/\/)/i, '').replace(/\/$/, '')].includes(words.replace(/\/$/, ''));
  if (/^(?:https?|mailto|tel):/i.test(href) && !same && words !== '') out.word(` (${href.replace(/^(?:mailto|tel):/i, '')})`, false);
}

function marked(node: Element, out: Lines, depth: number): void {
  out.end();
  const inner = linesOf(node, depth + 1);
  if (node.localName === 'blockquote') {
    out.lines.push(...inner.map(cited));
    return;
  }
  const mark = node.parentElement?.localName === 'ol' ? `${ordinal(node)}. ` : '- ';
  const indent = ' '.repeat(mark.length);
  out.lines.push(...(inner.length > 0 ? inner : ['']).map((line, at) => (at === 0 ? mark + line : line && indent + line)));
}

function ordinal(item: Element): number {
  const list = item.parentElement;
  const first = Number.parseInt(list?.getAttribute('start') ?? '1', 10) || 1;
  return first + [...(list?.children ?? [])].filter((child) => child.localName === 'li').indexOf(item);
}

function row(node: Element, out: Lines, depth: number): void {
  out.end();
  const cells = [...node.children].map((cell) => linesOf(cell, depth + 2));
  // A table that only lays out a page has one cell in a row, or whole paragraphs in its cells.
  if (cells.length === 1 || cells.some((cell) => cell.length > 2)) out.lines.push(...cells.flat());
  else out.lines.push(cells.map((cell) => cell.join(' ')).join(' | '));
}

/** A line as it is quoted. */
export function cited(line: string): string {
  return line === '' ? '>' : line.startsWith('>') ? `>${line}` : `> ${line}`;
}

/** Text as HTML, for a plain letter that becomes a rich one: one paragraph a line. */
export function toHtml(text: string): string {
  return text.split(/\r?\n/).map((line) => `<p>${escaped(line).replace(/ {2}/g, '&nbsp; ')}</p>`).join('');
}
