// The text form of a letter.
import { cited } from '../../ui/editor/text';
import type { Quote } from './letter';

/** The text form of a whole letter. */
export function textOf(body: string, signature: string, quote: Quote | null): string {
  const parts = [body];
  // RFC 3676 §4.3: after "-- " readers hide everything, a quote too; so it stands only at the very end.
  if (signature !== '') parts.push(`${quote ? '' : '-- \n'}${signature}`);
  if (quote) parts.push([...quote.head, ...(quote.kind === 'forward' ? ['', quote.text] : quote.text.split('\n').map(cited))].join('\n'));
  return parts.join('\n\n');
}
