import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

// As compiled for tests: it starts in half of the processor time that it takes from dist/, and is started some sixty times.
const SIPTRUSTD = fileURLToPath(new URL('.cache/tests/main.js', import.meta.url));

// Live tests: real Kamailios, real TLS, real calls. Three files at a time on two cores, each in
// address blocks of its own: they wait a third of their time.
export default defineConfig({
  test: {
    // Real processes on two shared cores: what fails once and not twice was the machine.
    retry: 1,
    globalSetup: 'test/support/compiled.ts',
    env: { SIPTRUST_DAEMON: process.env.SIPTRUST_DAEMON ?? SIPTRUSTD },
    include: ['test/flow/**/*.test.ts', 'test/operate/dashboard.test.ts', 'test/operate/night-shift.test.ts'],
    // Ten minutes of calls: `make soak`, and `make test-matrix`.
    exclude: [...configDefaults.exclude, ...(process.env.SIPTRUST_MATRIX === 'all' ? [] : ['test/flow/soak.test.ts'])],
    maxWorkers: 3,
    sequence: { concurrent: false },
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
