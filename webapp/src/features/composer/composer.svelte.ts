// One letter being written: opened, kept, sent.
import { Autosave, type State } from './autosave';
import type { Desk } from './desk';
import { hex } from './files';
import { blank, type Enclosure, type Letter, recipients } from './letter';
import type { Copies, Copy } from './local';
import { shownCids } from './markup';
import { created, fromDraft } from './message';
import { toHtml, toText } from '../../ui/editor/text';
import { answer, intoText, redirected } from './quote';
import { writtenTo } from './reply';
import { discard, Refused, saveDraft } from './saving';
import { addressOf, from, type Sender, senderOf, senderWith, signatureOf } from './senders';
import { type Hold, mark, send, type Sent, sentBefore } from './sending';
import { Uploads } from './uploads.svelte';

/** What is to be written. */
export interface Request {
  kind: 'new' | 'reply' | 'replyAll' | 'forward' | 'redirect' | 'draft';
  accountId: string;
  emailId?: string;
  to?: string[];
  subject?: string;
}

export type Look = 'docked' | 'full' | 'minimised';
/** Something that the person should know of this letter; the words are `composer.notice.<notice>`. */
export type Notice = 'restored' | 'filesLost' | 'conflict' | 'noRoom' | 'noDrafts';

/** The message that is answered or passed on, to be marked once the letter is sent. */
interface Origin {
  accountId: string;
  emailId: string;
  keyword: '$answered' | '$forwarded';
}

/** A letter that left, with what it takes to bring it back. */
export interface Gone {
  sent: Sent;
  letter: Letter;
  sender: Sender;
  draftId: string | null;
  origin: Origin | null;
}

const COPY_AFTER = 400;

export class Composer {
  readonly id: string;
  letter = $state.raw<Letter>(blank(''));
  senders = $state.raw<readonly Sender[]>([]);
  phase = $state<'opening' | 'writing' | 'sending'>('opening');
  failure = $state.raw<unknown>(null);
  saving = $state<State>('clean');
  savedAt = $state<number | null>(null);
  notices = $state.raw<readonly Notice[]>([]);
  look = $state<Look>('docked');
  /** Changes when the body was changed from outside the editor, which then reads it again. */
  version = $state(0);
  readonly uploads: Uploads;
  /** The editor hands over what it holds when it is asked. */
  editor: (() => string) | null = null;
  readonly #auto: Autosave;
  #olds: string[] = [];
  #savedIn = '';
  #origin = $state.raw<Origin | null>(null);
  #tried: string | null = null;
  #copying: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(
    private readonly desk: Desk,
    private readonly copies: Copies,
    id = hex(8),
  ) {
    this.id = id;
    this.#auto = new Autosave(() => this.#save(), (state) => (this.saving = state));
    this.uploads = new Uploads(
      (file, progress, signal) => desk.upload(this.letter.accountId, file, progress, signal),
      (enclosure) => this.change({ enclosures: [...this.letter.enclosures, enclosure] }),
    );
  }

  /** The email that is being answered here. */
  get answers(): string | null {
    return this.#origin?.keyword === '$answered' ? this.#origin.emailId : null;
  }

  get sender(): Sender | null {
    return senderOf(this.senders, this.letter);
  }

  /** Whether this window writes on at a draft. */
  writes(draftId: string): boolean {
    return this.#olds.includes(draftId);
  }

  /** Why the letter could not be saved, when it could not. */
  get trouble(): unknown {
    return this.saving === 'failed' ? this.#auto.error : null;
  }

  /** Fills the letter in; a failure is shown with a way to try again. */
  async open(request: Request): Promise<void> {
    this.phase = 'opening';
    this.failure = null;
    try {
      this.senders = await this.desk.senders();
      this.letter = await this.#fill(request);
      this.version++;
      this.phase = 'writing';
    } catch (error) {
      this.failure = error;
    }
  }

  async #fill(request: Request): Promise<Letter> {
    const { kind, accountId, emailId } = request;
    if (kind === 'new' || !emailId) return this.#signed({ ...blank(accountId), to: addresses(request.to), subject: request.subject ?? '' }, null);
    const email = await this.desk.read(accountId, emailId);
    if (kind === 'draft') {
      this.#olds = [email.id];
      this.#savedIn = accountId;
      const sender = senderWith(this.senders, accountId, email.from?.[0]?.email ?? null);
      return fromDraft(email, accountId, sender?.identity.id ?? null, this.desk.means.clean);
    }
    const own = this.senders.map((sender) => sender.identity.email);
    const letter = kind === 'redirect' ? redirected(email, accountId) : answer(kind, email, accountId, own, this.desk.means);
    this.#origin = { accountId, emailId, keyword: kind === 'reply' || kind === 'replyAll' ? '$answered' : '$forwarded' };
    return this.#signed(letter, writtenTo(email, this.senders.filter((one) => one.accountId === accountId).map((one) => one.identity.email)));
  }

  #signed(letter: Letter, email: string | null): Letter {
    const sender = senderWith(this.senders, letter.accountId, email);
    return sender ? { ...from(letter, null, sender), bcc: [...letter.bcc, ...(sender.identity.bcc ?? [])] } : letter;
  }

  /** Goes on with what the browser kept. */
  async restore(copy: Copy): Promise<void> {
    this.letter = copy.letter;
    this.#olds = copy.draftId ? [copy.draftId] : [];
    this.#savedIn = copy.letter.accountId;
    this.notices = copy.pending?.length ? ['restored', 'filesLost'] : ['restored'];
    this.version++;
    this.phase = 'writing';
    this.#auto.touch();
    await this.#knowSenders().catch(() => undefined);
  }

  change(patch: Partial<Letter>): void {
    this.letter = { ...this.letter, ...patch };
    this.touch();
  }

  /** Something was typed: it is kept in the browser soon, and on the server a little later. */
  touch(): void {
    if (this.#closed) return;
    this.#auto.touch();
    clearTimeout(this.#copying);
    this.#copying = setTimeout(() => this.keep(), COPY_AFTER);
  }

  /** The letter as it stands, with what the editor holds. */
  collect(): Letter {
    if (this.editor) this.take(this.editor());
    return this.letter;
  }

  /** What the editor held when it was closed. */
  take(body: string): void {
    if (body !== this.letter.body) this.letter = { ...this.letter, body };
  }

  /** Writes the browser's copy now, unless the server holds the same. */
  keep(): void {
    clearTimeout(this.#copying);
    if (this.#closed || this.phase === 'opening' || this.saving === 'clean') return;
    const copy: Copy = { id: this.id, letter: this.collect(), draftId: this.#olds[0] ?? null, pending: this.uploads.all.map(({ name }) => name), at: Date.now() };
    if (!this.copies.put(copy)) this.tell('noRoom');
  }

  tell(notice: Notice): void {
    if (!this.notices.includes(notice)) this.notices = [...this.notices, notice];
  }

  dismiss(notice: Notice): void {
    this.notices = this.notices.filter((one) => one !== notice);
  }

  async #knowSenders(): Promise<void> {
    if (this.senders.length === 0) this.senders = await this.desk.senders();
  }

  async #save(): Promise<void> {
    await this.#knowSenders();
    const letter = this.collect();
    const sender = this.sender;
    const mailboxId = await this.desk.mailbox(letter.accountId, 'drafts');
    if (!sender || !mailboxId) {
      this.tell('noDrafts');
      throw new Refused('noDrafts', '');
    }
    const email = created(letter, { mailboxId, from: addressOf(sender), replyTo: sender.identity.replyTo });
    const moved = this.#savedIn !== '' && this.#savedIn !== letter.accountId ? { accountId: this.#savedIn, ids: this.#olds } : null;
    const saved = await saveDraft(this.desk.call, letter.accountId, email, moved ? [] : this.#olds);
    this.#olds = [saved.id, ...saved.left];
    this.#savedIn = letter.accountId;
    this.savedAt = Date.now();
    if (saved.conflict) this.tell('conflict');
    if (moved) await discard(this.desk.call, moved.accountId, moved.ids).catch(() => undefined);
    if (letter === this.collect()) this.#forgetCopy();
  }

  #forgetCopy(): void {
    clearTimeout(this.#copying);
    this.copies.drop(this.id);
  }

  /** Writes as another sender. Files move along into the other account. */
  async sendAs(sender: Sender): Promise<void> {
    const letter = this.collect();
    const before = this.sender;
    let next = from(letter, before, sender);
    if (sender.accountId !== letter.accountId && letter.enclosures.length > 0) {
      const ids = await this.desk.copyBlobs(letter.accountId, sender.accountId, letter.enclosures.map((enclosure) => enclosure.blobId));
      next = { ...next, enclosures: letter.enclosures.map((enclosure) => ({ ...enclosure, blobId: ids[enclosure.blobId] ?? enclosure.blobId })) };
    }
    this.letter = { ...next, body: this.collect().body };
    this.touch();
  }

  /** Plain text or formatted; what is lost of the format is lost on the screen too. */
  setPlain(plain: boolean): void {
    const letter = this.collect();
    if (letter.plain === plain) return;
    const body = plain ? toText(letter.body) : toHtml(letter.body);
    const signature = letter.signature === '' ? '' : signatureOf(this.sender, plain);
    this.#rewrite({ ...letter, plain, body, signature, enclosures: plain ? unpinned(letter) : letter.enclosures });
  }

  /** Takes the quoted message into the text, to be edited there. */
  quoteIntoText(): void {
    this.#rewrite(intoText(this.collect()));
  }

  /** Puts words in, as a template does. */
  rewriteBody(body: string, patch: Partial<Letter> = {}): void {
    this.#rewrite({ ...this.collect(), ...patch, body });
  }

  #rewrite(letter: Letter): void {
    this.editor = null;
    this.letter = letter;
    this.version++;
    this.touch();
  }

  /** Saves now; throws when that cannot be done. */
  async flush(): Promise<void> {
    await this.#auto.flush();
  }

  /** Sends the letter; throws with `failure` set, and everything kept, when it did not leave. */
  async send(hold: Hold): Promise<Gone> {
    this.phase = 'sending';
    this.failure = null;
    try {
      return await this.#send(hold);
    } catch (error) {
      this.failure = error;
      this.phase = 'writing';
      throw error;
    }
  }

  async #send(hold: Hold): Promise<Gone> {
    if (this.#olds.length === 0) this.#auto.touch();
    await this.#auto.flush();
    const [letter, sender, emailId] = [this.collect(), this.sender, this.#olds[0]];
    if (!sender || !emailId) throw new Refused('noSender', '');
    const sentId = sender.review ? null : await this.desk.mailbox(letter.accountId, 'sent');
    const { accountId } = letter;
    const sent = await this.#once(emailId, () =>
      send(this.desk.call, {
        accountId, emailId, identityId: sender.identity.id, from: sender.identity.email, to: recipients(letter), hold, sentId,
      }),
    );
    const gone: Gone = { sent, letter, sender, draftId: sender.review ? null : emailId, origin: this.#origin };
    if (this.#origin) await mark(this.desk.call, this.#origin.accountId, this.#origin.emailId, this.#origin.keyword, true).catch(() => undefined);
    this.close();
    return gone;
  }

  // A message whose answer was lost is asked after before it is sent again.
  async #once(emailId: string, step: () => Promise<Sent>): Promise<Sent> {
    const before = this.#tried === emailId ? await sentBefore(this.desk.call, this.letter.accountId, emailId) : null;
    if (before) return before;
    this.#tried = emailId;
    try {
      return await step();
    } catch (error) {
      if (error instanceof Refused) this.#tried = null;
      throw error;
    }
  }

  /** Goes on with a letter that was taken back. */
  resume({ letter, draftId, origin }: Pick<Gone, 'letter' | 'draftId' | 'origin'>, senders: readonly Sender[]): void {
    this.letter = letter;
    this.senders = senders;
    this.#olds = draftId ? [draftId] : [];
    this.#savedIn = letter.accountId;
    this.#origin = origin;
    this.version++;
    this.phase = 'writing';
    if (!draftId) this.touch();
  }

  /** Throws the letter away, its draft too. */
  async discard(): Promise<void> {
    const [ids, accountId] = [this.#olds, this.#savedIn];
    this.close();
    if (ids.length > 0) await discard(this.desk.call, accountId, ids);
  }

  /** Ends this window; what is not saved stays in the browser's copy only when it is asked to. */
  close(keepCopy = false): void {
    if (keepCopy) this.keep();
    this.#closed = true;
    this.#auto.stop();
    this.uploads.stop();
    clearTimeout(this.#copying);
    if (!keepCopy) this.copies.drop(this.id);
  }
}

function addresses(emails: readonly string[] | undefined): Letter['to'] {
  return (emails ?? []).map((email) => ({ name: null, email }));
}

// Text shows no pictures: those of the letter itself go along as files.
function unpinned({ body, enclosures }: Letter): Enclosure[] {
  const shown = shownCids(body);
  return enclosures.flatMap((enclosure) => (enclosure.cid === null ? [enclosure] : shown.has(enclosure.cid) ? [{ ...enclosure, cid: null }] : []));
}
