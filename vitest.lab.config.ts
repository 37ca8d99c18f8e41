import { defineConfig } from 'vitest/config';

// The lab (test/lab): network namespaces, IPsec tunnels, real calls. Run it inside of test/lab/enter.sh.
export default defineConfig({
  test: {
    // Real processes on two shared cores: what fails once and not twice was the machine.
    retry: 1,
    include: ['test/lab/**/*.test.ts'],
    fileParallelism: false,
    sequence: { concurrent: false },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
