/** A file that holds a secret: nobody but its owner may read it. */

import { readRegular } from '../../policy/reading/index.js';

/** A FIFO would hold up the start, and every question, until somebody writes into it: `readRegular` waits for nobody. */
export const OWNERS_ALONE = { bits: 0o077, expected: 'mode 0600' };

/**
 * The text of the file, or in words what is wrong with it.
 * @param most octets that it may have
 * @throws what the system says of a file that cannot be opened
 */
export function readSecret(path: string, most: number): { readonly text: string } | { readonly problem: string } {
  const read = readRegular(path, most, OWNERS_ALONE);
  return 'problem' in read ? { problem: read.problem } : { text: read.bytes.toString('utf8') };
}
