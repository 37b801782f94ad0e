// The one JMAP client, and the accounts that it opens.
import { JmapClient } from '../jmap/client';
import { type Id, MAIL, type Session } from '../jmap/types';
import { client } from './session.svelte';

export const jmap = new JmapClient({
  headers: (method) => client.headers(method),
  signedOut: () => client.onSignedOut(),
});

export interface MailAccount {
  id: Id;
  /** Its address. */
  name: string;
  isPersonal: boolean;
  isReadOnly: boolean;
}

let opened = $state.raw<Session | null>(null);

export const mailSession = {
  get current(): Session | null {
    return opened;
  },
  /** The accounts that hold mail, the person's own first. */
  get accounts(): MailAccount[] {
    return opened ? accountsOf(opened) : [];
  },
  /** The account that a person meets first. */
  get primary(): Id | null {
    return opened?.primaryAccounts[MAIL] ?? this.accounts[0]?.id ?? null;
  },
  async open(): Promise<void> {
    opened = await jmap.session();
  },
  close(): void {
    jmap.forget();
    opened = null;
  },
};

export function accountsOf(session: Session): MailAccount[] {
  return Object.entries(session.accounts)
    .filter(([, account]) => MAIL in account.accountCapabilities)
    .map(([id, { name, isPersonal, isReadOnly }]) => ({ id, name, isPersonal, isReadOnly }))
    .sort((a, b) => Number(b.isPersonal) - Number(a.isPersonal) || a.name.localeCompare(b.name, 'vi'));
}
