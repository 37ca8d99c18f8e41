import { defineConfig } from 'vitest/config';

// The operators' page in a real Chromium, on a real siptrustd: one browser for all.
export default defineConfig({
  test: {
    // Real processes on two shared cores: what fails once and not twice was the machine.
    retry: 1,
    globalSetup: 'test/support/postgres-template.ts',
    include: ['test/ui/**/*.test.ts'],
    fileParallelism: false,
    sequence: { concurrent: false },
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
