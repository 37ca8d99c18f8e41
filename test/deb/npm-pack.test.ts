/** What `npm pack` gives, installed without a network: both programs run, by npx and by name. */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from './machine.js';

const directory = mkdtempSync(join(tmpdir(), 'siptrust-npm-'));
const prefix = join(directory, 'prefix');

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

interface Locked {
  readonly version: string;
  readonly dev?: boolean;
}

/** Asks for the package, and for what it depends on as our lock file has it: npm finds all of that in its cache. */
function lockedPrefix(tarball: string): void {
  const { version, dependencies, bin, engines, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const needed = Object.entries<Locked>(lock.packages).flatMap(([path, locked]) => {
    if (path === '' || locked.dev === true) return [];
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    // A name for the cache, which finds the bytes by their digest; nobody is asked.
    const resolved = `https://registry.npmjs.org/${name}/-/${name.split('/').at(-1)}-${locked.version}.tgz`;
    return [[path, { ...locked, resolved }] as const];
  });
  const own = { dependencies: { siptrust: tarball } };
  const packages = {
    '': own,
    'node_modules/siptrust': { version, resolved: tarball, license, dependencies, bin, engines },
    ...Object.fromEntries(needed),
  };
  writeFileSync(join(prefix, 'package.json'), JSON.stringify(own));
  writeFileSync(join(prefix, 'package-lock.json'), JSON.stringify({ ...lock, name: 'prefix', packages }));
}

describe('npm pack', () => {
  beforeAll(() => {
    mkdirSync(prefix);
    npm(ROOT, 'pack', '--pack-destination', directory);
    const tarball = readdirSync(directory).find((name) => name.endsWith('.tgz')) ?? '';
    lockedPrefix(`file:../${tarball}`);
    // No scripts: better-sqlite3 would be compiled, which takes minutes; --check does without it.
    npm(prefix, 'ci', '--no-audit', '--no-fund', '--offline', '--ignore-scripts');
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
