/** What the TAB key offers, as bash reads the script of the package. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll, expect, test } from 'vitest';
import { bashCompletion } from '../../../packaging/completion.js';
import { program } from '../../../src/ctl/program.js';

const script = bashCompletion(program(Readable.from([]), new Writable()));

const directory = mkdtempSync(join(tmpdir(), 'siptrust-completion-'));
writeFileSync(join(directory, 'second.log'), '');
afterAll(() => rmSync(directory, { recursive: true }));

/** What is offered for the last word. */
function offered(...words: readonly string[]): readonly string[] {
  const typed = ['siptrustctl', ...words].map((word) => `'${word}'`).join(' ');
  const asked = `COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _siptrustctl; echo "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', `${script}\n${asked}`], { encoding: 'utf8', cwd: directory })
    .trim()
    .split(' ');
}

const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['a command', ['agree'], ['agreement']],
  ['a verb', ['agreement', 'rel'], ['reload']],
  ['an option', ['agreement', 'show', '--c'], ['--config']],
  ['an option behind an argument', ['agreement', 'show', 'op-b', '--c'], ['--config']],
  ['an option behind one with its value', ['decision', 'list', '--agreement', 'op-b', '--verd'], ['--verdict']],
  ['a file behind a file', ['replay', 'first.log', ''], ['second.log']],
  ['no verb behind what is none', ['agreement', 'op-b', 're'], ['']],
];
for (const [name, words, expected] of cases) {
  test(`ok/${name}`, () => expect(offered(...words)).toEqual(expected));
}
