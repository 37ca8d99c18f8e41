/** Paths in a policy file are relative to the file that names them. */

import { posix } from 'node:path';

/** The path that `name` means in a file. */
export function resolvePath(file: string, name: string): string {
  return posix.isAbsolute(name) ? posix.normalize(name) : posix.join(posix.dirname(file), name);
}

/** One spelling for a path: `./a/../b` is `b`. */
export function normalPath(path: string): string {
  return posix.normalize(path);
}
