/** How docs/policy.md tells of a key: its tables are made of the rows that the code reads by. */

/** A line of docs/policy.md, in Markdown. */
export interface DocLine {
  /** What may stand there. */
  readonly values?: string;
  /** What holds where the key is missing. */
  readonly otherwise?: string;
  readonly text: string;
}

/** The rows of a table of docs/policy.md, in their order: key paths with the same line share a row. */
export function docTable(lines: Iterable<readonly [path: string, line: DocLine]>): string {
  const rows = new Map<DocLine, string[]>();
  for (const [path, line] of lines) rows.set(line, [...(rows.get(line) ?? []), path]);
  return [...rows]
    .map(([{ values = '', otherwise = '', text }, paths]) => {
      const cells = [paths.map((path) => `\`${path}\``).join(', '), values, otherwise, text];
      return `|${cells.map((cell) => (cell === '' ? ' ' : ` ${cell} `)).join('|')}|`;
    })
    .join('\n');
}
