/** When to ask again for something that runs out. All in milliseconds; the clock is the caller's. */

/** Shortest wait after an answer. */
const LEAST_WAIT_MS = 30_000;
const FIRST_RETRY_MS = 5_000;
/** Failures that still double the wait: beyond, the interval is reached. */
const MOST_DOUBLINGS = 16;

/** After an answer: the interval, or a quarter of the time that is left, so that there are several tries before the end. */
export function nextRefresh(now: number, until: number | undefined, intervalMs: number): number {
  const left = until === undefined ? Number.POSITIVE_INFINITY : (until - now) / 4;
  return now + Math.max(Math.min(intervalMs, LEAST_WAIT_MS), Math.min(intervalMs, left));
}

/** After `failures` failures in a row: twice as long each time, up to the interval. `random` (0 to 1) spreads servers' load. */
export function nextRetry(now: number, failures: number, intervalMs: number, random: number): number {
  const wait = Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, MOST_DOUBLINGS), intervalMs);
  return now + wait * (0.75 + random / 2);
}

/**
 * How old what another node has fetched may be: fetched since this one looked last, and not so long ago that twice the
 * interval passes.
 */
export function othersMaxAge(
  { intervalMs, now }: { readonly intervalMs: number; now(): number },
  checkedAt: number | undefined,
): number {
  const half = intervalMs / 2;
  return checkedAt === undefined ? half : Math.min(half, Math.max(0, now() - checkedAt));
}
