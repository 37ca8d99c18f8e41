/** Agreements that the fleet has disabled: the policy of the same files, but for these. */

import type { Snapshot } from '../../trust/agreement/index.js';
import { AgreementList, snapshotWith } from '../snapshot/index.js';

/** Names looked up in one step. */
const STEP = 1000;

/**
 * The snapshot in which the agreements of these names are disabled. Nothing is read or checked again, so that it takes
 * milliseconds whatever the size of the policy; yields now and then.
 */
export function* withdrawInSteps(snapshot: Snapshot, names: readonly string[]): Generator<undefined, Snapshot> {
  const { agreements } = snapshot;
  if (!(agreements instanceof AgreementList))
    throw new TypeError('expected the agreements of a policy that was packed');
  const numbers: number[] = [];
  let looked = 0;
  for (const name of new Set(names)) {
    const number = agreements.numberOf(name);
    if (number !== undefined && agreements.termsOf(number).enabled) numbers.push(number);
    looked += 1;
    if (looked % STEP === 0) yield;
  }
  return numbers.length === 0 ? snapshot : snapshotWith(agreements.without(numbers), snapshot);
}
