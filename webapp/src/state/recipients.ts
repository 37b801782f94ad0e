// What the regulation says of recipients (S2.2b, S8.3a): judged by the server, kept while the application is open.
import { client } from './session.svelte';

export interface RecipientFact {
  address: string;
  official: boolean | null;
  article: string | null;
}

/** The interface takes so many at once. */
const AT_ONCE = 200;
const MOST_KEPT = 2_000;
const kept = new Map<string, RecipientFact>();

/** What the regulation of the sender's agency says. */
export async function recipientFacts(from: string, addresses: readonly string[]): Promise<RecipientFact[]> {
  const key = (address: string) => `${from} ${address}`;
  const unknown = addresses.filter((address) => !kept.has(key(address)));
  if (kept.size + unknown.length > MOST_KEPT) kept.clear();
  for (let at = 0; at < unknown.length; at += AT_ONCE) {
    const { recipients } = await client.recipients(from, unknown.slice(at, at + AT_ONCE));
    for (const { address, official, citation } of recipients) {
      kept.set(key(address), { address, official: official ?? null, article: citation?.text ?? null });
    }
  }
  return addresses.flatMap((address) => kept.get(key(address)) ?? []);
}
