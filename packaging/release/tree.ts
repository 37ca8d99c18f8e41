/** The tree that is to be released, as it lies in a directory with its git. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReleaseTree } from './checks.js';

export interface Commit {
  readonly commit: string;
  /** When it was made, in seconds. */
  readonly epoch: number;
}

export function git(root: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trimEnd();
}

export function headOf(root: string): Commit {
  const [commit = '', epoch = ''] = git(root, 'log', '-1', '--format=%H %ct').split(' ');
  return { commit, epoch: Number(epoch) };
}

export function readTree(root: string, version: string): ReleaseTree {
  const text = (path: string) => readFileSync(join(root, path), 'utf8');
  const tags = git(root, 'for-each-ref', '--format=%(objectname) %(*objectname)', `refs/tags/v${version}`);
  // Of an annotated tag the second is the commit.
  const tagged = tags.trim().split(' ').at(-1);
  const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)];
  return {
    changes: git(root, 'status', '--porcelain').split('\n').filter(Boolean),
    commit: headOf(root).commit,
    tagged: tagged === '' ? undefined : tagged,
    changelog: text('CHANGELOG.md'),
    manifest: text('package.json'),
    lock: text('package-lock.json'),
    versionFile: text('src/version.ts'),
    security: text('SECURITY.md'),
    pages: new Map(pages.filter((path) => path.endsWith('.md')).map((path) => [path, text(path)])),
  };
}
