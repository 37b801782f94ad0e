// How a draft is saved: the new one is made first, then the old one is taken away, and only when nobody else touched it.
// An email never changes (RFC 8621 §4), so another tab, another person or an IMAP client that edits the same draft leaves
// the one we know of gone, sent or filed elsewhere. Then both are kept.

export type Invocation = [name: string, args: Record<string, unknown>];

/** Sends method calls in one request; answers with what each returned, in their order. Throws when the server cannot be reached. */
export type Call = (calls: Invocation[]) => Promise<Invocation[]>;

/** The server said no to what was to be made; `type` is the RFC's word. */
export class Refused extends Error {
  constructor(
    readonly type: string,
    readonly description: string,
    readonly article: string | null = null,
  ) {
    super(description || type);
  }
}

export interface Saved {
  id: string;
  /** Older ones that could not be taken away yet; the next save tries again. */
  left: string[];
  /** Whether somebody else changed the draft meanwhile. */
  conflict: boolean;
}

const ROUNDS = 4;

/** Saves `email` as a new draft in the place of `olds`. */
export async function saveDraft(call: Call, accountId: string, email: Record<string, unknown>, olds: readonly string[]): Promise<Saved> {
  const look: Invocation = ['Email/get', { accountId, ids: olds, properties: ['id', 'keywords'] }];
  const make: Invocation = ['Email/set', { accountId, create: { draft: email } }];
  const answers = await call(olds.length > 0 ? [look, make] : [make]);
  const made = answers.at(-1);
  const id = createdId(made, 'draft');
  if (olds.length === 0) return { id, left: [], conflict: false };
  const seen = drafts(answers[0], olds);
  const set = made?.[1] ?? {};
  // Nothing happened between the look and the new draft: what was seen still holds in the state after it.
  const state = seen.state !== null && seen.state === set['oldState'] ? text(set['newState']) : null;
  try {
    const rest = await remove(call, accountId, seen.ids, state);
    return { id, left: rest.left, conflict: seen.gone || rest.gone };
  } catch {
    // The text is safe; the old draft is looked at again with the next save.
    return { id, left: seen.ids, conflict: seen.gone };
  }
}

/** Takes drafts away, each only while it still is one. */
export async function discard(call: Call, accountId: string, ids: readonly string[]): Promise<void> {
  await remove(call, accountId, [...ids], null);
}

async function remove(call: Call, accountId: string, ids: string[], known: string | null): Promise<{ left: string[]; gone: boolean }> {
  let [left, state, gone] = [ids, known, false];
  for (let round = 0; round < ROUNDS && left.length > 0; round++) {
    if (state === null) {
      const [answer] = await call([['Email/get', { accountId, ids: left, properties: ['id', 'keywords'] }]]);
      const seen = drafts(answer, left);
      [left, state, gone] = [seen.ids, seen.state, gone || seen.gone];
      if (left.length === 0) break;
    }
    const [answer] = await call([['Email/set', { accountId, ifInState: state, destroy: left }]]);
    if (answer?.[0] === 'Email/set') return { left: [], gone: gone || hasKeys(answer[1]['notDestroyed']) };
    // stateMismatch: something changed in the account, perhaps not this draft. Look again.
    state = null;
  }
  return { left, gone };
}

function drafts(answer: Invocation | undefined, wanted: readonly string[]): { ids: string[]; state: string | null; gone: boolean } {
  if (answer?.[0] !== 'Email/get') return { ids: [...wanted], state: null, gone: false };
  const list = (answer[1]['list'] ?? []) as { id: string; keywords?: Record<string, boolean> }[];
  const ids = list.filter((email) => email.keywords?.['$draft']).map((email) => email.id);
  return { ids, state: text(answer[1]['state']), gone: ids.length < wanted.length };
}

/** The id of what was made, or the refusal. */
export function createdId(answer: Invocation | undefined, name: string): string {
  const [method = 'error', args = {}] = answer ?? [];
  const made = (args['created'] as Record<string, { id?: string }> | null | undefined)?.[name]?.id;
  if (method !== 'error' && made) return made;
  throw refusal(method === 'error' ? args : ((args['notCreated'] as Record<string, unknown> | null | undefined)?.[name] ?? {}));
}

/** The refusal that a method or set error is. */
export function refusal(error: unknown): Refused {
  const { type, description, citation } = (error ?? {}) as Record<string, unknown>;
  const article = (citation as { text?: unknown } | null | undefined)?.text;
  return new Refused(text(type) ?? 'serverFail', text(description) ?? '', text(article));
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function hasKeys(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}
