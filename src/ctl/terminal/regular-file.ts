/** Files that others brought: a folder may hold a FIFO, or a link to a device that never ends. */

import { readFileSync } from 'node:fs';
import { type RefusedMode, type RegularRead, readRegular, systemProblem } from '../../policy/reading/index.js';
import { Refusal } from './failure.js';

/**
 * The octets of a regular file of at most `most`, of no mode that is `refused`; what it is is looked at before anything is read, and nothing is waited for.
 * @throws {Refusal}
 */
export function regularFile(file: string, most: number, refused?: RefusedMode): Buffer {
  let read: RegularRead;
  try {
    read = readRegular(file, most, refused);
  } catch (cause) {
    throw new Refusal(`${file}: ${systemProblem(cause)}`, 2, { cause });
  }
  if ('problem' in read) throw new Refusal(`${file}: ${read.problem}`, 2);
  return read.bytes;
}

/** Where a shell puts what it pipes: `/dev/stdin`, and `/dev/fd/63` for `<(command)`. */
const PIPED = /^\/dev\/(?:stdin|fd\/\d+)$|^\/proc\/self\/fd\/\d+$/;

/**
 * The octets of a file that the command line names: a regular one of at most MOST_NAMED, or what the shell pipes, to its end.
 * @throws {Refusal}
 */
export function namedFile(file: string, refused?: RefusedMode): Buffer {
  if (!PIPED.test(file)) return regularFile(file, MOST_NAMED, refused);
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new Refusal(`${file}: ${systemProblem(cause)}`, 2, { cause });
  }
}

/** The same as text. @throws {Refusal} */
export function namedText(file: string): string {
  return namedFile(file).toString('utf8');
}

/** Certificates, bundles of them, keys and lists; the bundle of all public CAs has a quarter of a MiB. */
const MOST_NAMED = 64 * 1024 * 1024;
