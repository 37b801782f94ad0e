// Sentences: the server's own keys (locales/) and the application's, one file a language.
import serverEn from '../../../locales/en.json';
import serverVi from '../../../locales/vi.json';
import en from '../locales/en.json';
import vi from '../locales/vi.json';

export type Language = 'vi' | 'en';
export type Key = keyof typeof vi | keyof typeof serverVi;

const sentences: Record<Language, Record<string, string>> = {
  vi: { ...serverVi, ...vi },
  en: { ...serverEn, ...en },
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
