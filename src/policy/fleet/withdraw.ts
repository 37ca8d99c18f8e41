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
  const { agreements, byName } = snapshot;
  if (!(agreements instanceof AgreementList))
    throw new TypeError('expected the agreements of a policy that was packed');
  const numbers: number[] = [];
  for (const [at, name] of names.entries()) {
    const number = agreements.numberOf(name);
    if (number !== undefined && byName.get(name)?.enabled === true) numbers.push(number);
    if (at % STEP === STEP - 1) yield;
  }
  return numbers.length === 0 ? snapshot : snapshotWith(agreements.without(numbers), snapshot);
}
