import { defineConfig } from 'vitest/config';

// `make release` in a clone: packages are fetched and compiled, twice. On a busy machine that takes over half an hour.
export default defineConfig({
  test: {
    include: ['test/release/**/*.test.ts'],
    sequence: { concurrent: false },
    testTimeout: 3_600_000,
    hookTimeout: 300_000,
  },
});
