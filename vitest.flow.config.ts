import { configDefaults, defineConfig } from 'vitest/config';

// Live tests: real Kamailios, real TLS, real calls. One file at a time: they share two cores with what they start.
export default defineConfig({
  test: {
    // Real processes on two shared cores: what fails once and not twice was the machine.
    retry: 1,
    include: ['test/flow/**/*.test.ts', 'test/operate/dashboard.test.ts', 'test/operate/night-shift.test.ts'],
    // Ten minutes of calls: `make soak`, and `make test-matrix`.
    exclude: [...configDefaults.exclude, ...(process.env.SIPTRUST_MATRIX === 'all' ? [] : ['test/flow/soak.test.ts'])],
    fileParallelism: false,
    sequence: { concurrent: false },
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
