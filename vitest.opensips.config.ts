import { defineConfig } from 'vitest/config';

// Live tests of plugin/opensips, on the OpenSIPS that SIPTRUST_OPENSIPS names; without one each says why it did not run.
export default defineConfig({
  test: {
    include: ['test/opensips/**/*.test.ts'],
    fileParallelism: false,
    sequence: { concurrent: false },
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
