/** Regular expressions as the proxy matches them: regcomp(3) of the C library, in a small program built for the test. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface PosixMatcher {
  /** For each text: does the pattern match it? Strings are latin1. */
  matches(pattern: string, texts: readonly string[]): readonly boolean[];
  /** The same as OpenSIPS's remove_hf_re() matches: with REG_NEWLINE. */
  matchesLines(pattern: string, texts: readonly string[]): readonly boolean[];
  close(): void;
}

/** undefined: there is no C compiler. */
export function posixMatcher(): PosixMatcher | undefined {
  if (spawnSync('cc', ['--version']).status !== 0) return undefined;
  const directory = mkdtempSync(join(tmpdir(), 'siptrust-regex-'));
  const program = join(directory, 'regex-match');
  execFileSync('cc', ['-O1', '-o', program, join(import.meta.dirname, 'regex-match.c')]);
  const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex');
  const match = (pattern: string, texts: readonly string[], flags: readonly string[]): readonly boolean[] => {
    const input = [pattern, ...texts].map((line) => `${hex(line)}\n`).join('');
    const output = execFileSync(program, flags, { input, encoding: 'latin1', maxBuffer: 1 << 26 });
    const answers = output.split('\n').slice(0, -1);
    if (answers.length !== texts.length || answers.includes('!')) throw new Error(`no POSIX expression: ${pattern}`);
    return answers.map((answer) => answer === '1');
  };
  return {
    matches: (pattern, texts) => match(pattern, texts, []),
    matchesLines: (pattern, texts) => match(pattern, texts, ['lines']),
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}
