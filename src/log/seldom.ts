/** Events that somebody else can cause as often as he likes: one line in a while, with how many there were. */

import { hasPassed } from '../elapsed.js';

const SELDOM_MS = 10_000;
/** Kinds that are kept apart; of more the oldest is told again at once. */
const MOST_KINDS = 1000;

export type Tell = (fields: Readonly<Record<string, unknown>>) => void;

/**
 * Gives a function that tells the first event of a kind, and after SELDOM_MS the next one with the number of those
 * that were left out.
 */
export function seldom(
  clock: () => number,
): (kind: string, fields: Readonly<Record<string, unknown>>, tell: Tell) => void {
  const kinds = new Map<string, { readonly at: number; left: number }>();
  return (kind, fields, tell) => {
    const now = clock();
    const known = kinds.get(kind);
    if (known !== undefined && !hasPassed(known.at, SELDOM_MS, now)) {
      known.left += 1;
      return;
    }
    kinds.delete(kind);
    kinds.set(kind, { at: now, left: 0 });
    for (const oldest of kinds.keys()) {
      if (kinds.size <= MOST_KINDS) break;
      kinds.delete(oldest);
    }
    tell(known === undefined || known.left === 0 ? fields : { ...fields, more: known.left });
  };
}
