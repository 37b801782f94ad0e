// How any screen asks for a letter to be written. The composer registers itself; nobody else knows how it looks.

/** What is to be written, for whom. `to` and `subject` fill a new letter in. */
export interface ComposeRequest {
  kind: 'new' | 'reply' | 'replyAll' | 'forward' | 'draft';
  accountId: string;
  /** The email that is answered, forwarded, or is the draft. */
  emailId?: string;
  to?: string[];
  subject?: string;
}

type Opener = (request: ComposeRequest) => void;

let opener = $state<Opener | null>(null);
let answered = $state.raw<readonly string[]>([]);

/** The emails that are being answered here, so that others are told (no two answers to one letter). */
export function answering(): readonly string[] {
  return answered;
}

/** The composer says what it answers. */
export function tellAnswering(emails: readonly string[]): void {
  answered = emails;
}

/** Whether letters can be written here. */
export function canCompose(): boolean {
  return opener !== null;
}

/** Opens the composer; does nothing where there is none. */
export function openComposer(request: ComposeRequest): void {
  opener?.(request);
}

/** The composer says how it is opened; returns how to take that back. */
export function registerComposer(open: Opener): () => void {
  opener = open;
  return () => {
    if (opener === open) opener = null;
  };
}
