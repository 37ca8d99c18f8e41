import { defineConfig } from 'vitest/config';

// Flow tests drive real Kamailios on fixed loopback ports: one file at a time there (see test/flow).
export default defineConfig({
  test: {
    // Real processes on two shared cores: what fails once and not twice was the machine.
    retry: 1,
    // Left to itself vitest takes one of two processors.
    maxWorkers: 2,
    include: ['test/unit/**/*.test.ts', 'test/wire/**/*.test.ts', 'test/operate/rules.test.ts'],
    // Bounds what hangs; a busy machine takes ten times as long as a quiet one.
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
