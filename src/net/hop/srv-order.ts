/** The order in which SRV records are tried (RFC 2782, "Usage rules"). */

import type { SrvRecord } from '../dns/index.js';

/**
 * Lowest priority first, by weighted choice within a priority. The same seed gives the same order whatever order the
 * answer came in, as stateless proxies need (RFC 3263 §4.4).
 */
export function orderSrv(records: readonly SrvRecord[], seed: number): readonly SrvRecord[] {
  const random = generator(seed);
  const left = [...records].sort(
    (a, b) => a.priority - b.priority || a.weight - b.weight || compareText(a.target, b.target) || a.port - b.port,
  );
  const ordered: SrvRecord[] = [];
  while (left.length > 0) {
    const same = left.filter(({ priority }) => priority === left[0]?.priority);
    // Sorted by weight, so those of weight 0 stand first, where a draw of 0 still finds them.
    const draw = Math.floor(random() * (same.reduce((sum, { weight }) => sum + weight, 0) + 1));
    let sum = 0;
    const chosen = same.findIndex(({ weight }) => {
      sum += weight;
      return sum >= draw;
    });
    ordered.push(...left.splice(chosen, 1));
  }
  return ordered;
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** mulberry32: small, seeded, even enough to share load. */
function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
