import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('ok/`make fuzz`: all that it starts is told how long to run', () => {
  const directory = mkdtempSync(join(tmpdir(), 'siptrust-make-fuzz-'));
  try {
    writeFileSync(
      join(directory, 'npx'),
      '#!/bin/sh\necho "started: $SIPTRUST_FUZZ_RUNS $SIPTRUST_DIFFERENTIAL_RUNS"\n',
      {
        mode: 0o755,
      },
    );
    const { SIPTRUST_FUZZ_RUNS, SIPTRUST_DIFFERENTIAL_RUNS, ...env } = process.env;
    const told = execFileSync('make', ['-o', 'node_modules', 'fuzz'], {
      cwd: join(import.meta.dirname, '../..'),
      env: { ...env, PATH: `${directory}:${env.PATH}` },
      encoding: 'utf8',
    });
    const started = told.split('\n').filter((line) => line.startsWith('started: '));
    expect(started).toEqual(['started: 1000000 5000', 'started: 1000000 5000']);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
