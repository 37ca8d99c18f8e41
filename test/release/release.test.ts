/** `make release` of a version that is made up, in a clone: what comes out, twice the same, and nothing where it is stopped. */

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ReleaseClone } from '../support/release-clone.js';

const ROOT = join(import.meta.dirname, '../..');
const VERSION = '7.3.1';
const RELEASE = ['--import', 'tsx', 'packaging/release.ts'];

describe('make release', () => {
  let clone: ReleaseClone;
  const temporary = mkdtempSync(join(tmpdir(), 'siptrust-release-test-'));
  const env = { ...process.env, AUDIT: 'skip', TMPDIR: temporary };

  beforeAll(() => {
    clone = new ReleaseClone();
    clone.prepare(VERSION);
    symlinkSync(join(ROOT, 'node_modules'), join(clone.root, 'node_modules'));
    // As a directory it is ignored, and as a link it is not.
    execFileSync('sh', ['-c', 'echo node_modules >>.git/info/exclude'], { cwd: clone.root });
  });
  afterAll(() => {
    clone.remove();
    rmSync(temporary, { recursive: true, force: true });
  });

  test('fail/stopped: nothing is kept, nothing is left', async () => {
    const child = spawn('node', [...RELEASE, VERSION], { cwd: clone.root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('npm ci') && !child.killed) setTimeout(() => child.kill('SIGINT'), 3000);
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, said]).toEqual([130, expect.stringContaining('stopped by SIGINT; nothing is kept')]);
    expect(readdirSync(temporary).filter((name) => name.startsWith('siptrust-release'))).toEqual([]);
    expect(existsSync(join(clone.root, 'packages'))).toBe(false);
  });

  test('ok/package, tarball, SBOM and sums, the same bytes twice', () => {
    const { status, stdout, stderr } = spawnSync('node', [...RELEASE, VERSION], {
      cwd: clone.root,
      env,
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    expect(stderr).toContain('release: 50 %, build 2 of 2: sbom');
    expect(stdout).toContain(`packages/${VERSION}: the same bytes twice`);
    // Nobody looked, so that nobody says that there is nothing.
    expect(stdout).toContain('npm audit: NOT CHECKED');
    const out = join(clone.root, 'packages', VERSION);
    const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
    expect(readdirSync(out).sort()).toEqual([
      'SHA256SUMS',
      `siptrust-${VERSION}.cdx.json`,
      `siptrust-${VERSION}.tgz`,
      `siptrust_${VERSION}_${architecture}.deb`,
    ]);
    expect(spawnSync('sha256sum', ['-c', '--quiet', 'SHA256SUMS'], { cwd: out }).status).toBe(0);
    const deb = execFileSync('dpkg-deb', ['-f', join(out, `siptrust_${VERSION}_${architecture}.deb`), 'Version'], {
      encoding: 'utf8',
    });
    expect(deb.trim()).toBe(VERSION);
    const bom = JSON.parse(readFileSync(join(out, `siptrust-${VERSION}.cdx.json`), 'utf8'));
    const names = bom.components.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['better-sqlite3', 'jayson', 'zod']));
    expect(names).not.toContain('vitest');
  });
});
