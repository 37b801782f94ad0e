// A small JMAP server in memory, for tests: folders, emails, threads, one account, back-references and changes.
import { type EmailCondition, type EmailFilter, type EmailRow, type Id, type Invocation, type Mailbox, type ResultReference, VIEW } from './types';

type Args = Record<string, unknown>;
export type FakeEmail = EmailRow & Record<string, unknown>;

const RIGHTS = {
  mayReadItems: true, mayAddItems: true, mayRemoveItems: true, maySetSeen: true, maySetKeywords: true,
  mayCreateChild: true, mayRename: true, mayDelete: true, maySubmit: true,
};

export const ACCOUNT = 'a1';

export class FakeServer {
  state = 1;
  mailboxes = new Map<Id, Mailbox>();
  emails = new Map<Id, FakeEmail>();
  /** What changed at which state. */
  log: { state: number; type: string; id: Id; how: 'created' | 'updated' | 'destroyed' }[] = [];
  /** Refuses every change, with this sentence. */
  refusal: string | null = null;
  calls: Invocation[] = [];

  mailbox(id: Id, name: string, role: string | null = null, parentId: Id | null = null): void {
    const counts = { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 };
    this.mailboxes.set(id, { id, name, role, parentId, sortOrder: 0, ...counts, myRights: { ...RIGHTS, mayDelete: role === null, mayRename: role === null }, isSubscribed: true });
  }

  email(id: Id, mailbox: Id, more: Partial<FakeEmail> = {}): void {
    this.emails.set(id, {
      id, threadId: `t${id}`, mailboxIds: { [mailbox]: true }, keywords: {}, receivedAt: '2026-11-25T01:00:00Z', size: 1000, hasAttachment: false,
      subject: `Thư ${id}`, from: [{ name: 'Lê Thị Mai', email: 'ltmai@khanhhoa.example' }], to: [], preview: '', ...more,
    });
  }

  note(type: string, id: Id, how: 'created' | 'updated' | 'destroyed'): void {
    this.log.push({ state: ++this.state, type, id, how });
  }

  /** Answers a request's calls, one after the other. */
  answer(calls: Invocation[]): Invocation[] {
    const answers: Invocation[] = [];
    for (const [name, args, id] of calls) {
      this.calls.push([name, args, id]);
      try {
        answers.push([name, this.#method(name, resolve(args, answers)), id]);
      } catch (error) {
        answers.push(['error', { type: String((error as Error).message) }, id]);
      }
    }
    return answers;
  }

  #method(name: string, args: Args): Args {
    switch (name) {
      case 'Mailbox/get': return this.#get([...this.mailboxes.values()].map((mailbox) => this.#counted(mailbox)), args);
      case 'Email/get': return this.#get([...this.emails.values()], args);
      case 'Thread/get': return this.#threads(args['ids'] as Id[]);
      case 'Email/query': return this.#query(args);
      case 'Email/set': return this.#set('Email', this.emails, args);
      case 'Mailbox/set': return this.#set('Mailbox', this.mailboxes, args);
      case 'Email/changes': return this.#changes('Email', args);
      case 'Mailbox/changes': return this.#changes('Mailbox', args);
      case 'EmailView/get': return this.#get([...this.emails.values()].map((email) => ({ id: email.id, ...(email['view'] as object | undefined) })), args);
      case 'SearchSnippet/get': return { list: (args['emailIds'] as Id[]).map((emailId) => ({ emailId, subject: null, preview: null })) };
      default: throw new Error('unknownMethod');
    }
  }

  #counted(mailbox: Mailbox): Mailbox {
    const inside = [...this.emails.values()].filter((email) => email.mailboxIds[mailbox.id]);
    const unread = inside.filter((email) => !email.keywords['$seen']);
    return { ...mailbox, totalEmails: inside.length, unreadEmails: unread.length, totalThreads: inside.length, unreadThreads: unread.length };
  }

  #get<T extends { id: Id }>(all: T[], args: Args): Args {
    const ids = args['ids'] as Id[] | null;
    const byId = new Map(all.map((one) => [one.id, one]));
    const list = ids === null ? all : ids.flatMap((id) => byId.get(id) ?? []);
    return { accountId: ACCOUNT, state: String(this.state), list, notFound: (ids ?? []).filter((id) => !byId.has(id)) };
  }

  #threads(ids: Id[]): Args {
    const members = new Map<Id, Id[]>();
    for (const email of this.#sorted().reverse()) members.set(email.threadId, [...(members.get(email.threadId) ?? []), email.id]);
    return { accountId: ACCOUNT, state: String(this.state), list: [...new Set(ids)].map((id) => ({ id, emailIds: members.get(id) ?? [] })), notFound: [] };
  }

  #sorted(): FakeEmail[] {
    return [...this.emails.values()].sort((a, b) => b.receivedAt.localeCompare(a.receivedAt));
  }

  #query(args: Args): Args {
    let found = this.#sorted().filter((email) => matches(email, (args['filter'] ?? {}) as EmailFilter));
    if (args['collapseThreads']) {
      const seen = new Set<Id>();
      found = found.filter((email) => !seen.has(email.threadId) && seen.add(email.threadId));
    }
    const position = Number(args['position'] ?? 0);
    const ids = found.slice(position, position + Number(args['limit'] ?? 50)).map((email) => email.id);
    return { accountId: ACCOUNT, queryState: String(this.state), canCalculateChanges: false, position, ids, total: found.length };
  }

  #set(type: string, all: Map<Id, { id: Id }>, args: Args): Args {
    const refused = (ids: string[]) => Object.fromEntries(ids.map((id) => [id, { type: 'forbidden', description: this.refusal }]));
    const [create, update, destroy] = [args['create'] ?? {}, args['update'] ?? {}, args['destroy'] ?? []] as [Record<Id, Args>, Record<Id, Args>, Id[]];
    if (this.refusal !== null) {
      return { notCreated: refused(Object.keys(create)), notUpdated: refused(Object.keys(update)), notDestroyed: refused(destroy) };
    }
    const created: Record<Id, Args> = {};
    for (const [key, properties] of Object.entries(create)) {
      const id = `n${this.state}`;
      if (type === 'Mailbox') this.mailbox(id, String(properties['name']), null, (properties['parentId'] as Id | null) ?? null);
      created[key] = { id };
      this.note(type, id, 'created');
    }
    for (const [id, patch] of Object.entries(update)) {
      const one = all.get(id);
      if (one) all.set(id, patched(one, patch));
      this.note(type, id, 'updated');
    }
    for (const id of destroy) {
      all.delete(id);
      this.note(type, id, 'destroyed');
    }
    return { created, updated: Object.fromEntries(Object.keys(update).map((id) => [id, null])), destroyed: destroy, newState: String(this.state) };
  }

  #changes(type: string, args: Args): Args {
    const since = Number(args['sinceState']);
    const of = (how: string) => [...new Set(this.log.filter((l) => l.type === type && l.state > since && l.how === how).map((l) => l.id))];
    return { oldState: String(since), newState: String(this.state), hasMoreChanges: false, created: of('created'), updated: of('updated'), destroyed: of('destroyed') };
  }

  /** A `fetch` that reaches this server. */
  readonly fetch = ((input: RequestInfo | URL, init?: RequestInit) => {
    const body = String(input).startsWith('/.well-known') ? this.session() : { methodResponses: this.answer((JSON.parse(String(init?.body)) as { methodCalls: Invocation[] }).methodCalls), sessionState: 's' };
    return Promise.resolve(new Response(JSON.stringify(body)));
  }) as typeof fetch;

  session(): Args {
    const mail = 'urn:ietf:params:jmap:mail';
    const core = { maxCallsInRequest: 16, maxObjectsInGet: 500, maxObjectsInSet: 500 };
    return {
      capabilities: { 'urn:ietf:params:jmap:core': core, [mail]: {}, [VIEW]: {} },
      accounts: { [ACCOUNT]: { name: 'ltmai@khanhhoa.example', isPersonal: true, isReadOnly: false, accountCapabilities: { [mail]: {} } } },
      primaryAccounts: { [mail]: ACCOUNT }, username: 'ltmai@bqlctgt', apiUrl: '/jmap/api',
      downloadUrl: '/jmap/download/{accountId}/{blobId}/{name}?type={type}', uploadUrl: '/jmap/upload/{accountId}/',
      eventSourceUrl: '/jmap/events?types={types}&closeafter={closeafter}&ping={ping}', state: 's',
    };
  }
}

/** Puts the values of earlier answers where a call refers to them (RFC 8620 §3.7). */
function resolve(args: Args, answers: Invocation[]): Args {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => {
    if (!name.startsWith('#')) return [name, value];
    const { resultOf, path } = value as ResultReference;
    const [, from] = answers.find(([, , id]) => id === resultOf) ?? [];
    return [name.slice(1), path.split('/').slice(1).reduce<unknown>(step, from)];
  }));
}

function step(at: unknown, part: string): unknown {
  if (Array.isArray(at) && part !== '*') return at.flatMap((one) => (one as Args)[part]);
  return part === '*' ? at : (at as Args)[part];
}

function patched<T extends { id: Id }>(one: T, patch: Args): T {
  const next = structuredClone(one) as Args;
  for (const [path, value] of Object.entries(patch)) {
    const [property = '', ...rest] = path.split('/');
    if (rest.length === 0) next[property] = value;
    else {
      const inner = { ...(next[property] as Args) };
      const key = rest.join('/').replaceAll('~1', '/').replaceAll('~0', '~');
      if (value === null) Reflect.deleteProperty(inner, key);
      else inner[key] = value;
      next[property] = inner;
    }
  }
  return next as T;
}

function matches(email: FakeEmail, filter: EmailFilter): boolean {
  if ('operator' in filter) {
    const each = filter.conditions.map((condition) => matches(email, condition));
    return filter.operator === 'AND' ? each.every(Boolean) : filter.operator === 'OR' ? each.some(Boolean) : !each.some(Boolean);
  }
  const words = (email: FakeEmail) => `${email.subject} ${email.preview} ${email.from?.map((f) => `${f.name} ${f.email}`).join(' ')}`.toLowerCase();
  const tests: { [name in keyof EmailCondition]?: (wanted: never) => boolean } = {
    inMailbox: (id: Id) => email.mailboxIds[id] === true,
    hasKeyword: (keyword: string) => email.keywords[keyword] === true,
    notKeyword: (keyword: string) => !email.keywords[keyword],
    hasAttachment: (wanted: boolean) => email.hasAttachment === wanted,
    text: (text: string) => words(email).includes(text.toLowerCase()),
    from: (text: string) => JSON.stringify(email.from).toLowerCase().includes(text.toLowerCase()),
    subject: (text: string) => (email.subject ?? '').toLowerCase().includes(text.toLowerCase()),
  };
  return Object.entries(filter).every(([name, wanted]) => (tests[name as keyof EmailCondition] as ((w: unknown) => boolean) | undefined)?.(wanted) ?? true);
}
