/** A regular file that others may have put there: what it is is looked at before any of it is read. */

import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

/** Permissions that nobody may have, and what is expected instead of them. */
export interface RefusedMode {
  readonly bits: number;
  readonly expected: string;
}

/** The file as it was opened; and its octets with the file as it was once they were read, or in words why there are none. */
export type RegularRead = { readonly stats: Stats } & (
  | { readonly bytes: Buffer; readonly after: Stats }
  | { readonly code: 'unreadable' | 'unsafe-mode' | 'too-large'; readonly problem: string }
);

/**
 * Reads at most `most` octets, however much the file grows meanwhile, and waits for nobody.
 * @throws what the system says of a file that cannot be opened or read; `systemProblem` has it in words
 */
export function readRegular(path: string, most: number, refused: RefusedMode = { bits: 0, expected: '' }): RegularRead {
  // Not blocking: a FIFO in place of the file would hold up the process for ever.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    // Of the open file, so that what is judged is what is read.
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return { stats, code: 'unreadable', problem: `expected a regular file, found ${kind(stats)}` };
    if ((stats.mode & refused.bits) !== 0) {
      const found = (stats.mode & 0o777).toString(8).padStart(4, '0');
      return { stats, code: 'unsafe-mode', problem: `expected ${refused.expected}, found mode ${found}` };
    }
    if (stats.size > most) return { stats, code: 'too-large', problem: beyond(most, stats.size) };
    const bytes = readAll(descriptor, stats.size, most);
    if (bytes.length > most) return { stats, code: 'too-large', problem: beyond(most, bytes.length) };
    return { stats, bytes, after: fstatSync(descriptor) };
  } finally {
    closeSync(descriptor);
  }
}

function kind(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  return stats.isFIFO() ? 'a FIFO' : 'a device';
}

/** A file of `size` octets where at most `most` are taken, in words. */
export function beyond(most: number, size: number): string {
  return `expected at most ${most} bytes, found ${size}`;
}

/** All bytes, or one more than `most` where the file grows while it is read. Held once: a policy may be the most of the memory. */
function readAll(descriptor: number, size: number, most: number): Buffer {
  let bytes = Buffer.allocUnsafeSlow(size + 1);
  let total = 0;
  while (total <= most) {
    // Beyond what it was when it was opened: /proc says 0 of its files, and others grow.
    if (total === bytes.length) bytes = Buffer.concat([bytes], Math.min(total * 2 + 512, most + 1));
    const count = readSync(descriptor, bytes, total, bytes.length - total, null);
    if (count === 0) break;
    total += count;
  }
  return bytes.subarray(0, total);
}

/** System errors by their names: the text of Node repeats the path and the name of the call. */
const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'expected a regular file, found a directory',
  ENOTDIR: 'a part of the path is no directory',
  ELOOP: 'too many symbolic links',
};

/** Whether there is no such file or directory. */
export function isAbsent(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR');
}

/** Why a file cannot be read, in words. */
export function systemProblem(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return SYSTEM_ERRORS[code] ?? `cannot be read (${code || cause})`;
}
