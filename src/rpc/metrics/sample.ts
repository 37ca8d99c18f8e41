/** Values of the labels in the order of the table, and the value. */
export type Sample = readonly [labels: readonly string[], value: number];

/** Series of a metric whose labels are agreements or sources. */
export const MOST_SERIES = 2000;
