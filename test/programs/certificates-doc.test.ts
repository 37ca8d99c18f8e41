/** The worked example of docs/certificates.md: its commands, run as they stand, print what it says. */

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SIPTRUSTCTL, SIPTRUSTD } from '../support/compiled.js';
import { run } from '../support/live/child.js';

const ROOT = join(import.meta.dirname, '../..');
const directory = mkdtempSync(join(tmpdir(), 'siptrust-example-'));
const bin = join(directory, 'bin');
const stage = join(directory, 'stage');

const markdown = readFileSync(join(ROOT, 'docs/certificates.md'), 'utf8');
const section = markdown.slice(markdown.indexOf('## Cross-certification, worked through'));
/** Each block of commands, with the output that stands below it. */
const steps = [...section.matchAll(/```sh\n([\s\S]*?)```\n(?:\n```text\n([\s\S]*?)```)?/g)].map((match) => ({
  commands: match[1] ?? '',
  lines: (match[2] ?? '').split('\n').filter((line) => line !== ''),
}));

/** A line of the page, where `...` stands for anything. */
function pattern(line: string): RegExp {
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${line.split('...').map(literal).join('.*')}`, 'm');
}

beforeAll(() => {
  mkdirSync(bin);
  mkdirSync(stage);
  for (const [name, file] of [
    ['siptrustctl', SIPTRUSTCTL],
    ['siptrustd', SIPTRUSTD],
  ] as const) {
    writeFileSync(join(bin, name), `#!/bin/sh\nexec node ${file} "$@"\n`);
    chmodSync(join(bin, name), 0o755);
  }
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('cross-certification, worked through', () => {
  test('ok/there are commands, and outputs', () => {
    expect(steps.length).toBeGreaterThan(5);
    expect(steps.filter(({ lines }) => lines.length > 0).length).toBeGreaterThan(4);
  });

  // In order: each goes on where the one before stopped.
  test.each(steps.map((step, index) => [index + 1, step] as const))(
    'ok/step %i',
    async (_, { commands, lines }) => {
      const env = { PATH: `${bin}:${process.env.PATH}` };
      const output = await run('bash', ['-e', '-o', 'pipefail', '-c', commands], { cwd: stage, env });
      // Child keeps bytes; the page is text.
      const text = Buffer.from(output, 'latin1').toString('utf8');
      for (const line of lines) expect(text).toMatch(pattern(line));
    },
    120_000,
  );
});
