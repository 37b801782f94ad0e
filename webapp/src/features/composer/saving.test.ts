import { describe, expect, it } from 'vitest';
import { discard, type Invocation, Refused, saveDraft } from './saving';

/** A server of one account: enough of Email/get and Email/set to be raced against. */
class Server {
  state = 1;
  next = 1;
  emails = new Map<string, { keywords: Record<string, boolean> }>();
  log: string[] = [];
  /** Runs before the request of that number. */
  before: Record<number, () => void> = {};
  requests = 0;

  call = async (calls: Invocation[]): Promise<Invocation[]> => {
    this.before[++this.requests]?.();
    return calls.map((one) => this.#one(one));
  };

  #one([name, args]: Invocation): Invocation {
    this.log.push(name);
    const state = `s${this.state}`;
    if (name === 'Email/get') {
      const ids = args['ids'] as string[];
      return [name, { state, list: ids.flatMap((id) => (this.emails.has(id) ? [{ id, ...this.emails.get(id) }] : [])) }];
    }
    if (args['ifInState'] && args['ifInState'] !== state) return ['error', { type: 'stateMismatch' }];
    const [created, notDestroyed]: [Record<string, unknown>, Record<string, unknown>] = [{}, {}];
    for (const [key, email] of Object.entries((args['create'] ?? {}) as Record<string, { keywords: Record<string, boolean> }>)) {
      const id = `e${this.next++}`;
      this.emails.set(id, email);
      created[key] = { id };
      this.state++;
    }
    for (const id of (args['destroy'] ?? []) as string[]) {
      if (!this.emails.delete(id)) notDestroyed[id] = { type: 'notFound' };
      this.state++;
    }
    return [name, { oldState: state, newState: `s${this.state}`, created, notDestroyed }];
  }

  /** Somebody else does something in the account. */
  other(id: string, keywords: Record<string, boolean> | null = { $draft: true }) {
    if (keywords) this.emails.set(id, { keywords });
    else this.emails.delete(id);
    this.state++;
  }
}

const draft = { keywords: { $draft: true } };

describe('saving a draft', () => {
  it('leaves one draft, in two requests', async () => {
    const server = new Server();
    const first = await saveDraft(server.call, 'a1', draft, []);
    const second = await saveDraft(server.call, 'a1', draft, [first.id]);
    expect(second).toEqual({ id: 'e2', left: [], conflict: false });
    expect([...server.emails.keys()]).toEqual(['e2']);
    expect(server.log).toEqual(['Email/set', 'Email/get', 'Email/set', 'Email/set']);
  });

  it('keeps both when an IMAP client or another tab replaced the draft', async () => {
    const server = new Server();
    const { id } = await saveDraft(server.call, 'a1', draft, []);
    server.other(id, null);
    server.other('imap');
    const second = await saveDraft(server.call, 'a1', draft, [id]);
    expect(second.conflict).toBe(true);
    expect([...server.emails.keys()]).toEqual(['imap', second.id]);
  });

  it('does not destroy a draft that was sent elsewhere', async () => {
    const server = new Server();
    const { id } = await saveDraft(server.call, 'a1', draft, []);
    server.other(id, { $seen: true });
    expect(await saveDraft(server.call, 'a1', draft, [id])).toMatchObject({ conflict: true, left: [] });
    expect(server.emails.has(id)).toBe(true);
  });

  it('nor one that is sent between the look and the removal', async () => {
    const server = new Server();
    const { id } = await saveDraft(server.call, 'a1', draft, []);
    server.before[3] = () => server.other(id, { $seen: true });
    expect(await saveDraft(server.call, 'a1', draft, [id])).toMatchObject({ conflict: true, left: [] });
    expect(server.emails.has(id)).toBe(true);
  });

  it('is not disturbed by new mail', async () => {
    const server = new Server();
    const { id } = await saveDraft(server.call, 'a1', draft, []);
    server.before[3] = () => server.other('new', {});
    expect(await saveDraft(server.call, 'a1', draft, [id])).toEqual({ id: 'e2', left: [], conflict: false });
    expect([...server.emails.keys()]).toEqual(['e2', 'new']);
  });

  it('tries the old one again with the next save when the account never rests', async () => {
    const server = new Server();
    const { id } = await saveDraft(server.call, 'a1', draft, []);
    for (let request = 2; request < 20; request++) server.before[request] = () => server.other(`x${request}`, {});
    const second = await saveDraft(server.call, 'a1', draft, [id]);
    expect(second).toMatchObject({ left: [id], conflict: false });
    server.before = {};
    const third = await saveDraft(server.call, 'a1', draft, [second.id, ...second.left]);
    expect(third).toMatchObject({ left: [], conflict: false });
    expect([...server.emails].filter(([, email]) => email.keywords['$draft']).map(([key]) => key)).toEqual([third.id]);
  });

  it('has saved although the line was cut after it', async () => {
    const server = new Server();
    const { id } = await saveDraft(server.call, 'a1', draft, []);
    server.before[3] = () => {
      throw new TypeError('cut');
    };
    expect(await saveDraft(server.call, 'a1', draft, [id])).toEqual({ id: 'e2', left: [id], conflict: false });
  });

  it('says what the server refused', async () => {
    const refuse = async (): Promise<Invocation[]> => [['Email/set', { notCreated: { draft: { type: 'overQuota', description: 'Hộp thư đã đầy.' } } }]];
    await expect(saveDraft(refuse, 'a1', draft, [])).rejects.toEqual(new Refused('overQuota', 'Hộp thư đã đầy.'));
    const citation = { rule: 'S9.1', instrument: '', text: 'Điều 9' };
    const ruled = async (): Promise<Invocation[]> => [['Email/set', { notCreated: { draft: { type: 'forbidden', description: 'Không được.', citation } } }]];
    await expect(saveDraft(ruled, 'a1', draft, [])).rejects.toMatchObject({ article: 'Điều 9' });
    const fail = async (): Promise<Invocation[]> => [['error', { type: 'accountReadOnly' }]];
    await expect(saveDraft(fail, 'a1', draft, [])).rejects.toMatchObject({ type: 'accountReadOnly' });
  });

  it('is thrown away only while it is a draft', async () => {
    const server = new Server();
    const { id } = await saveDraft(server.call, 'a1', draft, []);
    server.other('sent', { $seen: true });
    await discard(server.call, 'a1', [id, 'sent']);
    expect([...server.emails.keys()]).toEqual(['sent']);
  });
});
