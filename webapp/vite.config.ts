import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// `npm run dev` talks to a demo: start it with `cargo xtask demo`.
const demo = 'http://127.0.0.1:10080';

/** Text is packed once, when it is built: the server only chooses. */
const packed = {
  name: 'packed',
  apply: 'build' as const,
  closeBundle() {
    for (const file of readdirSync('dist', { recursive: true, encoding: 'utf8' })) {
      if (!/\.(js|css|html|svg|json|webmanifest)$/.test(file)) continue;
      const text = readFileSync(`dist/${file}`);
      writeFileSync(`dist/${file}.br`, brotliCompressSync(text));
      writeFileSync(`dist/${file}.gz`, gzipSync(text, { level: 9 }));
    }
  },
};

export default defineConfig({
  plugins: [svelte(), packed],
  build: {
    target: 'es2022',
    // The policy of the server allows no inline content but images.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  resolve: process.env['VITEST'] ? { conditions: ['browser'] } : {},
  server: { proxy: { '/api': demo }, fs: { allow: ['..'] } },
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts'] },
});
