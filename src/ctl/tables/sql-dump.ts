/** One table out of an SQL dump: INSERT and REPLACE of mysqldump, pg_dump and sqlite3, and COPY of pg_dump. */

import { SqlLexer, type SqlToken } from './sql-lexer.js';
import { columnNames, type Table, TableBuilder } from './table.js';

/** Words that begin what is no column in CREATE TABLE. */
const NO_COLUMN = new Set([
  'primary',
  'key',
  'unique',
  'index',
  'constraint',
  'check',
  'foreign',
  'fulltext',
  'exclude',
]);

/** Whether a text looks like a dump. */
export function isSqlDump(text: string): boolean {
  return /^[ \t]*(?:INSERT|REPLACE|CREATE|COPY|BEGIN|PRAGMA|SET|LOCK|\/\*|--)\b|^-- |^\/\*/im.test(
    text.slice(0, 65_536),
  );
}

/** Only MySQL quotes names so. Nothing here crosses a line: from each of a million blank ones it would go to the last. */
const MYSQL = /^-- (?:MySQL|MariaDB) dump|^[ \t]*(?:INSERT|REPLACE|CREATE)[^\r\n\u2028\u2029('"]*`/im;

/**
 * The rows of the table `name`. Where INSERT names no columns they are those of CREATE TABLE in the same file, and
 * without that `usual`.
 */
export function readSqlDump(file: string, text: string, name: string, usual: readonly string[]): Table {
  return new DumpReader(file, text, name, usual).read();
}

class DumpReader {
  readonly #file: string;
  readonly #lexer: SqlLexer;
  readonly #name: string;
  readonly #builder: TableBuilder;
  #columns: readonly string[];

  constructor(file: string, text: string, name: string, usual: readonly string[]) {
    this.#file = file;
    // Strings of MySQL have backslash escapes, those of the others have none.
    this.#lexer = new SqlLexer(text, MYSQL.test(text));
    this.#name = name.toLowerCase();
    this.#builder = new TableBuilder(file);
    this.#columns = usual;
  }

  read(): Table {
    for (let token = this.#lexer.next(); token !== undefined; token = this.#lexer.next()) {
      const verb = wordOf(token);
      if (verb === 'create') this.#create();
      else if (verb === 'insert' || verb === 'replace') this.#insert();
      else if (verb === 'copy') this.#copy();
      else if (!isMark(token, ';')) this.#lexer.skipStatement();
    }
    return this.#builder.done();
  }

  /** The name of a table, its schema left out; and the token behind it. */
  #tableName(token: SqlToken | undefined): { readonly name: string; readonly behind: SqlToken | undefined } {
    if (token?.kind !== 'word') return { name: '', behind: token };
    let { text, quoted } = token;
    let behind = this.#lexer.next();
    // "public"."address" is two names and a dot; public.address is one word.
    if (behind?.kind === 'word' && behind.text === '.') {
      const last = this.#lexer.next();
      text = last?.text ?? '';
      quoted = true;
      behind = this.#lexer.next();
    }
    return { name: (quoted ? text : (text.split('.').at(-1) ?? '')).toLowerCase(), behind };
  }

  #create(): void {
    let token = this.#lexer.next();
    while (['temporary', 'unlogged', 'table'].includes(wordOf(token))) {
      const last = wordOf(token) === 'table';
      token = this.#lexer.next();
      if (last) break;
    }
    if (wordOf(token) === 'if') {
      this.#lexer.next();
      this.#lexer.next();
      token = this.#lexer.next();
    }
    const { name, behind } = this.#tableName(token);
    if (name === this.#name && isMark(behind, '(')) this.#define();
    else if (!isMark(behind, ';')) this.#lexer.skipStatement();
  }

  /** The columns of CREATE TABLE: the first word of each part between the brackets. */
  #define(): void {
    const columns: string[] = [];
    let depth = 1;
    let first = true;
    while (depth > 0) {
      const each = this.#lexer.next();
      if (each === undefined) break;
      const named = each.kind === 'word' && (each.quoted || !NO_COLUMN.has(each.text.toLowerCase()));
      if (first && named) columns.push(each.text);
      first = depth === 1 && isMark(each, ',');
      if (isMark(each, '(')) depth++;
      if (isMark(each, ')')) depth--;
    }
    this.#lexer.skipStatement();
    if (columns.length > 0) this.#columns = columnNames(this.#file, columns);
  }

  #insert(): void {
    let token = this.#lexer.next();
    while (token !== undefined && wordOf(token) !== 'into') token = this.#lexer.next();
    const { name, behind } = this.#tableName(this.#lexer.next());
    if (name === this.#name) this.#rows(behind);
    else if (!isMark(behind, ';')) this.#lexer.skipStatement();
  }

  #rows(behindName: SqlToken | undefined): void {
    let columns = this.#columns;
    let behind = behindName;
    if (isMark(behind, '(')) {
      columns = this.#columnList();
      behind = this.#lexer.next();
    }
    if (wordOf(behind) !== 'values') {
      this.#builder.unread(this.#lexer.line, 'expected VALUES, found something else: only plain rows are read');
      this.#lexer.skipStatement();
      return;
    }
    for (let each = this.#lexer.next(); each !== undefined && !isMark(each, ';'); each = this.#lexer.next()) {
      if (isMark(each, ',')) continue;
      if (!isMark(each, '(')) {
        this.#builder.unread(each.line, `expected a row in brackets, found ${JSON.stringify(each.text.slice(0, 40))}`);
        this.#lexer.skipStatement();
        return;
      }
      const { values, odd } = this.#list();
      if (odd === undefined) this.#builder.row(each.line, columns, values);
      else this.#builder.unread(each.line, odd);
    }
  }

  #columnList(): readonly string[] {
    return columnNames(
      this.#file,
      this.#list().values.map((value) => value ?? ''),
    );
  }

  /** Values up to the closing bracket. An expression is none: what it stands for is not known here. */
  #list(): { readonly values: readonly (string | undefined)[]; readonly odd?: string } {
    const values: (string | undefined)[] = [];
    let odd: string | undefined;
    let parts: SqlToken[] = [];
    let depth = 1;
    const finish = (): void => {
      // _binary'x' and a sign are part of a value.
      const at = parts.length === 2 && /^_[a-z0-9]+$/i.test(parts[0]?.text ?? '') ? 1 : 0;
      const only = parts[at];
      if (parts.length > at + 1) {
        odd ??= `expected a plain value, found the expression ${JSON.stringify(
          parts
            .map(({ text }) => text)
            .join(' ')
            .slice(0, 60),
        )}`;
      }
      values.push(
        only === undefined || (only.kind === 'word' && !only.quoted && wordOf(only) === 'null') ? undefined : only.text,
      );
      parts = [];
    };
    for (let token = this.#lexer.next(); token !== undefined; token = this.#lexer.next()) {
      if (isMark(token, '(')) depth++;
      if (isMark(token, ')') && --depth === 0) break;
      if (isMark(token, ',') && depth === 1) finish();
      else parts.push(token);
    }
    finish();
    return odd === undefined ? { values } : { values, odd };
  }

  #copy(): void {
    const { name, behind } = this.#tableName(this.#lexer.next());
    const columns = isMark(behind, '(') ? this.#columnList() : this.#columns;
    this.#lexer.skipStatement();
    for (const { line, text } of this.#lexer.copyRows()) {
      if (name === this.#name) this.#builder.row(line, columns, text.split('\t').map(copyValue));
    }
  }
}

const COPY_ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v' };

function copyValue(text: string): string | undefined {
  if (text === '\\N') return undefined;
  return text.replace(/\\(.)/gs, (_, char: string) => COPY_ESCAPES[char] ?? char);
}

function wordOf(token: SqlToken | undefined): string {
  return token?.kind === 'word' && !token.quoted ? token.text.toLowerCase() : '';
}

function isMark(token: SqlToken | undefined, text: string): boolean {
  return token?.kind === 'mark' && token.text === text;
}
