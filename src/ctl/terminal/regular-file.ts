/** Files that others brought: a folder may hold a FIFO, or a link to a device that never ends. */

import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { Refusal } from './failure.js';

/**
 * The octets of a regular file of at most `most`; what it is is looked at before anything is read, and nothing is waited for.
 * @throws {Refusal}
 */
export function regularFile(file: string, most: number): Buffer {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new Refusal(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, 2, { cause });
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new Refusal(`${file}: expected a regular file`, 2);
    if (stat.size > most) throw new Refusal(`${file}: expected at most ${most} octets, found ${stat.size}`, 2);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
