// The one way to the server: typed by the interface's own description, with the CSRF token, problems as values.
import type { components } from './schema';

type Schemas = components['schemas'];
export type Person = Schemas['PersonView'];
export type Session = Schemas['SessionView'];
export type Citation = Schemas['CitationView'];
export type Review = Schemas['ReviewItem'];
export type ReviewDetail = Schemas['ReviewDetail'];
export type ReviewList = Schemas['ReviewList'];
export type AppPassword = Schemas['AppPasswordView'];
export type AppPasswords = Schemas['AppPasswordList'];
export type NewAppPassword = Schemas['NewAppPassword'];
export type Outbox = Schemas['OutboxView'];
export type Assignment = Schemas['AssignmentView'];
export type Assignee = Schemas['AssigneeView'];
export type Assignees = Schemas['AssigneeList'];
export type Standing = Schemas['StandingView'];
export type Conversation = Schemas['ConversationView'];
export type Note = Schemas['NoteView'];
export type Present = Schemas['PresentView'];
export type WorkFilter = 'mine' | 'overdue' | 'open' | 'done';
export type Progress = 'assigned' | 'inProgress' | 'done';
export type Activity = 'reading' | 'replying' | 'gone';
export type Decision = 'approve' | 'return' | 'reject';
export type Filter = 'awaiting' | 'decided' | 'mine';

/** The server said no, in words for a person. `kind` is for programs; `offline` when it could not be reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    message: string,
    readonly citation: Citation | null = null,
  ) {
    super(message);
  }
}

type Fetch = typeof fetch;

/** Calls the interface. One for the whole application; the tests make their own. */
export class Client {
  #csrf = '';
  #language: () => string;
  #fetch: Fetch;
  /** Called when the session has ended. */
  onSignedOut: () => void = () => undefined;

  constructor(language: () => string, fetcher: Fetch = (input, init) => fetch(input, init)) {
    this.#language = language;
    this.#fetch = fetcher;
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.#answer(method, `/api/v1${path}`, body);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  }

  /** What every request of the session carries, of this interface and of others at the same door. */
  headers(method: string): Record<string, string> {
    const language = { 'Accept-Language': this.#language() };
    return method !== 'GET' && this.#csrf ? { ...language, 'X-CSRF-Token': this.#csrf } : language;
  }

  async #answer(method: string, path: string, body?: unknown): Promise<Response> {
    const headers = this.headers(method);
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const init: RequestInit = { method, headers, credentials: 'same-origin' };
    if (body !== undefined) init.body = JSON.stringify(body);
    let answer: Response;
    try {
      answer = await this.#fetch(path, init);
    } catch {
      throw new Problem(0, 'offline', '');
    }
    if (answer.ok) return answer;
    const problem = await readProblem(answer);
    if (problem.kind === 'unauthenticated') this.onSignedOut();
    throw problem;
  }

  async signIn(login: string, password: string): Promise<Person> {
    return this.#opened(await this.#call<Session>('POST', '/session', { login, password }));
  }

  /** The session of the browser's cookie; a problem when there is none. */
  async session(): Promise<Person> {
    return this.#opened(await this.#call<Session>('GET', '/session'));
  }

  #opened(session: Session): Person {
    this.#csrf = session.csrf;
    return session.person;
  }

  async signOut(): Promise<void> {
    await this.#call('DELETE', '/session');
    this.#csrf = '';
  }

  changePassword(current: string, next: string): Promise<void> {
    return this.#call('POST', '/password', { current, next });
  }

  me(): Promise<Person> {
    return this.#call('GET', '/me');
  }

  reviews(state: Filter, before?: string): Promise<ReviewList> {
    const page = before ? `&before=${encodeURIComponent(before)}` : '';
    return this.#call('GET', `/reviews?state=${state}${page}`);
  }

  review(id: string): Promise<ReviewDetail> {
    return this.#call('GET', `/reviews/${encodeURIComponent(id)}`);
  }

  /** A file of the interface: an attachment, or a whole message (`link`). */
  async file(path: string): Promise<Blob> {
    return (await this.#answer('GET', path)).blob();
  }

  decide(id: string, decision: Decision, digest: string, comment?: string): Promise<Review> {
    const body = { decision, digest, ...(comment ? { comment } : {}) };
    return this.#call('POST', `/reviews/${encodeURIComponent(id)}/decision`, body);
  }

  withdraw(id: string): Promise<Review> {
    return this.#call('POST', `/reviews/${encodeURIComponent(id)}/withdraw`, {});
  }

  appPasswords(): Promise<AppPasswords> {
    return this.#call('GET', '/app-passwords');
  }

  createAppPassword(name: string): Promise<NewAppPassword> {
    return this.#call('POST', '/app-passwords', { name });
  }

  revokeAppPassword(id: string): Promise<void> {
    return this.#call('DELETE', `/app-passwords/${encodeURIComponent(id)}`);
  }

  async work(filter: WorkFilter): Promise<Assignment[]> {
    return (await this.#call<Schemas['WorkList']>('GET', `/work?filter=${filter}&limit=200`)).work;
  }

  assignees(account: string): Promise<Assignees> {
    return this.#call('GET', `/accounts/${encodeURIComponent(account)}/assignees`);
  }

  async standings(account: string, threads: string[]): Promise<Standing[]> {
    const path = `/accounts/${encodeURIComponent(account)}/conversations/look-up`;
    return (await this.#call<Schemas['ConversationList']>('POST', path, { threads })).conversations;
  }

  conversation(account: string, thread: string): Promise<Conversation> {
    return this.#call('GET', conversationPath(account, thread));
  }

  assign(account: string, thread: string, order: Schemas['AssignmentRequest']): Promise<Assignment> {
    return this.#call('POST', `${conversationPath(account, thread)}/assignment`, order);
  }

  progress(account: string, thread: string, step: Schemas['ProgressRequest']): Promise<Assignment> {
    return this.#call('POST', `${conversationPath(account, thread)}/progress`, step);
  }

  note(account: string, thread: string, text: string): Promise<Note> {
    return this.#call('POST', `${conversationPath(account, thread)}/notes`, { text });
  }

  /** Says what the person does with a conversation; tells who else has it open. */
  async attend(account: string, thread: string, activity: Activity): Promise<Present[]> {
    const path = `${conversationPath(account, thread)}/presence`;
    return (await this.#call<Schemas['PresentList']>('POST', path, { activity })).present;
  }

  outbox(): Promise<Outbox> {
    return this.#call('GET', '/outbox');
  }
}

function conversationPath(account: string, thread: string): string {
  return `/accounts/${encodeURIComponent(account)}/conversations/${encodeURIComponent(thread)}`;
}

/** Where a browser can fetch what is not JSON. */
export const link = {
  html: (id: string) => `/api/v1/reviews/${encodeURIComponent(id)}/html`,
  message: (id: string) => `/api/v1/reviews/${encodeURIComponent(id)}/message`,
  attachment: (id: string, index: number) => `/api/v1/reviews/${encodeURIComponent(id)}/attachments/${index}`,
  captured: (id: string) => `/api/v1/outbox/${encodeURIComponent(id)}`,
};

async function readProblem(answer: Response): Promise<Problem> {
  try {
    const body = (await answer.json()) as Partial<Schemas['ProblemBody']>;
    return new Problem(answer.status, body.kind ?? 'fault', body.detail ?? '', body.citation ?? null);
  } catch {
    return new Problem(answer.status, 'fault', '');
  }
}
