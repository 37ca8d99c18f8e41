import { defineConfig } from 'vitest/config';

// `make release` in a clone: packages are fetched and compiled, twice.
export default defineConfig({
  test: {
    include: ['test/release/**/*.test.ts'],
    sequence: { concurrent: false },
    testTimeout: 1_800_000,
    hookTimeout: 300_000,
  },
});
