import { defineConfig } from 'vitest/config';

// The database of a fleet: real PostgreSQL clusters, killed, frozen, taken over. Two files at a time,
// each with clusters of its own: they mostly wait.
export default defineConfig({
  test: {
    // Real processes on two shared cores: what fails once and not twice was the machine. Tests of races say retry: 0.
    retry: 1,
    globalSetup: 'test/support/postgres-template.ts',
    include: ['test/fleet/**/*.test.ts'],
    maxWorkers: 2,
    sequence: { concurrent: false },
    expect: { poll: { timeout: 20_000 } },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
