// Addresses that a letter may lead to.
/** The address as it goes into a letter, or null: pages and mail alone, with https where nothing is said. */
export function linkOf(typed: string): string | null {
  const text = typed.trim();
  if (text === '' || /\s/.test(text)) return null;
  if (/^(https?:\/\/|tel:)/i.test(text)) return parses(text) ? text : null;
  if (/^mailto:/i.test(text)) return text;
  if (/^[a-z][a-z0-9+.-]*:(?!\d)/i.test(text)) return null;
  if (/^[^@/]+@[^@/]+\.[^@/]+$/.test(text)) return `mailto:${text}`;
  return text.includes('.') && parses(`https://${text}`) ? `https://${text}` : null;
}

function parses(text: string): boolean {
  return URL.canParse(text);
}
