/** Writes a revision out as files: `policy show N --out DIR`. */

import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import type { BundledFile } from '../../policy/fleet/index.js';
import { makeFiles, Refusal } from '../terminal/index.js';

/**
 * @throws {Refusal} the directory is there, or a file of the policy lies outside of that of its main file: written
 *   somewhere else it would be another policy
 */
export function makeFolder(
  directory: string,
  files: readonly BundledFile[],
  blobs: ReadonlyMap<string, Uint8Array>,
): void {
  const outside = files.find(({ path }) => posix.isAbsolute(path) || path.startsWith('..'));
  if (outside !== undefined) {
    throw new Refusal(`${outside.path}: expected files below that of the policy alone, found one that is not`, 2);
  }
  try {
    mkdirSync(directory);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Refusal(`${directory}: expected a directory that can be made: ${why}`, 2, { cause });
  }
  try {
    for (const { path, sha256 } of files) {
      const file = join(directory, path);
      mkdirSync(dirname(file), { recursive: true });
      makeFiles([{ path: file, text: blobs.get(sha256) ?? '', mode: 0o644 }]);
    }
  } catch (cause) {
    rmSync(directory, { recursive: true, force: true });
    throw cause;
  }
}
