import { defineConfig } from 'vitest/config';

// Flow tests drive real Kamailios on fixed loopback ports: one file at a time there (see test/flow).
export default defineConfig({
  test: {
    include: ['test/unit/**/*.test.ts', 'test/wire/**/*.test.ts'],
    testTimeout: 30_000,
  },
});
