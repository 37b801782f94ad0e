// What is asked of the server about recipients before a letter leaves (docs/jmap.md). What cannot be known is not warned of.
import { jmap, mailSession } from '../../state/jmap.svelte';
import { RECIPIENTS } from './correspondents';
import { folded, type Letter, recipients } from './letter';
import type { Fact, Knowledge } from './warnings';

/** What `Recipients/check` says of one address. */
export interface Checked {
  address: string;
  place: 'here' | 'unknown' | 'elsewhere';
  isOfficial: boolean | null;
  rule: { effect: string; citation: { text: string } } | null;
  wroteBefore: boolean;
}

export async function knowledgeFor(letter: Letter): Promise<Knowledge> {
  const addresses = recipients(letter).map(({ email }) => email);
  const nothing: Knowledge = { facts: new Map(), written: null };
  if (!(RECIPIENTS in (mailSession.current?.capabilities ?? {}))) return nothing;
  try {
    const { list } = await jmap.call<{ list: Checked[] }>('Recipients/check', { accountId: letter.accountId, addresses }, RECIPIENTS);
    return known(list);
  } catch {
    return nothing;
  }
}

export function known(list: readonly Checked[]): Knowledge {
  const fact = ({ place, isOfficial, rule }: Checked): Fact => ({
    official: isOfficial, article: rule?.citation.text ?? null, isNobody: place === 'unknown',
  });
  return {
    facts: new Map(list.map((checked) => [folded(checked.address), fact(checked)])),
    written: new Set(list.filter(({ wroteBefore }) => wroteBefore).map(({ address }) => folded(address))),
  };
}
