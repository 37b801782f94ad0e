import { describe, expect, it } from 'vitest';
import { language, sentences, speak, t } from './i18n.svelte';

const sources = import.meta.glob('../**/*.{svelte,ts}', { query: '?raw', import: 'default', eager: true });

describe('sentences', () => {
  it('exist in both languages, with the same places to fill in', () => {
    expect(Object.keys(sentences.en).sort()).toEqual(Object.keys(sentences.vi).sort());
    const places = (sentence = '') => [...sentence.matchAll(/\{(\w+)\}/g)].map((place) => place[1]).sort();
    for (const [key, sentence] of Object.entries(sentences.vi)) {
      expect(places(sentences.en[key]), key).toEqual(places(sentence));
    }
  });

  it('exist for every key that is used', () => {
    const missing: string[] = [];
    for (const [file, text] of Object.entries(sources)) {
      if (file.endsWith('.test.ts')) continue;
      for (const [, key] of String(text).matchAll(/\bt\(\s*'([^']+)'/g)) {
        if (key && !(key in sentences.vi)) missing.push(`${file}: ${key}`);
      }
    }
    expect(missing).toEqual([]);
  });

  it('are filled in and follow the language', () => {
    expect(t('reviews.count', { count: 3 })).toContain('3');
    speak('en');
    expect(language()).toBe('en');
    expect(t('signIn.submit')).toBe(sentences.en['signIn.submit']);
    speak('vi');
    expect(document.documentElement.lang).toBe('vi');
  });
});
