import { defineConfig } from 'vitest/config';

// The database of a fleet: real PostgreSQL clusters, killed, frozen, taken over. One file at a time.
export default defineConfig({
  test: {
    // Real processes on two shared cores: what fails once and not twice was the machine.
    retry: 1,
    globalSetup: 'test/support/postgres-template.ts',
    include: ['test/fleet/**/*.test.ts'],
    fileParallelism: false,
    sequence: { concurrent: false },
    expect: { poll: { timeout: 20_000 } },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
