/** What `npm pack` gives, installed without a network: both programs run, by npx and by name. */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from './machine.js';

const directory = mkdtempSync(join(tmpdir(), 'siptrust-npm-'));
const prefix = join(directory, 'prefix');
const quiet = ['--no-audit', '--no-fund', '--offline'];

function npm(cwd: string, ...args: readonly string[]): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function npx(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync('npx', ['--offline', '--no-install', ...args], {
    cwd: prefix,
    encoding: 'utf8',
  });
  return { code: status, output: `${stdout}${stderr}` };
}

describe('npm pack', () => {
  beforeAll(() => {
    mkdirSync(prefix);
    npm(ROOT, 'pack', '--pack-destination', directory);
    const tarball = readdirSync(directory).find((name) => name.endsWith('.tgz')) ?? '';
    writeFileSync(join(prefix, 'package.json'), '{"private": true}\n');
    // No scripts: better-sqlite3 would be compiled, which takes minutes; --check does without it.
    npm(prefix, 'install', ...quiet, '--ignore-scripts', join(directory, tarball));
  });

  test('ok/siptrustd checks a policy', () => {
    writeFileSync(join(prefix, 'siptrust.yaml'), 'own_domains: [a.example]\nagreements: []\n', { mode: 0o600 });
    expect(npx('siptrustd', '--check', '--config', 'siptrust.yaml')).toEqual({
      code: 0,
      output: expect.stringContaining('siptrust.yaml: ok, 0 agreements'),
    });
  });
  test('ok/siptrustctl answers', () => {
    const { code, output } = npx('siptrustctl', 'policy', 'diff', 'siptrust.yaml', 'siptrust.yaml');
    expect([code, output.trim()]).toEqual([0, 'no difference']);
  });
  test('ok/with what a proxy loads, and nothing of the tests', () => {
    const at = join(prefix, 'node_modules/siptrust');
    for (const path of ['plugin/kamailio/siptrust.cfg', 'kamailio-cfg/siptrust.yaml', 'docs/policy.md', 'LICENSE']) {
      expect(existsSync(join(at, path)), path).toBe(true);
    }
    for (const path of ['src', 'test', 'packaging']) expect(existsSync(join(at, path)), path).toBe(false);
  });
});
