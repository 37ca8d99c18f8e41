import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRegular, systemProblem } from '../../../../src/policy/reading/regular-file.js';

describe('a file that others may have put there', () => {
  const folder = mkdtempSync(join(tmpdir(), 'siptrust-regular-'));
  const at = (name: string) => join(folder, name);
  beforeAll(() => {
    writeFileSync(at('ten'), '0123456789');
    writeFileSync(at('open'), '');
    chmodSync(at('open'), 0o646);
    symlinkSync(at('ten'), at('link'));
    symlinkSync(at('circle'), at('circle'));
    execFileSync('mkfifo', [at('fifo')]);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const refused = { bits: 0o002, expected: 'a file that not everybody may write' };

  test.each(['ten', 'link'])('ok/%s', (name) => {
    const read = readRegular(at(name), 10, refused);
    expect(read).toMatchObject({ bytes: Buffer.from('0123456789'), stats: { size: 10 }, after: { size: 10 } });
  });

  test.each([
    ['a directory', folder, 'unreadable', 'expected a regular file, found a directory'],
    ['a FIFO: nobody waits for its writer', at('fifo'), 'unreadable', 'expected a regular file, found a FIFO'],
    ['a device that never ends', '/dev/zero', 'unreadable', 'expected a regular file, found a device'],
    [
      'one that everybody may write',
      at('open'),
      'unsafe-mode',
      'expected a file that not everybody may write, found mode 0646',
    ],
    ['one that is too large', at('ten'), 'too-large', 'expected at most 9 bytes, found 10'],
    // It says that it is empty, as one does that grows after it was looked at.
    ['one that has more than its size says', '/proc/self/status', 'too-large', 'expected at most 9 bytes, found 10'],
  ])('fail/%s', (_what, path, code, problem) => {
    expect(readRegular(path, 9, refused)).toMatchObject({ code, problem });
  });

  test.each([
    ['what is not there', 'none', 'no such file'],
    ['what is below a file', 'ten/none', 'a part of the path is no directory'],
    ['links in a circle', 'circle', 'too many symbolic links'],
  ])('fail/%s: in words', (_what, name, problem) => {
    let said: unknown;
    try {
      readRegular(at(name), 9);
    } catch (cause) {
      said = cause;
    }
    expect(systemProblem(said)).toBe(problem);
  });
});
