// Whether a sender is who they say, in words for people. The server's own Authentication-Results (RFC 8601) stands first: it
// removes those that strangers wrote.
import type { Key } from '../../locales/i18n.svelte';

export interface Authenticity {
  tone: 'success' | 'danger' | 'plain';
  words: Key;
}

const domainOf = (address: string) => address.slice(address.lastIndexOf('@') + 1).toLowerCase();

/** Reads what the server found. A letter without findings was handed in by somebody who had signed in, or brought along. */
export function authenticity(results: readonly string[], from: string, own: string): Authenticity {
  const [found] = results;
  if (found === undefined) {
    return domainOf(from) === domainOf(own) ? { tone: 'success', words: 'auth.inside' } : { tone: 'plain', words: 'auth.unknown' };
  }
  const dmarc = /(?:^|[;\s])dmarc=(\w+)/i.exec(found)?.[1]?.toLowerCase();
  if (dmarc === 'pass') return { tone: 'success', words: 'auth.pass' };
  if (dmarc === 'fail' || dmarc === 'permerror') return { tone: 'danger', words: 'auth.fail' };
  // Nothing is published about the domain: only what signs or allows the very domain counts (RFC 7489 §3.1).
  const aligned = new RegExp(`(?:dkim=pass[^;]*header\\.d=|spf=pass[^;]*smtp\\.mailfrom=\\S*@?)${escaped(domainOf(from))}\\b`, 'i');
  return aligned.test(found) ? { tone: 'success', words: 'auth.pass' } : { tone: 'danger', words: 'auth.none' };
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
