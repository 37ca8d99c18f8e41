/** `make demo` and `make bench`, stopped in their midst: nothing of them is left. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Child } from '../support/live/child.js';
import { eventually } from '../support/live/places.js';

const ROOT = join(import.meta.dirname, '../..');
const temporary = mkdtempSync(join(tmpdir(), 'siptrust-stopped-'));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

/** Processes, of whatever parent, that were started with our directory as that of temporary files. */
function left(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`TMPDIR=${temporary}`);
      } catch {
        return false;
      }
    });
}

describe('stopped', () => {
  test.each([
    ['demo', 'test/flow/demo.ts', /demo: 8 %, row 2 of/, 'SIGINT', 130],
    ['demo, while its networks start', 'test/flow/demo.ts', /demo: 0 %, the networks start/, 'SIGTERM', 143],
    ['bench', 'test/bench/all.ts', /bench: 0 %, answers/, 'SIGTERM', 143],
  ] as const)(
    'ok/%s: no process, no file',
    async (_, program, moment, signal, code) => {
      const work = new Child('node', ['--import', 'tsx', program], { cwd: ROOT, env: { TMPDIR: temporary } });
      await eventually('it is on its way', () => {
        if (work.ended) throw new Error(work.output);
        return moment.test(work.output);
      });
      work.signal(signal);
      expect([await work.exit(), work.output]).toEqual([code, expect.stringContaining(`stopped by ${signal} at "`)]);
      expect(left()).toEqual([]);
      // Node keeps what its loader has compiled.
      expect(readdirSync(temporary).filter((name) => name.startsWith('siptrust'))).toEqual([]);
    },
    240_000,
  );
});
