/** The policy on disk: reads what the checks ask for, refuses what others may have written. */

import { closeSync, constants, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Snapshot } from '../trust/agreement.js';
import { compilePolicy } from './compile.js';
import { type FileRead, type PolicyFiles, tooLarge } from './files.js';
import { formatProblem } from './problem.js';
import type { DaemonSettings } from './settings.js';

/** A policy, or what is wrong with it; problems and warnings read `file:line:column: error: path: message`. */
export type LoadedPolicy =
  | {
      readonly ok: true;
      readonly snapshot: Snapshot;
      readonly settings: DaemonSettings;
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads and compiles the policy file at `path` under a revision, at the time `now` (ms). */
export function loadPolicy(path: string, revision: number, now: number): LoadedPolicy {
  const result = compilePolicy(filesOnDisk, path, revision, now);
  if (!result.ok) return { ok: false, problems: result.problems.map(formatProblem) };
  return { ...result, warnings: result.warnings.map(formatProblem) };
}

/** The files of this machine. */
export const filesOnDisk: PolicyFiles = { read: readFile, list: listDirectory };

function readFile(path: string, most: number): FileRead {
  let descriptor: number;
  try {
    // Not blocking: a FIFO in place of the file would hold up the daemon for ever.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    return unreadable(path, cause);
  }
  try {
    // Of the open file, so that what is judged is what is read.
    const { mode, size } = fstatSync(descriptor);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) {
      return { code: 'unreadable', problem: `${path}: expected a regular file` };
    }
    if ((mode & constants.S_IWOTH) !== 0) {
      const found = (mode & 0o777).toString(8).padStart(4, '0');
      return {
        code: 'unsafe-mode',
        problem: `${path}: expected a file that not everybody may write, found mode ${found}`,
      };
    }
    if (size > most) return tooLarge(path, size, most);
    const bytes = readAll(descriptor, most);
    if (bytes.length > most) return tooLarge(path, bytes.length, most);
    const warning = directoryWarning(path);
    return warning === undefined ? { bytes } : { bytes, warning };
  } catch (cause) {
    return unreadable(path, cause);
  } finally {
    closeSync(descriptor);
  }
}

/** All bytes, or one more than `most` where the file grows while it is read. */
function readAll(descriptor: number, most: number): Uint8Array {
  const chunks: Buffer[] = [];
  let total = 0;
  while (total <= most) {
    const chunk = Buffer.allocUnsafe(Math.min(1 << 20, most + 1 - total));
    const count = readSync(descriptor, chunk, 0, chunk.length, null);
    if (count === 0) break;
    chunks.push(chunk.subarray(0, count));
    total += count;
  }
  return Buffer.concat(chunks);
}

/** Who may write the directory may put another file in the place of this one, unless the sticky bit forbids it. */
function directoryWarning(path: string): string | undefined {
  const directory = dirname(path);
  const { mode } = statSync(directory);
  if ((mode & constants.S_IWOTH) === 0 || (mode & 0o1000) !== 0) return undefined;
  const found = (mode & 0o777).toString(8);
  return `${directory}: expected a directory that not everybody may write, found mode ${found}: ${path} can be replaced`;
}

function listDirectory(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory);
  } catch {
    return undefined;
  }
}

/** System errors by their names: the text of Node repeats the path and the name of the call. */
const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'expected a regular file, found a directory',
  ENOTDIR: 'a part of the path is no directory',
  ELOOP: 'too many symbolic links',
};

function unreadable(path: string, cause: unknown): FileRead {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return { code: 'unreadable', problem: `${path}: ${SYSTEM_ERRORS[code] ?? `cannot be read (${code || cause})`}` };
}
