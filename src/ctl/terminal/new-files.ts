/** Files that are there whole or not at all, and mostly must not exist yet: keys, policies, and what goes with them. */

import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { systemProblem } from '../../policy/reading/index.js';
import { Refusal } from './failure.js';

export interface NewFile {
  readonly path: string;
  readonly text: string | Uint8Array;
  /** Permission bits. */
  readonly mode: number;
}

/**
 * Makes all of the files or none. Each is written under another name beside its place and gets its own name when it is
 * whole; a name that is taken, by a link too, stays with what has it, unless `replace` says otherwise.
 * @throws {Refusal} nothing was made (with `replace`: what was replaced before stays replaced)
 */
export function makeFiles(files: readonly NewFile[], { replace = false }: { readonly replace?: boolean } = {}): void {
  const drafts: string[] = [];
  const made: string[] = [];
  let path = '';
  try {
    for (const file of files) {
      path = file.path;
      const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`;
      const descriptor = openSync(draft, 'wx', file.mode);
      drafts.push(draft);
      try {
        writeFileSync(descriptor, file.text);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
    }
    for (const [index, file] of files.entries()) {
      path = file.path;
      const draft = drafts[index] ?? '';
      if (replace) {
        renameSync(draft, path);
        continue;
      }
      // Unlike a rename, a link fails where the name is taken.
      linkSync(draft, path);
      made.push(path);
    }
  } catch (cause) {
    for (const each of made) rmSync(each, { force: true });
    throw new Refusal(`${path}: ${why(cause)}`, 2, { cause });
  } finally {
    for (const draft of drafts) rmSync(draft, { force: true });
  }
}

/**
 * Said before the work whose result is to go there.
 * @throws {Refusal} nothing can be made there
 */
export function requireFolder(option: string, path: string): void {
  let found = 'a file';
  try {
    if (statSync(path).isDirectory()) {
      accessSync(path, constants.W_OK | constants.X_OK);
      return;
    }
  } catch (cause) {
    found = systemProblem(cause);
  }
  throw new Refusal(`${option} ${path}: expected a directory that exists and may be written, found ${found}`, 2);
}

function why(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EEXIST') return 'expected a name that is not taken, found a file: nothing is overwritten';
  if (code === 'ENOENT') return 'expected a directory that exists';
  return cause instanceof Error ? cause.message : String(cause);
}
