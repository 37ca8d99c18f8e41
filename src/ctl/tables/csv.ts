/** CSV with a header (RFC 4180), separated by comma, semicolon or tab. */

import { Refusal } from '../terminal/index.js';
import { columnNames, type Table, TableBuilder } from './table.js';

/**
 * The rows of a CSV text; its first row names the columns. Blank lines and lines that begin with # are left out.
 * @throws {Refusal} with file and line: a row is not as the first one, a quoted value does not end
 */
export function readCsv(file: string, text: string): Table {
  const separator = separatorOf(text);
  const builder = new TableBuilder(file);
  let columns: readonly string[] | undefined;
  for (const { line, values, fault } of records(text.startsWith('\ufeff') ? text.slice(1) : text, separator)) {
    if (columns === undefined) {
      if (fault !== undefined) throw new Refusal(`${file}:${line}: ${fault}`, 2);
      columns = columnNames(file, values);
    } else if (fault !== undefined) {
      builder.unread(line, fault);
    } else {
      builder.row(
        line,
        columns,
        values.map((value) => (value === '' || value === '\\N' || value === 'NULL' ? undefined : value)),
      );
    }
  }
  if (columns === undefined)
    throw new Refusal(`${file}: expected a header with the names of columns, found nothing`, 2);
  return builder.done();
}

/** The one of the three that the header has most of. */
function separatorOf(text: string): string {
  const end = text.indexOf('\n');
  const header = end < 0 ? text : text.slice(0, end);
  const count = (separator: string) => header.split(separator).length;
  return [',', ';', '\t'].reduce((best, next) => (count(next) > count(best) ? next : best));
}

interface CsvRecord {
  readonly line: number;
  readonly values: readonly string[];
  readonly fault?: string;
}

/** One pass over the text: each character is looked at a fixed number of times. */
function* records(text: string, separator: string): Generator<CsvRecord> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const first = line;
    if (text[at] === '#') at = lineEnd(text, at);
    const values: string[] = [];
    let fault: string | undefined;
    let value = '';
    let quoted = false;
    for (;;) {
      const char = text[at];
      if (char === undefined || char === '\n' || (char === '\r' && text[at + 1] === '\n')) break;
      if (char === '"' && value === '') {
        quoted = true;
        const { content, next, closed } = quotedValue(text, at + 1);
        value = content;
        for (const letter of content) if (letter === '\n') line++;
        if (!closed) fault = 'expected a closing ", found the end of the file';
        at = next;
      } else if (char === separator) {
        values.push(quoted ? value : value.trim());
        value = '';
        quoted = false;
        at++;
      } else {
        if (quoted) fault ??= `expected a separator after the closing ", found ${JSON.stringify(char)}`;
        value += char;
        at++;
      }
    }
    values.push(quoted ? value : value.trim());
    if (text[at] === '\r') at++;
    at++;
    line++;
    const blank = values.length === 1 && values[0] === '' && !quoted;
    if (!blank) yield fault === undefined ? { line: first, values } : { line: first, values, fault };
  }
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

/** Content up to the closing quote; a doubled quote stands for one. */
function quotedValue(text: string, from: number): { content: string; next: number; closed: boolean } {
  const parts: string[] = [];
  let at = from;
  for (;;) {
    const end = text.indexOf('"', at);
    if (end < 0) return { content: parts.join('') + text.slice(at), next: text.length, closed: false };
    parts.push(text.slice(at, end));
    if (text[end + 1] !== '"') return { content: parts.join(''), next: end + 1, closed: true };
    parts.push('"');
    at = end + 2;
  }
}
