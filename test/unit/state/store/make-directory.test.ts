import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { makeDirectory } from '../../../../src/state/store/make-directory.js';

const base = mkdtempSync(join(tmpdir(), 'siptrust-directory-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

describe('makeDirectory', () => {
  test('ok/makes all that are missing, with the mode, and leaves those that are there', () => {
    const directory = join(base, 'a/b/c');
    makeDirectory(directory, 0o700);
    makeDirectory(directory, 0o755);
    expect([statSync(directory).mode & 0o777, statSync(join(base, 'a')).mode & 0o777]).toEqual([0o700, 0o700]);
  });

  // Node's recursive mkdir tries for ever here, which no timeout of a test could end.
  test.each(['/proc/siptrust', '/proc/siptrust/run/deep', '/proc/self/siptrust'])('bad/%s says why', (directory) => {
    const above = directory.split('/siptrust')[0];
    expect(() => makeDirectory(directory, 0o755)).toThrow(
      `${above}/siptrust: expected a directory that can be made, found a file system that takes none in ${above}`,
    );
  });

  test('bad/a file on the way says why', () => {
    const file = join(base, 'file');
    writeFileSync(file, '');
    expect(() => makeDirectory(join(file, 'x/y'), 0o755)).toThrow('ENOTDIR');
  });

  test('ok/nothing of the daemon makes directories otherwise', () => {
    const found = execFileSync('grep', ['-rlE', String.raw`mkdir(Sync)?\(.*recursive`, 'src'], { encoding: 'utf8' });
    // A folder of siptrustctl is made step by step inside one that it has just made.
    expect(found.trim().split('\n')).toEqual(['src/ctl/fleet/make-folder.ts']);
  });
});
