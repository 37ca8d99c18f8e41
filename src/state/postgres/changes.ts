/** How a node hears of what others have written: a notification, and a look at what has changed since the last one. */

import { hasPassed } from '../../elapsed.js';
import type { Run, SqlRow } from './client.js';

/** Told of what must be known at once; the payload says of what: `pin`, `token`. */
export const STATE_CHANGED = 'siptrust_state';

/** Up to where a table was read. */
export interface Cursor {
  /** Transactions from this one on may not have been seen. */
  readonly from: string;
  /** Which database that was, and when. */
  readonly identity: string;
  readonly at: number;
}

interface Position extends SqlRow {
  readonly from: string;
  readonly next: string;
  readonly identity: string;
}

const POSITION = `
  SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS "from", pg_snapshot_xmax(pg_current_snapshot())::text AS next,
    (SELECT id::text FROM identity) AS identity`;

/** What was taken out is remembered for 30 days: who was away longer reads everything. */
const REMEMBERED_MS = 20 * 86_400_000;

/**
 * Where a reading that begins now stands. Asked for before the reading: what is written meanwhile is read twice.
 * @param since undefined: everything has to be read. Also where the database is another one, or an older copy of it.
 */
export async function position(run: Run, last: Cursor | undefined, now: number) {
  const [row] = await run<Position>(POSITION);
  const { from = '0', next = '0', identity = '' } = row ?? {};
  const cursor: Cursor = { from, identity, at: now };
  const follows =
    last !== undefined &&
    last.identity === identity &&
    BigInt(last.from) <= BigInt(next) &&
    !hasPassed(last.at, REMEMBERED_MS, now);
  return { cursor, since: follows ? last.from : undefined };
}
