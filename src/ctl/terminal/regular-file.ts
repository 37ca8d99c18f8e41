/** Files that others brought: a folder may hold a FIFO, or a link to a device that never ends. */

import { type RegularRead, readRegular, systemProblem } from '../../policy/reading/index.js';
import { Refusal } from './failure.js';

/**
 * The octets of a regular file of at most `most`; what it is is looked at before anything is read, and nothing is waited for.
 * @throws {Refusal}
 */
export function regularFile(file: string, most: number): Buffer {
  let read: RegularRead;
  try {
    read = readRegular(file, most);
  } catch (cause) {
    throw new Refusal(`${file}: ${systemProblem(cause)}`, 2, { cause });
  }
  if ('problem' in read) throw new Refusal(`${file}: ${read.problem}`, 2);
  return read.bytes;
}
