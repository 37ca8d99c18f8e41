import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const compiledThread = fileURLToPath(new URL('test/support/compiled-thread.ts', import.meta.url));

// `make test-unit`: what computes. `make test-wire`: what starts processes, the daemon or programs of others.
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
    // What was compiled of src and test is kept until it changes.
    experimental: { fsModuleCache: true, fsModuleCachePath: '.cache/vitest' },
    // Bounds what hangs; a busy machine takes ten times as long as a quiet one.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    globalSetup: 'test/support/compiled.ts',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          // What they import is loaded once for all files of a process: for most of them that is what costs the time.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'programs',
          include: ['test/programs/**/*.test.ts', 'test/operate/rules.test.ts'],
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
