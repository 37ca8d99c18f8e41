import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

// The operators' page: src/web -> dist/web, under names that src/rpc/http/page.ts serves. Nothing inline: its CSP forbids it.
export default defineConfig({
  root: fileURLToPath(new URL('src/web', import.meta.url)),
  base: '/ui/',
  publicDir: 'public',
  // Not what is for debuggers, whatever NODE_ENV says: it names the directory that the page was made in.
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact', development: false } },
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
