import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const compiledThread = fileURLToPath(new URL('test/support/compiled-thread.ts', import.meta.url));

// `make test-unit`. Both kinds at a time: what starts processes waits while what computes computes.
export default defineConfig({
  plugins: [
    {
      name: 'compiled threads',
      enforce: 'pre',
      resolveId: (source, importer) =>
        source === './thread.js' && importer?.endsWith('/src/state/work/index.ts') ? compiledThread : undefined,
    },
  ],
  test: {
    // Two shared cores: what fails once and not twice was the machine.
    retry: 1,
    // Left to itself vitest takes one of two processors.
    maxWorkers: 2,
    // Bounds what hangs; a busy machine takes ten times as long as a quiet one.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    globalSetup: 'test/support/compiled.ts',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/operate/rules.test.ts'],
          // What they import is loaded once for all files of a process: for most of them that is what costs the time.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'wire',
          include: ['test/wire/**/*.test.ts'],
          isolate: false,
        },
      },
    ],
  },
});
