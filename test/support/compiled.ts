/**
 * The programs as tests start them, and the threads that they start: compiled once, and with what they import in a few files.
 * A start takes half of the processor time that it takes from dist/, and a tenth of what it takes by a loader of TypeScript.
 */

import { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

const ROOT = join(import.meta.dirname, '../..');
const OUT = join(ROOT, '.cache/tests');
/** Written when all is compiled; its time is that of the start. */
const STAMP = join(ROOT, '.cache/tests-stamp');

export const SIPTRUSTD = join(OUT, 'main.js');
export const SIPTRUSTCTL = join(OUT, 'ctl/main.js');

/** The programs, and what runs in threads: modules of src/. */
const STARTED = [
  'main',
  'ctl/main',
  'policy/loading/worker',
  'policy/loading/watch-worker',
  'state/store/sqlite-writer',
];
/** Two steps below OUT, as the modules are that name threads and files beside them by a path of their own. */
const SHARED = 'state/store/[name]-[hash].js';

/** Where a module of src/ that a thread runs, by its URL there, is compiled to. */
export function compiledModule(module: URL): string {
  return module.pathname.replace(join(ROOT, 'src'), OUT).replace(/\.ts$/, '.js');
}

/** Of vitest, before the first file. Types are looked at by `make lint`. @throws with what the compiler says */
export default async function setup(): Promise<void> {
  if (isFresh()) return;
  mkdirSync(OUT, { recursive: true });
  // What is written while it is compiled is newer than this.
  writeFileSync(`${STAMP}.new`, '');
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'warn',
    publicDir: false,
    // Its own compiled part lies beside it.
    ssr: { noExternal: true, external: ['better-sqlite3'] },
    build: {
      ssr: true,
      outDir: OUT,
      emptyOutDir: true,
      target: 'node20',
      minify: false,
      rolldownOptions: {
        input: Object.fromEntries(STARTED.map((name) => [name, join(ROOT, 'src', `${name}.ts`)])),
        output: { entryFileNames: '[name].js', chunkFileNames: SHARED },
      },
    },
  });
  renameSync(`${STAMP}.new`, STAMP);
}

/** Nothing was written in src/ since it was compiled last. */
function isFresh(): boolean {
  const stamp = statSync(STAMP, { throwIfNoEntry: false });
  if (stamp === undefined) return false;
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  const times = [...files.map((name) => join('src', name)), 'package-lock.json', 'test/support/compiled.ts'].map(
    (name) => statSync(join(ROOT, name)).mtimeMs,
  );
  return Math.max(...times) < stamp.mtimeMs;
}
