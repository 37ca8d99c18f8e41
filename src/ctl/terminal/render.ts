/** Answers for people: a list of rows as a table, anything else as `key: value` lines. */

import { visible } from '../../printable.js';
import { isRecord } from '../../typed.js';

type Row = Readonly<Record<string, unknown>>;

/** One value in one line; what could end a line or drive a terminal is escaped. */
function cell(value: unknown): string {
  const text =
    typeof value === 'string'
      ? value
      : Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null)
        ? value.map(String).join(', ')
        : value === undefined || value === null
          ? ''
          : typeof value === 'object'
            ? JSON.stringify(value)
            : String(value);
  return visible(text);
}

/** Rows in columns, with the keys of the first row as the heading. */
function table(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const lines = [columns.map((column) => column.toUpperCase()), ...rows.map((row) => columns.map((c) => cell(row[c])))];
  // No call takes as many arguments as there may be rows.
  const widths = columns.map((_, at) => lines.reduce((most, line) => Math.max(most, line[at]?.length ?? 0), 0));
  return lines
    .map((line) =>
      line
        .map((text, at) => text.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Texts that do not fit a line stand one below the other, so many at most. */
const LONG = 100;
const MOST_LINES = 20;

function lines(texts: readonly string[], indent: string): string {
  const shown = texts.slice(0, MOST_LINES).map((text) => `${indent}${cell(text)}`);
  if (texts.length > shown.length) shown.push(`${indent}and ${texts.length - shown.length} more (--json)`);
  return shown.join('\n');
}

function block(value: Row, indent: string): string {
  const width = Math.max(0, ...Object.keys(value).map((key) => key.length));
  return Object.entries(value)
    .map(([key, entry]) => {
      if (isRecord(entry) && Object.keys(entry).length > 0) return `${indent}${key}:\n${block(entry, `${indent}  `)}`;
      if (Array.isArray(entry) && entry.length > 0 && entry.every(isRecord)) {
        const rows = table(entry).replaceAll('\n', `\n${indent}  `);
        return `${indent}${key}:\n${indent}  ${rows}`;
      }
      if (Array.isArray(entry) && entry.every((each) => typeof each === 'string') && entry.join(', ').length > LONG) {
        return `${indent}${key}:\n${lines(entry, `${indent}  `)}`;
      }
      return `${indent}${`${key}:`.padEnd(width + 2)}${cell(entry)}`.trimEnd();
    })
    .join('\n');
}

/** The answer as text for a terminal. */
export function render(answer: unknown): string {
  if (Array.isArray(answer)) {
    if (answer.length === 0) return '(none)';
    return answer.every(isRecord) ? table(answer) : answer.map(cell).join('\n');
  }
  return isRecord(answer) ? block(answer, '') : cell(answer);
}

const MARK: Readonly<Record<string, string>> = { pass: 'ok  ', fail: 'FAIL', note: 'note', skip: 'skip' };

/** An explanation: each check in order, what was compared, the outcome, the clause; then the verdict. */
export function renderExplanation(answer: unknown): string {
  if (!isRecord(answer) || !Array.isArray(answer.checks)) return render(answer);
  const steps = answer.checks
    .filter(isRecord)
    .map(
      ({ step, name, compared, outcome, clause }) =>
        `${String(step).padStart(2)}. ${MARK[String(outcome)] ?? cell(outcome)}  ${cell(name)}: ${cell(compared)}  [${cell(clause)}]`,
    );
  return [...steps, `=>  ${cell(answer.summary)}`].join('\n');
}
