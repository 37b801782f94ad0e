import { describe, expect, it } from 'vitest';
import en from '../locales/en.json';
import vi from '../locales/vi.json';
import serverVi from '../../../locales/vi.json';
import { language, speak, t } from './i18n.svelte';

const sources = import.meta.glob('../**/*.{svelte,ts}', { query: '?raw', import: 'default', eager: true });

describe('sentences', () => {
  it('exist in both languages', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(vi).sort());
  });

  it('exist for every key that is used', () => {
    const known = new Set([...Object.keys(vi), ...Object.keys(serverVi)]);
    const missing: string[] = [];
    for (const [file, text] of Object.entries(sources)) {
      if (file.endsWith('.test.ts')) continue;
      for (const [, key] of String(text).matchAll(/\bt\(\s*'([^']+)'/g)) {
        if (key && !known.has(key)) missing.push(`${file}: ${key}`);
      }
    }
    expect(missing).toEqual([]);
  });

  it('are filled in and follow the language', () => {
    expect(t('reviews.count', { count: 3 })).toContain('3');
    speak('en');
    expect(language()).toBe('en');
    expect(t('signIn.submit')).toBe(en['signIn.submit']);
    speak('vi');
    expect(document.documentElement.lang).toBe('vi');
  });
});
