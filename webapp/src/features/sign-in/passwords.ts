// What a new password must be (S4.2d): ticked while it is typed; the server decides.
import type { Key } from '../../locales/i18n.svelte';

export interface Rule {
  key: Key;
  met: boolean;
}

export function rules(next: string, current: string, login: string, minLength: number): Rule[] {
  const name = (login.split('@')[0] ?? '').toLowerCase();
  const typed = next.length > 0;
  return [
    { key: 'password.ruleLength', met: [...next].length >= minLength },
    { key: 'password.ruleNew', met: typed && next !== current },
    { key: 'password.ruleName', met: typed && (name === '' || !next.toLowerCase().includes(name)) },
  ];
}
