// How mail programs are set up: five steps each, with the person's own values.
import type { AppPasswords, Person } from '../../api/client';
import type { Key } from '../../locales/i18n.svelte';

export const PROGRAMS = ['outlook', 'thunderbird', 'iphone', 'android'] as const;
export type Program = (typeof PROGRAMS)[number];
export const STEPS = [1, 2, 3, 4, 5] as const;

export interface Login {
  address: string;
  login: string;
}

type Settings = AppPasswords['settings'];

/** A shared account set up on its own has a sign-in name that says who signs in, and for which account. */
export function logins(person: Pick<Person, 'login' | 'accounts'>): Login[] {
  return person.accounts.map(({ address, isOwn }) => ({ address, login: isOwn ? address : `${person.login}/${address}` }));
}

export function stepKey(program: Program, step: (typeof STEPS)[number]): Key {
  return `guide.${program}.${step}` as Key;
}

/** What the steps are filled in with. */
export function values({ address, login }: Login, settings: Settings): Record<string, string | number> {
  return { address, login, host: settings.host, imap: settings.imapPort, smtp: settings.submissionPort };
}

/** What a phone reads from the picture: the values to copy, never the password. */
export function qrText({ address, login }: Login, { host, imapPort, submissionPort }: Settings): string {
  return [address, `IMAP ${host}:${imapPort} SSL/TLS`, `SMTP ${host}:${submissionPort} SSL/TLS`, login].join('\n');
}
