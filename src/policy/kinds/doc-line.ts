/** How docs/policy.md tells of a key: its tables are made of the rows that the code reads by. */

/** A line of docs/policy.md, in Markdown. */
export interface DocLine {
  /** What may stand there. */
  readonly values?: string;
  /** What holds where the key is missing. */
  readonly otherwise?: string;
  readonly text: string;
}
