// Speaks JMAP (RFC 8620): the calls of one turn of the event loop travel in one request.
import { Problem } from '../api/client';
import { upload, type UploadProgress } from './upload';
import {
  type Arguments, type ChangesResponse, CORE, type CoreCapability, type Id, type Invocation, MAIL, type Response as JmapResponse,
  type ResultReference, type Session, type SetError, type State, type UploadResponse,
} from './types';

/** A method or an object was refused. `type` is JMAP's word for why, `message` the server's sentence. */
export class JmapError extends Problem {
  constructor(
    readonly type: string,
    description: string,
    status = 200,
    readonly detail: SetError | null = null,
  ) {
    super(status, type, description);
  }
}

/** What the client needs of its surroundings. */
export interface Surroundings {
  /** Headers of the session: language, CSRF token. */
  headers: (method: string) => Record<string, string>;
  signedOut: () => void;
  fetch?: typeof fetch;
}

/** A call under way: a promise, and a thing that later calls of the same turn may refer to. */
export class Call<T> implements PromiseLike<T> {
  readonly promise: Promise<T>;
  settle!: { resolve: (value: T) => void; reject: (error: unknown) => void };
  sent = false;

  constructor(
    readonly id: string,
    readonly name: string,
    readonly args: Arguments,
    readonly using: string,
  ) {
    this.promise = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    // Who only refers to a call, and does not wait for it, hears of its failure by their own.
    this.promise.catch(() => undefined);
  }

  /** A reference to a part of this call's answer (RFC 8620 §3.7). */
  ref(path: string): ResultReference {
    if (this.sent) throw new Error('the call was sent already');
    return { resultOf: this.id, name: this.name, path };
  }

  // The calls are awaited like promises.
  then<A = T, B = never>(ok?: ((value: T) => A | PromiseLike<A>) | null, no?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<A | B> {
    return this.promise.then(ok, no);
  }
}

const DEFAULT_CALLS = 16;
/** Rounds of a /changes loop; whoever is further behind reads anew. */
const MOST_ROUNDS = 20;

export class JmapClient {
  #around: Surroundings;
  #session: Promise<Session> | null = null;
  #limits: Partial<CoreCapability> = {};
  #waiting: Call<unknown>[] = [];
  #last = 0;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** The session resource; asked for once, again after `forget`. */
  session(): Promise<Session> {
    this.#session ??= this.#readSession().catch((error: unknown) => {
      this.#session = null;
      throw error;
    });
    return this.#session;
  }

  forget(): void {
    this.#session = null;
  }

  async #readSession(): Promise<Session> {
    // RFC 8620 §2.2
    const answer = await this.#fetch('GET', '/.well-known/jmap');
    const session = sameOrigin((await answer.json()) as Session);
    this.#limits = (session.capabilities[CORE] ?? {}) as Partial<CoreCapability>;
    return session;
  }

  /** How many objects one call may read or change. */
  get maxObjects(): number {
    return Math.min(this.#limits.maxObjectsInGet ?? 500, this.#limits.maxObjectsInSet ?? 500, 500);
  }

  /** Puts a call into the request of this turn. */
  call<T>(name: string, args: Arguments, using: string = MAIL): Call<T> {
    const call = new Call<T>(`c${this.#last++}`, name, args, using);
    if (this.#waiting.length === 0) queueMicrotask(() => void this.#flush());
    this.#waiting.push(call as Call<unknown>);
    return call;
  }

  async #flush(): Promise<void> {
    const calls = this.#waiting;
    this.#waiting = [];
    for (const call of calls) call.sent = true;
    try {
      const session = await this.session();
      const most = this.#limits.maxCallsInRequest ?? DEFAULT_CALLS;
      await Promise.all(requests(calls, most).map((some) => this.#post(session.apiUrl, some)));
    } catch (error) {
      for (const call of calls) call.settle.reject(error);
    }
  }

  async #post(url: string, calls: Call<unknown>[]): Promise<void> {
    try {
      const using = [...new Set([CORE, ...calls.map((call) => call.using)])];
      const methodCalls: Invocation[] = calls.map((call) => [call.name, call.args, call.id]);
      const answer = await this.#fetch('POST', url, JSON.stringify({ using, methodCalls }));
      answerEach(calls, (await answer.json()) as JmapResponse);
    } catch (error) {
      for (const call of calls) call.settle.reject(error);
    }
  }

  async #fetch(method: string, path: string, body?: string): Promise<Response> {
    const headers = { ...this.#around.headers(method), Accept: 'application/json', ...(body ? { 'Content-Type': 'application/json' } : {}) };
    let answer: Response;
    try {
      answer = await (this.#around.fetch ?? fetch)(path, { method, headers, credentials: 'same-origin', ...(body ? { body } : {}) });
    } catch {
      throw new Problem(0, 'offline', '');
    }
    if (answer.ok) return answer;
    const problem = await requestError(answer);
    if (answer.status === 401) this.#around.signedOut();
    throw problem;
  }

  /** All changes since a state (RFC 8620 §5.2); null when the server cannot tell them and all is to be read anew. */
  async changes(type: string, accountId: Id, since: State): Promise<ChangesResponse | null> {
    const all: ChangesResponse = { accountId, oldState: since, newState: since, hasMoreChanges: false, created: [], updated: [], destroyed: [] };
    for (let round = 0; round < MOST_ROUNDS; round++) {
      let next: ChangesResponse;
      try {
        next = await this.call<ChangesResponse>(`${type}/changes`, { accountId, sinceState: all.newState, maxChanges: this.maxObjects });
      } catch (error) {
        if (error instanceof JmapError && error.type === 'cannotCalculateChanges') return null;
        throw error;
      }
      all.created.push(...next.created);
      all.updated.push(...next.updated);
      all.destroyed.push(...next.destroyed);
      all.newState = next.newState;
      if (next.updatedProperties !== undefined) all.updatedProperties = round === 0 ? next.updatedProperties : null;
      if (!next.hasMoreChanges) return all;
    }
    return null;
  }

  /** Where a blob can be fetched (RFC 8620 §6.2), known once the session is. */
  async downloadUrl(accountId: Id, blobId: Id, name: string, type: string): Promise<string> {
    return fill((await this.session()).downloadUrl, { accountId, blobId, name, type });
  }

  /** The bytes of a blob. */
  async download(accountId: Id, blobId: Id, name: string, type: string): Promise<Blob> {
    return (await this.#fetch('GET', await this.downloadUrl(accountId, blobId, name, type))).blob();
  }

  /** Stores bytes and gives their blob id (RFC 8620 §6.1). */
  async upload(accountId: Id, body: Blob, progress?: UploadProgress, signal?: AbortSignal): Promise<UploadResponse> {
    const url = fill((await this.session()).uploadUrl, { accountId });
    return upload(url, body, this.#around.headers('POST'), progress, signal);
  }
}

/** The addresses as paths: this application is served by the same door, whatever name a proxy gave it. */
function sameOrigin(session: Session): Session {
  const path = (url: string) => url.replace(/^https?:\/\/[^/]+/, '');
  const { apiUrl, downloadUrl, uploadUrl, eventSourceUrl } = session;
  return { ...session, apiUrl: path(apiUrl), downloadUrl: path(downloadUrl), uploadUrl: path(uploadUrl), eventSourceUrl: path(eventSourceUrl) };
}

/** Fills a URI template of the session's (RFC 6570 level 1). */
export function fill(template: string, values: Record<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
}

/** Cuts calls into requests of at most `most`; a call stays with those that it refers to. */
export function requests(calls: Call<unknown>[], most: number): Call<unknown>[][] {
  const groups = new Map<string, Call<unknown>[]>();
  const rootOf = new Map<string, string>();
  for (const call of calls) {
    const referred = Object.entries(call.args).find(([name]) => name.startsWith('#'))?.[1] as ResultReference | undefined;
    const root = (referred && rootOf.get(referred.resultOf)) ?? call.id;
    rootOf.set(call.id, root);
    groups.set(root, [...(groups.get(root) ?? []), call]);
  }
  const all: Call<unknown>[][] = [];
  for (const group of groups.values()) {
    const open = all.at(-1);
    if (open && open.length + group.length <= most) open.push(...group);
    else all.push(group);
  }
  return all;
}

const SILENT: Invocation = ['error', { type: 'serverFail' }, ''];

function answerEach(calls: Call<unknown>[], response: JmapResponse): void {
  // A call may be answered more than once (RFC 8620 §3.2); the first answer under its own name counts.
  const answers = new Map<string, Invocation>();
  for (const answer of response.methodResponses) if (!answers.has(answer[2])) answers.set(answer[2], answer);
  for (const call of calls) {
    const [name, args] = answers.get(call.id) ?? SILENT;
    if (name !== 'error') call.settle.resolve(args);
    else call.settle.reject(new JmapError(String(args['type']), String(args['description'] ?? '')));
  }
}

async function requestError(answer: Response): Promise<Problem> {
  try {
    // RFC 8620 §3.6.1, or the interface's own problem.
    const body = (await answer.json()) as { type?: string; kind?: string; detail?: string };
    return new JmapError(body.kind ?? body.type ?? 'serverFail', body.detail ?? '', answer.status);
  } catch {
    return new JmapError('serverFail', '', answer.status);
  }
}
