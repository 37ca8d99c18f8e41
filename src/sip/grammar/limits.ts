/**
 * How much of a header block is still plausible. The scanners are linear, so these do not bound the time; they keep
 * absurd blocks from costing every element behind us, and answer them with 400 or 513.
 */

/** Bytes of the block: what fits into one UDP datagram. */
export const MAX_BLOCK_BYTES = 65_535;

/** Rows of the block. 70 hops leave at most 70 Via and 70 Record-Route values (RFC 3261 §8.1.1.6). */
export const MAX_ROWS = 160;

/** Bytes of one row. The longest seen in earnest are Identity rows with a full PASSporT. */
export const MAX_ROW_BYTES = 16_384;

/** Values of one list field, over all its rows. */
export const MAX_VALUES = 100;
