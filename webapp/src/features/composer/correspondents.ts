// What the recipients' field offers: the directory where the server knows one, and whom the account wrote to.
import { correspondentsOf } from '../../state/correspondents';
import { jmap, mailSession } from '../../state/jmap.svelte';
import { recipients, type Letter } from './letter';
import { type Candidate, type Complete, MOST_OFFERED, ranked } from './recipients';

/** The server's own words on recipients (docs/jmap.md). */
export const RECIPIENTS = 'https://congvu.example/jmap/recipients';

/** Completes for a letter, without those whom it goes to already. */
export function completeIn(letter: () => Letter): Complete {
  return async (typed) => {
    const one = letter();
    const [known, past] = await Promise.all([directory(one.accountId, typed), correspondentsOf(one.accountId)]);
    return ranked([...known, ...past], typed, recipients(one));
  };
}

async function directory(accountId: string, typed: string): Promise<readonly Candidate[]> {
  if (!(RECIPIENTS in (mailSession.current?.capabilities ?? {}))) return [];
  try {
    const found = await jmap.call<{ list: Candidate[] }>('Recipients/complete', { accountId, text: typed, limit: MOST_OFFERED }, RECIPIENTS);
    return found.list;
  } catch {
    return [];
  }
}
