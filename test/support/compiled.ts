/**
 * The programs as tests start them, and the threads that they start: compiled once, as each start takes a tenth of what it
 * takes by a loader of TypeScript.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const OUT = join(ROOT, '.cache/tests');
/** Written when all is compiled; its time is that of the start. */
const STAMP = join(OUT, 'stamp');

export const SIPTRUSTD = join(OUT, 'main.js');
export const SIPTRUSTCTL = join(OUT, 'ctl/main.js');

/** Where a module of src/, by its URL there, is compiled to. */
export function compiledModule(module: URL): string {
  return module.pathname.replace(join(ROOT, 'src'), OUT).replace(/\.ts$/, '.js');
}

/** Of vitest, before the first file. Types are looked at by `make lint`. @throws with what the compiler says */
export default function setup(): void {
  if (isFresh()) return;
  mkdirSync(OUT, { recursive: true });
  // What is written while it is compiled is newer than this.
  writeFileSync(`${STAMP}.new`, '');
  try {
    const options = ['-p', 'tsconfig.json', '--noCheck', '--outDir', OUT];
    execFileSync('node_modules/.bin/tsc', options, { cwd: ROOT, encoding: 'utf8' });
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    throw new Error(`expected src/ to compile, found:\n${stdout ?? String(error)}`);
  }
  renameSync(`${STAMP}.new`, STAMP);
}

/** Nothing was written in src/ since it was compiled last. */
function isFresh(): boolean {
  const stamp = statSync(STAMP, { throwIfNoEntry: false });
  if (stamp === undefined) return false;
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  const times = files.map((name) => statSync(join(ROOT, 'src', name)).mtimeMs);
  return Math.max(...times, statSync(join(ROOT, 'tsconfig.json')).mtimeMs) < stamp.mtimeMs;
}
