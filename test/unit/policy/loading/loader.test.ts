import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadPolicy } from '../../../../src/policy/loading/loader.js';
import { FILE_LIMITS } from '../../../../src/policy/reading/files.js';
import { CA_PEM, NOW, tls } from '../fixtures.js';

let folder: string;
let main: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'siptrust-policy-'));
  main = join(folder, 'siptrust.yaml');
  write('siptrust.yaml', tls());
  write('ca.pem', CA_PEM);
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string, mode = 0o640): void {
  writeFileSync(join(folder, name), content);
  chmodSync(join(folder, name), mode);
}

function said(): readonly string[] {
  const result = loadPolicy(main, 3, NOW);
  return (result.ok ? result.warnings : result.problems).map((line) => line.replaceAll(folder, ''));
}

describe('the policy on disk', () => {
  test('ok/it is read with what it names', () => {
    const result = loadPolicy(main, 3, NOW);
    if (!result.ok) throw new Error(result.problems.join('\n'));
    expect(result.snapshot.revision).toBe(3);
    expect(result.snapshot.agreements.at(0)?.anchors.client).toHaveLength(1);
    expect(result.warnings).toEqual([]);
  });

  test('ok/included files by glob, also through a symbolic link', () => {
    mkdirSync(join(folder, 'real'));
    write('real/c.yaml', 'agreements: [{name: op-c, domains: [c.example], mechanism: tls, anchors: [../ca.pem]}]\n');
    symlinkSync('real', join(folder, 'agreements'));
    write('siptrust.yaml', `include: agreements/*.yaml\n${tls()}`);
    const result = loadPolicy(main, 3, NOW);
    expect(result.ok && [...result.snapshot.agreements].map(({ name }) => name)).toEqual(['op-b', 'op-c']);
  });

  test('fail/a file that is not there', () => {
    rmSync(main);
    expect(said()).toEqual(['/siptrust.yaml:1:1: error: no such file']);
  });

  test('fail/a policy file that everybody may write', () => {
    chmodSync(main, 0o646);
    expect(said()).toEqual([
      '/siptrust.yaml:1:1: error: expected a file that not everybody may write, found mode 0646',
    ]);
  });

  test('ok/a policy file that its group may write', () => {
    chmodSync(main, 0o660);
    expect(loadPolicy(main, 3, NOW).ok).toBe(true);
  });

  test('fail/an included file that everybody may write', () => {
    write('siptrust.yaml', `include: c.yaml\n${tls()}`);
    write('c.yaml', 'agreements: []\n', 0o666);
    expect(said()).toEqual([
      '/siptrust.yaml:1:10: error: include: /c.yaml: expected a file that not everybody may write, found mode 0666',
    ]);
  });

  test('fail/an anchor that everybody may write', () => {
    chmodSync(join(folder, 'ca.pem'), 0o666);
    expect(said()).toEqual([
      '/siptrust.yaml:6:15: error: agreements[0].anchors[0]: /ca.pem: expected a file that not everybody may write, found mode 0666',
    ]);
  });

  test('ok/a directory that everybody may write is a warning, unless its sticky bit is set', () => {
    chmodSync(folder, 0o777);
    expect(said()[0]).toBe(
      '/siptrust.yaml:1:1: warning: : expected a directory that not everybody may write, found mode 777: /siptrust.yaml can be replaced',
    );
    chmodSync(folder, 0o1777);
    expect(said()).toEqual([]);
  });

  test('fail/a directory, a FIFO and a device in the place of a file do not hold up the daemon', () => {
    execFileSync('mkfifo', [join(folder, 'fifo.pem')]);
    mkdirSync(join(folder, 'dir.pem'));
    write('siptrust.yaml', tls('intermediates: [fifo.pem, dir.pem, /dev/zero, ca.pem/x]'));
    expect(said()).toEqual([
      '/siptrust.yaml:7:21: error: agreements[0].intermediates[0]: /fifo.pem: expected a regular file, found a FIFO',
      '/siptrust.yaml:7:31: error: agreements[0].intermediates[1]: /dir.pem: expected a regular file, found a directory',
      '/siptrust.yaml:7:40: error: agreements[0].intermediates[2]: /dev/zero: expected a regular file, found a device',
      '/siptrust.yaml:7:51: error: agreements[0].intermediates[3]: /ca.pem/x: a part of the path is no directory',
    ]);
  });

  test('fail/a file beyond the limit is not read', () => {
    truncateSync(main, FILE_LIMITS.policy + 1000);
    expect(said()).toEqual([
      `/siptrust.yaml:1:1: error: expected at most ${FILE_LIMITS.policy} bytes, found ${FILE_LIMITS.policy + 1000}`,
    ]);
  });
});
