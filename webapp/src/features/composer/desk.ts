// What the composer needs of the server; the tests bring a desk of their own.
import type { Limits } from './files';
import type { ReadEmail } from './message';
import type { Call } from './saving';
import type { Sender } from './senders';
import type { Means } from './quote';

export type Role = 'drafts' | 'sent';

export interface Desk {
  call: Call;
  read: (accountId: string, emailId: string) => Promise<ReadEmail>;
  upload: (accountId: string, file: File, progress: (sent: number) => void, signal: AbortSignal) => Promise<{ blobId: string; size: number; type: string }>;
  /** Makes blobs of one account known in another (RFC 8620 §6.3); answers with their new ids. */
  copyBlobs: (from: string, to: string, blobIds: string[]) => Promise<Record<string, string>>;
  mailbox: (accountId: string, role: Role) => Promise<string | null>;
  senders: () => Promise<Sender[]>;
  limits: (accountId: string) => Limits;
  means: Means;
}
