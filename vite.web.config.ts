import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

// The operators' page: src/web -> dist/web, under names that src/rpc/http/page.ts serves. Nothing inline: its CSP forbids it.
export default defineConfig({
  root: fileURLToPath(new URL('src/web', import.meta.url)),
  base: '/ui/',
  publicDir: 'public',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: fileURLToPath(new URL('dist/web', import.meta.url)),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    rolldownOptions: {
      output: { entryFileNames: 'app.js', assetFileNames: 'app[extname]' },
    },
  },
});
