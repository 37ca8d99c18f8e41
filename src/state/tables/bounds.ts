/**
 * What one row of the database may hold. Whoever writes rows by hand can make one of many megabytes: a daemon that reads it
 * waits longer than it waits for the database, counts that as away, comes back, and reads it again. So the database is asked
 * for the size first, and sends no more than that.
 */

/** Of one row, all its texts together: some hundred times what ours have. */
export const MOST_ROW_OCTETS = 262_144;
/** Of rows that are decoded in one turn. */
export const PAGE_OCTETS = 4 * 1024 * 1024;
/** Rows that are decoded in one turn. */
export const PAGE_ROWS = 2_000;

/** Who a row is, short enough for a log. */
export const MOST_NAME = 100;

/** A row that is not taken, and why. */
export interface RefusedRow {
  readonly row: string;
  readonly octets: number;
}
