/** What a release is made of, built from a commit in a directory of its own. */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { settledSbom } from './sbom.js';
import type { Commit } from './tree.js';

export interface Build {
  /** The repository, and the version that its commit has. */
  readonly root: string;
  readonly version: string;
  readonly at: Commit;
  /** Ends what runs. */
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

export const SUMS = 'SHA256SUMS';

/** Builds all files of the release in `place`, which is made; gives their directory. */
export async function buildRelease({ root, version, at, signal, say }: Build, place: string): Promise<string> {
  const tree = join(place, 'tree');
  const out = join(place, 'out');
  mkdirSync(out, { recursive: true });
  const { DEB_VERSION: _, ...environment } = process.env;
  const env = {
    ...environment,
    SOURCE_DATE_EPOCH: String(at.epoch),
    // The native module is compiled here, not fetched, and holds nothing of the directory that it was compiled in.
    npm_config_build_from_source: 'true',
    // What is for debuggers names it many times, and is stripped from the package, but counts for the id of the build.
    CFLAGS: `-g0 -ffile-prefix-map=${tree}=.`,
    CXXFLAGS: `-g0 -ffile-prefix-map=${tree}=.`,
  };
  const run = (cwd: string, ...command: readonly [string, ...string[]]) => output(command, { cwd, env, signal });
  say('clone');
  await run(root, 'git', 'clone', '-q', '--shared', '--no-checkout', root, tree);
  await run(tree, 'git', 'checkout', '-q', '--detach', at.commit);
  say('npm ci');
  await run(tree, 'npm', 'ci', '--no-fund', '--no-audit', '--prefer-offline');
  say('compile');
  await run(tree, 'npm', 'run', '-s', 'build');
  say('deb');
  await run(tree, 'node', '--import', 'tsx', 'packaging/deb.ts', out);
  say('npm pack');
  await run(tree, 'npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', out);
  say('sbom');
  const sbom = await run(tree, 'npm', 'sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev');
  writeFileSync(join(out, `siptrust-${version}.cdx.json`), settledSbom(sbom, at));
  writeFileSync(join(out, SUMS), sums(out));
  return out;
}

/** As `sha256sum *` writes it: `sha256sum -c SHA256SUMS` reads it. */
function sums(directory: string): string {
  const names = readdirSync(directory)
    .filter((name) => name !== SUMS)
    .sort();
  return names.map((name) => `${digest(join(directory, name))}  ${name}\n`).join('');
}

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** The names of files that are not the same, byte for byte, in both directories. */
export function differing(one: string, other: string): readonly string[] {
  const names = [...new Set([...readdirSync(one), ...readdirSync(other)])].sort();
  return names.filter((name) => {
    const there = [one, other].every((directory) => readdirSync(directory).includes(name));
    return !there || digest(join(one, name)) !== digest(join(other, name));
  });
}

/** What a command writes; where it fails, the end of what it wrote is the error. */
function output(
  [command, ...args]: readonly [string, ...string[]],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal },
): Promise<string> {
  return new Promise((resolve, reject) => {
    // In a group of its own: compilers that npm started end with it.
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const end = () => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    };
    options.signal.addEventListener('abort', end, { once: true });
    let [out, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      options.signal.removeEventListener('abort', end);
      if (code === 0) return resolve(out);
      const said = `${out}\n${errors}`.trim().split('\n').slice(-15).join('\n');
      reject(new Error(`${[command, ...args].join(' ')}: ended with ${code ?? signal}\n${said}`));
    });
  });
}
