import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readSecret } from '../../../../src/state/store/secret-file.js';

describe('a file with a secret', () => {
  const directory = mkdtempSync(join(tmpdir(), 'siptrust-secret-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  const file = (name: string, text: string, mode: number): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  };

  it("ok/the text of one that is its owner's alone", () => {
    expect(readSecret(file('good', 'word\n', 0o600), 100)).toEqual({ text: 'word\n' });
  });

  it.each([
    ['one that others may read', () => file('open', 'word', 0o640), 'expected mode 0600, found mode 0640'],
    ['one that is too long', () => file('long', 'x'.repeat(101), 0o600), 'expected at most 100 bytes, found 101'],
    ['a directory', () => directory, 'expected a regular file, found a directory'],
  ])('fail/%s', (_what, path, problem) => {
    expect(readSecret(path(), 100)).toEqual({ problem });
  });

  it('fail/a FIFO: nobody waits for its writer', () => {
    const path = join(directory, 'fifo');
    execFileSync('mkfifo', ['-m', '600', path]);
    expect(readSecret(path, 100)).toEqual({ problem: 'expected a regular file, found a FIFO' });
  });
});
