// Files on their way to the server. What was cut off can be tried again; what is there is an enclosure of the letter.
import { hex, type Limits, nameOf, tooLarge, type TooLarge, total } from './files';
import type { Enclosure } from './letter';

export interface Upload {
  id: string;
  file: File;
  name: string;
  /** Set for a picture within the text. */
  cid: string | null;
  sent: number;
  state: 'waiting' | 'sending' | 'failed';
  failure: unknown;
  stop: AbortController;
}

export type Store = (file: File, progress: (sent: number) => void, signal: AbortSignal) => Promise<{ blobId: string; size: number; type: string }>;

/** RFC 8620 §2 maxConcurrentUpload is at least this; one stays free for the next picture. */
const AT_ONCE = 2;
/** More files than this are a folder, and belong into an archive. */
export const MOST_FILES = 100;

export class Uploads {
  all = $state.raw<readonly Upload[]>([]);

  constructor(
    private readonly store: Store,
    private readonly arrived: (enclosure: Enclosure) => void,
  ) {}

  get busy(): boolean {
    return this.all.some((upload) => upload.state !== 'failed');
  }

  /** Takes files in; those that do not fit come back with the reason, before a byte of them was sent. */
  add(files: readonly File[], limits: Limits, there: readonly Enclosure[], cids: readonly (string | null)[] = []): { file: File; why: TooLarge }[] {
    const refused: { file: File; why: TooLarge }[] = [];
    let sum = total(there) + this.all.reduce((all, upload) => all + upload.file.size, 0);
    for (const [at, file] of files.slice(0, MOST_FILES).entries()) {
      const why = tooLarge(file.size, sum, limits);
      if (why) {
        refused.push({ file, why });
        continue;
      }
      sum += file.size;
      const upload: Upload = { id: hex(6), file, name: nameOf(file, Date.now()), cid: cids[at] ?? null, sent: 0, state: 'waiting', failure: null, stop: new AbortController() };
      this.all = [...this.all, upload];
    }
    this.#next();
    return refused;
  }

  retry(id: string): void {
    this.#patch(id, { state: 'waiting', sent: 0, failure: null, stop: new AbortController() });
    this.#next();
  }

  cancel(id: string): void {
    this.all.find((upload) => upload.id === id)?.stop.abort();
    this.#forget(id);
    this.#next();
  }

  stop(): void {
    for (const { id } of this.all) this.cancel(id);
  }

  #next(): void {
    const sending = this.all.filter((upload) => upload.state === 'sending').length;
    const waiting = this.all.filter((upload) => upload.state === 'waiting');
    for (const upload of waiting.slice(0, Math.max(0, AT_ONCE - sending))) void this.#send(upload);
  }

  async #send({ id, file, name, cid, stop }: Upload): Promise<void> {
    this.#patch(id, { state: 'sending' });
    try {
      const { blobId, size, type } = await this.store(file, (sent) => this.#patch(id, { sent }), stop.signal);
      if (stop.signal.aborted) return;
      this.#forget(id);
      this.arrived({ blobId, name, type: file.type || type, size, cid });
    } catch (failure) {
      if (stop.signal.aborted) return;
      this.#patch(id, { state: 'failed', failure });
    } finally {
      this.#next();
    }
  }

  #patch(id: string, patch: Partial<Upload>): void {
    this.all = this.all.map((upload) => (upload.id === id ? { ...upload, ...patch } : upload));
  }

  #forget(id: string): void {
    this.all = this.all.filter((upload) => upload.id !== id);
  }
}
