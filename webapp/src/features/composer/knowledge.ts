// What is asked of the server about recipients before a letter leaves. What cannot be known is not warned of.
import type { QueryResponse } from '../../jmap/types';
import { recipientFacts } from '../../state/recipients';
import { jmap } from '../../state/jmap.svelte';
import { mailboxesOf } from '../../state/mailboxes.svelte';
import { folded, type Letter, recipients } from './letter';
import type { Knowledge } from './warnings';

/** For more recipients than this nobody reads who is new among them. */
const MOST_ASKED = 20;

export async function knowledgeFor(letter: Letter, from: string): Promise<Knowledge> {
  const emails = recipients(letter).map(({ email }) => email);
  const [facts, written] = await Promise.all([
    recipientFacts(from, emails).catch(() => []),
    writtenTo(letter.accountId, emails).catch(() => null),
  ]);
  return { facts: new Map(facts.map(({ address, official, article }) => [folded(address), { official, article }])), written };
}

async function writtenTo(accountId: string, emails: readonly string[]): Promise<Set<string> | null> {
  const inMailbox = mailboxesOf(accountId).withRole('sent')?.id;
  if (!inMailbox || emails.length > MOST_ASKED) return null;
  const answers = await Promise.all(
    emails.map((email) => {
      const anywhere = { operator: 'OR', conditions: [{ to: email }, { cc: email }, { bcc: email }] };
      const filter = { operator: 'AND', conditions: [{ inMailbox }, anywhere] };
      return jmap.call<QueryResponse>('Email/query', { accountId, filter, limit: 1 });
    }),
  );
  return new Set(emails.filter((_, at) => (answers[at]?.ids.length ?? 0) > 0).map(folded));
}
