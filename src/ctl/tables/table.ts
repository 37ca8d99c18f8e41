/** Rows of a foreign table, whatever the file was that they stood in. */

import { Refusal, regularFile } from '../terminal/index.js';

export interface TableRow {
  /** Where in the file it begins: `line 3`, and of further ones of a line (mysqldump writes all into one) `line 3, row 2`. */
  readonly place: string;
  /** By the name of the column, in lower case; null and what is not there are undefined. */
  readonly cells: Readonly<Record<string, string | undefined>>;
}

/** A part of the file that was not taken over, and why. */
export interface Unread {
  readonly place: string;
  readonly why: string;
}

export interface Table {
  readonly rows: readonly TableRow[];
  readonly unread: readonly Unread[];
}

/** Above these a file is refused before it is read: no table of partners is as large. */
export const TABLE_LIMITS = { octets: 64 * 1024 * 1024, rows: 100_000, columns: 64 } as const;

/**
 * The text of a file, UTF-8.
 * @throws {Refusal} it cannot be read, is too large or is no text
 */
export function tableText(file: string): string {
  const bytes = regularFile(file, TABLE_LIMITS.octets);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Refusal(`${file}: expected UTF-8 text, found other octets`, 2, { cause });
  }
}

const NOT_ODD = { columns: [], found: 0, why: '' };

/** Fills a table row by row, within the limits. */
export class TableBuilder {
  readonly #file: string;
  readonly #rows: TableRow[] = [];
  readonly #unread: Unread[] = [];
  #last = { line: 0, row: 0 };
  /** One text for all rows that have as many values: a file with the wrong number of columns has it in each of them. */
  #odd: { readonly columns: readonly string[]; readonly found: number; readonly why: string } = NOT_ODD;

  constructor(file: string) {
    this.#file = file;
  }

  /** A row of values in the order of `columns`. */
  row(line: number, columns: readonly string[], values: readonly (string | undefined)[]): void {
    if (values.length !== columns.length) {
      if (columns !== this.#odd.columns || values.length !== this.#odd.found) {
        const why = `expected ${columns.length} values (${columns.join(', ')}), found ${values.length}`;
        this.#odd = { columns, found: values.length, why };
      }
      this.unread(line, this.#odd.why);
      return;
    }
    const cells = Object.fromEntries(columns.map((column, at) => [column, values[at]]));
    this.#rows.push({ place: this.#place(line), cells });
  }

  unread(line: number, why: string): void {
    this.#unread.push({ place: this.#place(line), why });
  }

  done(): Table {
    return { rows: this.#rows, unread: this.#unread };
  }

  #place(line: number): string {
    if (this.#rows.length + this.#unread.length >= TABLE_LIMITS.rows) {
      throw new Refusal(`${this.#file}: expected at most ${TABLE_LIMITS.rows} rows, found more`, 2);
    }
    this.#last = { line, row: line === this.#last.line ? this.#last.row + 1 : 1 };
    return this.#last.row === 1 ? `line ${line}` : `line ${line}, row ${this.#last.row}`;
  }
}

/**
 * Column names as they are compared.
 * @throws {Refusal} too many, or one twice
 */
export function columnNames(file: string, names: readonly string[]): readonly string[] {
  const columns = names.map((name) => name.trim().toLowerCase());
  if (columns.length > TABLE_LIMITS.columns) {
    throw new Refusal(`${file}: expected at most ${TABLE_LIMITS.columns} columns, found ${columns.length}`, 2);
  }
  const twice = columns.find((name, at) => columns.indexOf(name) !== at);
  if (twice !== undefined) throw new Refusal(`${file}: expected each column once, found ${twice} twice`, 2);
  return columns;
}
