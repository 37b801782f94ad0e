import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

const NETWORK = ['fetch', 'XMLHttpRequest', 'EventSource', 'WebSocket'];
const forbid = (...patterns) => ['error', { patterns: patterns.map(([group, message]) => ({ group, message })) }];

export default ts.config(
  { ignores: ['dist/', 'node_modules/', 'src/api/schema.ts'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser } } },
  { files: ['public/**'], languageOptions: { globals: { ...globals.serviceworker } } },
  { files: ['e2e/**'], languageOptions: { globals: { ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
  {
    rules: {
      // What a message brings is shown in a sandboxed frame alone.
      'svelte/no-at-html-tags': 'error',
      'svelte/no-navigation-without-resolve': 'off',
      'no-console': 'error',
      // Plain maps hold what no screen watches.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  // Which part may know which: features know no other feature, ui knows nothing of ours, only jmap and api call.
  {
    files: ['src/features/**'],
    rules: { 'no-restricted-imports': forbid([['../../features/*', '../!(..)/**'], 'features do not import features']) },
  },
  {
    files: ['src/ui/**'],
    rules: {
      'no-restricted-imports': forbid([
        ['../app/*', '../api/*', '../jmap/*', '../state/*', '../features/**', '../safe-html/*'],
        'ui knows nothing of mail',
      ]),
    },
  },
  {
    files: ['src/{app,features,state,ui,safe-html}/**'],
    rules: { 'no-restricted-globals': ['error', ...NETWORK.map((name) => ({ name, message: 'only jmap/ and api/ call the network' }))] },
  },
);
