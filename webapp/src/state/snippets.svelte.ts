// What of the emails that were found matched (RFC 8621 §5), asked for as they come into sight.
import { SvelteMap } from 'svelte/reactivity';
import type { EmailFilter, Id, SearchSnippet } from '../jmap/types';
import { jmap } from './jmap.svelte';

export class Snippets {
  readonly all = new SvelteMap<Id, SearchSnippet>();
  #asked = new Set<Id>();

  constructor(
    readonly accountId: Id,
    readonly filter: EmailFilter,
  ) {}

  async load(ids: readonly Id[]): Promise<void> {
    const fresh = ids.filter((id) => !this.#asked.has(id));
    if (fresh.length === 0) return;
    for (const id of fresh) this.#asked.add(id);
    const { accountId, filter } = this;
    const got = await jmap.call<{ list: SearchSnippet[] }>('SearchSnippet/get', { accountId, filter, emailIds: fresh });
    for (const snippet of got.list) this.all.set(snippet.emailId, snippet);
  }
}
