import { defineConfig } from 'vitest/config';

// The package in a fresh Debian 13 (test/deb). Run it inside of test/deb/enter.sh.
export default defineConfig({
  test: {
    include: ['test/deb/**/*.test.ts'],
    fileParallelism: false,
    sequence: { concurrent: false },
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
