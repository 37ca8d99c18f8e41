import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ENGINE_OPTIONS, missingOptions } from '../../src/engine-options.js';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

describe('what siptrustd asks of Node', () => {
  it('ok/is the first line of the program, which the package reads', () => {
    expect(read('src/main.ts').split('\n')[0]).toBe(`#!/usr/bin/env -S node ${ENGINE_OPTIONS.join(' ')}`);
    expect(read('packaging/deb.ts')).toContain("['/usr/bin/node', ...nodeOptions(script), ");
    expect(read('docs/containers.md')).toContain('ENTRYPOINT ["/usr/bin/siptrustd"]');
    expect(read('plugin/systemd/siptrustd.service')).toMatch(/^ExecStart=siptrustd\b/m);
  });

  it('ok/`make run` starts the program itself', () => {
    expect(read('Makefile')).toMatch(/^\t@exec dist\/main\.js --config/m);
    expect(read('Makefile')).not.toMatch(/node dist\/main\.js/);
  });

  it.each([
    ['ok/all of them', ENGINE_OPTIONS],
    ['ok/among others', ['--enable-source-maps', ...ENGINE_OPTIONS, '--trace-gc']],
    ['ok/spelt as V8 does', ['--max_semi_space_size=2', '--no_parallel_scavenge', '--v8_pool_size=1']],
    [
      'ok/another size, which somebody chose',
      ['--max-semi-space-size=4', '--no-parallel-scavenge', '--v8-pool-size=4'],
    ],
  ])('%s: nothing is said', (_, given) => {
    expect(missingOptions(given)).toBeUndefined();
  });

  it.each([
    ['fail/none', [], '--max-semi-space-size=2 --no-parallel-scavenge --v8-pool-size=1'],
    [
      'fail/one of them, as by NODE_OPTIONS',
      ['', '--max-semi-space-size=2', '--v8-pool-size=1'],
      '--no-parallel-scavenge',
    ],
    [
      'fail/one that begins alike',
      ['--max-semi-space-sizes=2', '--no-parallel-scavenge', '--v8-pool-size=1'],
      '--max-semi-space-size=2',
    ],
  ])('%s: is told, and what to do', (_, given, missing) => {
    expect(missingOptions(given)).toBe(
      `Node was started without ${missing}: a reload can hold questions up for longer; next: start siptrustd by its own name, or as "node --max-semi-space-size=2 --no-parallel-scavenge --v8-pool-size=1 main.js"`,
    );
  });
});
