import { lstatSync, mkdirSync, readlinkSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory and those above it that are not there, one by one: where a file system takes none, as that of /proc
 * does not, Node's own recursive mkdir never returns.
 * @throws what the system says of the first that cannot be made
 */
export function makeDirectory(directory: string, mode: number): void {
  const missing: string[] = [];
  for (let at = resolve(directory); at !== dirname(at) && !isThere(at); at = dirname(at)) missing.push(at);
  for (const each of missing.reverse()) make(each, mode);
}

function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // Making it says why.
    return false;
  }
}

/** What to say of a symbolic link that leads nowhere, with which a file can neither be opened nor made; undefined: it is none. */
export function danglingLink(path: string): string | undefined {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true || isThere(path)) return undefined;
  return `a symbolic link to ${readlinkSync(path)}, where nothing is; next: make that, or remove the link`;
}

function make(directory: string, mode: number): void {
  try {
    mkdirSync(directory, { mode });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'EEXIST') {
      const leads = danglingLink(directory);
      if (leads === undefined) return; // Somebody else was first.
      const why = `${directory}: expected a directory, or none yet, found ${leads}`;
      throw Object.assign(new Error(why, { cause }), { code });
    }
    if (code !== 'ENOENT') throw cause;
    const why = `${directory}: expected a directory that can be made, found a file system that takes none in ${dirname(directory)}`;
    throw Object.assign(new Error(why, { cause }), { code: 'EROFS' });
  }
}
