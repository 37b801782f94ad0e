// A letter of plain text: where its links are, and what in it is quoted.

export interface Run {
  text: string;
  /** Where it leads; nothing for plain words. */
  href: string | null;
}

const LINK = /https?:\/\/[^\s<>"')\]]+[^\s<>"')\].,;:!?]|[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g;
/** More links than this are words. */
const MOST_LINKS = 500;

/** Cuts a text into words and links. */
export function runs(text: string): Run[] {
  const all: Run[] = [];
  let at = 0;
  let links = 0;
  for (const match of text.matchAll(LINK)) {
    if (++links > MOST_LINKS) break;
    if (match.index > at) all.push({ text: text.slice(at, match.index), href: null });
    const [word] = match;
    all.push({ text: word, href: word.includes('://') ? word : `mailto:${word}` });
    at = match.index + word.length;
  }
  if (at < text.length) all.push({ text: text.slice(at), href: null });
  return all;
}

export interface Block {
  text: string;
  quoted: boolean;
}

/** Cuts a text into what was written and what was quoted (lines that begin with `>`). */
export function blocks(text: string): Block[] {
  const all: { lines: string[]; quoted: boolean }[] = [];
  for (const line of text.replace(/\r\n?/g, '\n').split('\n')) {
    const quoted = line.startsWith('>');
    const last = all.at(-1);
    if (last && last.quoted === quoted) last.lines.push(line);
    else all.push({ lines: [line], quoted });
  }
  return all.map(({ lines, quoted }) => ({ text: lines.join('\n'), quoted })).filter((block) => block.text.trim() !== '' || block.quoted);
}
