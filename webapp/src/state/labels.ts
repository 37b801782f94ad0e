// Labels are keywords (RFC 8621 §4.1.1), whose letters are few: what a person writes is put into them and read again.
const PREFIX = 'label.';
const LONGEST = 60;
/** Keywords that have a meaning of their own, or begin with what does ($). */
const OWN = /^[$\\]/;

/** The keyword of a label: letters and figures stay, a space is `_`, the rest is `=` and hexadecimal, as in RFC 2047 §4.2. */
export function keywordOf(label: string): string {
  const bytes = new TextEncoder().encode(label.trim().normalize('NFC').toLowerCase());
  let word = PREFIX;
  for (const byte of bytes) {
    const letter = String.fromCharCode(byte);
    word += /[a-z0-9.-]/.test(letter) ? letter : letter === ' ' ? '_' : `=${byte.toString(16).padStart(2, '0')}`;
  }
  return word;
}

/** The label of a keyword; nothing where it is a mark of the system. */
export function labelOf(keyword: string): string | null {
  if (OWN.test(keyword)) return null;
  if (!keyword.startsWith(PREFIX)) return keyword;
  const bytes: number[] = [];
  const word = keyword.slice(PREFIX.length);
  for (let at = 0; at < word.length; at++) {
    const code = word[at] === '=' ? Number.parseInt(word.slice(at + 1, at + 3), 16) : Number.NaN;
    if (Number.isNaN(code)) bytes.push((word[at] === '_' ? ' ' : (word[at] ?? '')).charCodeAt(0));
    else {
      bytes.push(code);
      at += 2;
    }
  }
  const text = new TextDecoder().decode(new Uint8Array(bytes));
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function labelsOf(keywords: Record<string, boolean>): { keyword: string; name: string }[] {
  return Object.keys(keywords)
    .sort()
    .flatMap((keyword) => {
      const name = labelOf(keyword);
      return name && keywords[keyword] ? [{ keyword, name }] : [];
    });
}

/** Whether this may be a label. */
export function isLabel(text: string): boolean {
  const trimmed = text.trim();
  return trimmed !== '' && keywordOf(trimmed).length <= LONGEST;
}

/** One of six tints, always the same for a label. */
export function tint(keyword: string): number {
  let sum = 0;
  for (const letter of keyword) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
  return sum % 6;
}
