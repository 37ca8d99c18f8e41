import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// `make test-cost`: what foreign bytes cost, in processor time and as ratios within one run; live ones need Kamailio.
export default defineConfig({
  test: {
    // One at a time: what is measured shares its processor with as little as can be.
    fileParallelism: false,
    sequence: { concurrent: false },
    retry: 1,
    globalSetup: 'test/support/compiled.ts',
    env: { SIPTRUST_DAEMON: fileURLToPath(new URL('.cache/tests/main.js', import.meta.url)) },
    include: ['test/cost/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
