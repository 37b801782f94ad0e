// The letters that are open: asked for by any screen, restored after a tab was closed, brought back after they were sent.
import { when } from '../../locales/dates';
import { language, t } from '../../locales/i18n.svelte';
import { preferences } from '../../state/preferences.svelte';
import { words } from '../../state/session.svelte';
import { toasts } from '../../ui/toasts.svelte';
import { Composer, type Gone, type Request } from './composer.svelte';
import { Copies } from './local';
import { mark, takeBack, type Hold } from './sending';
import { call, desk } from './server';

/** More windows than this hide the mail. */
const MOST = 5;
/** The server waits a little longer than the toast is shown. */
const GRACE = 2;

let open = $state.raw<readonly Composer[]>([]);
let copies: Copies | null = null;
const letGo = new WeakMap<Composer, () => void>();

export const windows = {
  get all(): readonly Composer[] {
    return open;
  },

  /** Opens what this person left unsaved in this browser, and in no tab that is still there. */
  async start(person: string): Promise<void> {
    copies = new Copies(localStorage, person);
    const held = await heldIds();
    for (const copy of copies.all().filter(({ id }) => !held.has(id)).slice(0, MOST)) {
      if (open.some((one) => one.id === copy.id)) continue;
      const composer = this.add(copy.id);
      if (open.length > 1) composer.look = 'minimised';
      void composer.restore(copy);
    }
  },

  /** Everything is kept, nothing is shown: the person leaves. */
  stop(): void {
    for (const composer of open) composer.close(true);
    open = [];
    copies = null;
  },

  open(request: Request): void {
    const there = request.kind === 'draft' && open.find((one) => one.writes(request.emailId ?? ''));
    if (there) {
      this.show(there);
      return;
    }
    const composer = open.length < MOST ? this.add() : null;
    if (!composer) {
      toasts.tell(t('composer.tooMany', { most: MOST }));
      return;
    }
    void composer.open(request);
  },

  add(id?: string): Composer {
    const composer = new Composer(desk, copies ?? new Copies(localStorage, ''), id);
    for (const other of open) if (other.look !== 'minimised') other.look = 'minimised';
    open = [...open, composer];
    letGo.set(composer, hold(composer.id));
    return composer;
  },

  /** Takes a window off the screen. */
  remove(composer: Composer): void {
    open = open.filter((one) => one !== composer);
    letGo.get(composer)?.();
  },

  show(composer: Composer): void {
    for (const other of open) if (other !== composer && other.look !== 'minimised') other.look = 'minimised';
    composer.look = 'docked';
  },

  /** Saves and takes the window away; a draft that cannot be saved stays. */
  async putAway(composer: Composer): Promise<void> {
    if (composer.phase === 'writing' && composer.saving !== 'clean') {
      try {
        await composer.flush();
      } catch {
        toasts.tell(t('composer.keptHere'));
        composer.look = 'minimised';
        return;
      }
      toasts.tell(t('composer.inDrafts'));
    }
    composer.close();
    this.remove(composer);
  },

  async throwAway(composer: Composer): Promise<void> {
    const letter = composer.collect();
    this.remove(composer);
    const back = () => {
      const again = this.add();
      again.resume({ letter, draftId: null, origin: null }, composer.senders);
    };
    toasts.tell(t('composer.discarded'), { words: t('composer.undo'), run: back });
    await composer.discard().catch((error: unknown) => toasts.tell(words(error)));
  },

  /** Sends; what does not leave stays open with the reason. */
  async send(composer: Composer, later: Date | null): Promise<void> {
    const seconds = preferences.current.undoSeconds;
    const hold: Hold = later ? { until: later } : seconds > 0 ? { seconds: seconds + GRACE } : null;
    let gone: Gone;
    try {
      gone = await composer.send(hold);
    } catch {
      this.show(composer);
      return;
    }
    this.remove(composer);
    const undo = hold ? { words: t('composer.undo'), run: () => void this.takeBack(gone, composer) } : null;
    toasts.tell(farewell(gone, later), undo, later || !undo ? undefined : seconds * 1000);
  },

  async takeBack(gone: Gone, composer: Composer): Promise<void> {
    const { letter, sent, draftId, origin } = gone;
    try {
      await takeBack(call, letter.accountId, sent.id, draftId ? await desk.mailbox(letter.accountId, 'drafts') : null);
    } catch (error) {
      toasts.tell(t('composer.tooLate', { why: words(error) }));
      return;
    }
    if (origin) void mark(call, origin.accountId, origin.emailId, origin.keyword, false).catch(() => undefined);
    this.add().resume(gone, composer.senders);
    toasts.tell(t('composer.takenBack'));
  },
};

function farewell({ sender }: Gone, later: Date | null): string {
  if (later) return t('composer.sentLater', { when: when(later.toISOString(), language()) });
  return sender.review ? t('composer.sentToReview', { article: sender.review.article }) : t('composer.sent');
}

// A lock tells other tabs that a letter is being written here (Web Locks API; none without a secure context).
const LOCK = 'congvu.composer.';

function hold(id: string): () => void {
  let done: () => void = () => undefined;
  const until = new Promise<void>((resolve) => (done = resolve));
  void navigator.locks?.request(LOCK + id, { ifAvailable: true }, () => until).catch(() => undefined);
  return done;
}

async function heldIds(): Promise<Set<string>> {
  const held = (await navigator.locks?.query().catch(() => null))?.held ?? [];
  return new Set(held.flatMap(({ name }) => (name?.startsWith(LOCK) ? [name.slice(LOCK.length)] : [])));
}
