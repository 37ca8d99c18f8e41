/** A table as Kamailio's db_text keeps it: a line of `name(type,options)`, then values separated by colons. */

import { shortened } from '../../printable.js';
import { Refusal } from '../terminal/index.js';
import { columnNames, type Table, TableBuilder } from './table.js';

const COLUMN = /^([A-Za-z_][A-Za-z0-9_]*)\((?:int|double|string|str|blob|datetime|bigint)(?:,[a-z,]*)?\)$/i;

/** Whether a text begins as such a table does. */
export function isDbText(text: string): boolean {
  const [first = ''] = text.slice(0, 4096).split('\n', 1);
  const words = first.trim().split(/\s+/);
  return words.length > 1 && words.every((word) => COLUMN.test(word));
}

/**
 * The rows of a db_text file. An empty value is null there.
 * @throws {Refusal} with file and line
 */
export function readDbText(file: string, text: string): Table {
  const builder = new TableBuilder(file);
  const [header = '', ...lines] = text.split('\n');
  const names = header
    .trim()
    .split(/\s+/)
    .map((word) => COLUMN.exec(word)?.[1]);
  if (!names.every((name) => name !== undefined)) {
    throw new Refusal(
      `${file}:1: expected columns as in "id(int,auto) ip_addr(string)", found ${JSON.stringify(shortened(header))}`,
      2,
    );
  }
  const columns = columnNames(file, names);
  lines.forEach((raw, index) => {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line.trim() !== '') builder.row(index + 2, columns, values(line));
  });
  return builder.done();
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' };

function values(line: string): readonly (string | undefined)[] {
  const found: string[] = [];
  let value = '';
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? '';
    if (char === '\\') {
      at++;
      const escaped = line[at] ?? '';
      value += ESCAPES[escaped] ?? escaped;
    } else if (char === ':') {
      found.push(value);
      value = '';
    } else value += char;
  }
  found.push(value);
  return found.map((each) => (each === '' ? undefined : each));
}
