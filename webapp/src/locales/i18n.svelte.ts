// Sentences: the server's own keys (locales/) and the application's, a file for each part and language.
import serverEn from '../../../locales/en.json';
import serverVi from '../../../locales/vi.json';
import composerEn from './composer.en.json';
import composerVi from './composer.vi.json';
import en from './en.json';
import mailEn from './mail.en.json';
import mailVi from './mail.vi.json';
import settingsEn from './settings.en.json';
import settingsVi from './settings.vi.json';
import vi from './vi.json';
import workEn from './work.en.json';
import workVi from './work.vi.json';

export type Language = 'vi' | 'en';
export type Key =
  | keyof typeof vi
  | keyof typeof mailVi
  | keyof typeof composerVi
  | keyof typeof settingsVi
  | keyof typeof workVi
  | keyof typeof serverVi;

/** Every sentence of the application's own, and of the server. */
export const sentences: Record<Language, Record<string, string>> = {
  vi: { ...serverVi, ...vi, ...mailVi, ...composerVi, ...settingsVi, ...workVi },
  en: { ...serverEn, ...en, ...mailEn, ...composerEn, ...settingsEn, ...workEn },
};
const STORED = 'congvu.language';

function initial(): Language {
  return globalThis.localStorage?.getItem(STORED) === 'en' ? 'en' : 'vi';
}

let chosen = $state<Language>(initial());

export function language(): Language {
  return chosen;
}

/** Changes the language; the page stays where it is. */
export function speak(next: Language): void {
  chosen = next;
  globalThis.localStorage?.setItem(STORED, next);
  document.documentElement.lang = next;
}

/** The sentence of a key, with each `{name}` replaced. */
export function t(key: Key, params: Record<string, string | number> = {}): string {
  const sentence = sentences[chosen][key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}
