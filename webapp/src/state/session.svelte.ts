// Who is signed in, and the one client.
import { Client, type Person, Problem } from '../api/client';
import { language, t } from '../locales/i18n.svelte';

export const client = new Client(language);

let person = $state<Person | null>(null);
let known = $state(false);

client.onSignedOut = () => {
  person = null;
};

export const session = {
  get person() {
    return person;
  },
  /** Whether it is known yet that somebody is signed in or not. */
  get known() {
    return known;
  },
  async resume(): Promise<void> {
    try {
      person = await client.session();
    } catch (error) {
      if (!(error instanceof Problem) || error.kind === 'offline') throw error;
      person = null;
    } finally {
      known = true;
    }
  },
  async signIn(login: string, password: string): Promise<void> {
    person = await client.signIn(login, password);
  },
  async signOut(): Promise<void> {
    try {
      await client.signOut();
    } finally {
      person = null;
    }
  },
  /** Looks up again what waits. */
  async refresh(): Promise<void> {
    if (person) person = await client.me();
  },
};

/** What to tell a person of an error. */
export function words(error: unknown): string {
  if (error instanceof Problem) {
    if (error.kind === 'offline') return t('problem.offline');
    if (error.message) return error.message;
  }
  return t('problem.unknown');
}
