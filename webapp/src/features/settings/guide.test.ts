import { describe, expect, it } from 'vitest';
import { sentences } from '../../locales/i18n.svelte';
import { logins, PROGRAMS, qrText, stepKey, STEPS, values } from './guide';

const settings = { host: 'mail.a.example', imapPort: 993, submissionPort: 465 };
const account = { id: '1', kind: 'agency', rights: [] };
const person = { login: 'mai@ban', accounts: [{ ...account, address: 'mai@a.example', isOwn: true }, { ...account, address: 'ban@a.example', isOwn: false }] };

describe('the guides', () => {
  it('sign in to a shared account as somebody, for it', () => {
    expect(logins(person)).toEqual([{ address: 'mai@a.example', login: 'mai@a.example' }, { address: 'ban@a.example', login: 'mai@ban/ban@a.example' }]);
  });

  it('have five steps for each program in both languages, and every value has its place', () => {
    const [, shared] = logins(person);
    const known = Object.keys(values(shared as NonNullable<typeof shared>, settings));
    for (const program of PROGRAMS) {
      for (const language of ['vi', 'en'] as const) {
        const steps = STEPS.map((step) => sentences[language][stepKey(program, step)] ?? '');
        expect(steps.every((step) => step.length > 10), program).toBe(true);
        const used = [...steps.join(' ').matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        expect([...new Set(used)].sort(), `${program} ${language}`).toEqual([...known].sort());
      }
    }
  });

  it('say nothing of the password in the picture', () => {
    expect(qrText({ address: 'ban@a.example', login: 'mai@ban/ban@a.example' }, settings)).toBe(
      'ban@a.example\nIMAP mail.a.example:993 SSL/TLS\nSMTP mail.a.example:465 SSL/TLS\nmai@ban/ban@a.example',
    );
  });
});
