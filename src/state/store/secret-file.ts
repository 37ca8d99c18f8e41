/** A file that holds a secret: nobody but its owner may read it. */

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/**
 * The text of the file, or in words what is wrong with it.
 * @param most octets that it may have
 * @throws what the system says of a file that cannot be opened
 */
export function readSecret(path: string, most: number): { readonly text: string } | { readonly problem: string } {
  // A FIFO would hold up the start, and every question, until somebody writes into it.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return { problem: 'expected a regular file, found something else' };
    const { mode, size } = stat;
    if ((mode & 0o077) !== 0) {
      return { problem: `expected mode 0600, found ${(mode & 0o777).toString(8).padStart(4, '0')}` };
    }
    if (size > most) return { problem: `expected at most ${most} bytes, found ${size}` };
    return { text: readFileSync(descriptor, 'utf8') };
  } finally {
    closeSync(descriptor);
  }
}
