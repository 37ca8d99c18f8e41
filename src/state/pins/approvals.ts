/** Approvals that are not where they are asked for: they belong to the name of an agreement. */

import type { Snapshot } from '../../trust/agreement/index.js';
import type { ApprovedPins } from '../../trust/cover/index.js';

const MOST_SHOWN = 3;
/** As many lines: a policy of thousands may have as many. */
const MOST_LINES = 20;

/** Agreements looked at in one step. */
const STEP = 100;

/**
 * A line for each agreement that asks for an approved key and has none; says which approvals a change of names has left behind.
 * Yields now and then.
 */
export function* missingApprovals(
  { agreements, byName }: Pick<Snapshot, 'agreements' | 'byName'>,
  approved: ApprovedPins,
): Generator<undefined, readonly string[]> {
  const without: string[] = [];
  for (let number = 0; number < agreements.length; number++) {
    if (number % STEP === 0) yield;
    const { enabled, pinned } = agreements.termsOf(number);
    if (!enabled || !pinned || approved.has(agreements.nameOf(number))) continue;
    const agreement = agreements.at(number);
    if (agreement?.pins.length === 0) without.push(agreement.name);
  }
  if (without.length === 0) return [];
  const left = [...approved.keys()].filter((name) => !byName.has(name));
  const shown = [...left.slice(0, MOST_SHOWN), ...(left.length > MOST_SHOWN ? ['others'] : [])].join(', ');
  const hint =
    left.length === 0 ? '' : `; approvals of ${shown} are of no agreement any more, and none takes them over`;
  const lines = without
    .slice(0, MOST_LINES)
    .map(
      (name) =>
        `agreement ${name}: pinned, and no key is approved for it: no certificate is trusted under it${hint}; next: siptrustctl pin list ${name}, then siptrustctl pin approve ${name} PIN`,
    );
  const more = without.length - lines.length;
  return more === 0 ? lines : [...lines, `${more} more agreements: pinned, and no key is approved for them`];
}
