/** Foreign tables: one table as each tool writes it (dumps/ holds what mariadb-dump, pg_dump and sqlite3 wrote), and broken ones. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ADDRESS_COLUMNS } from '../../../../src/ctl/import/address-rows.js';
import { readAddressFile } from '../../../../src/ctl/tables/address-file.js';
import { readCsv } from '../../../../src/ctl/tables/csv.js';
import { isDbText, readDbText } from '../../../../src/ctl/tables/dbtext.js';
import { isSqlDump, readSqlDump } from '../../../../src/ctl/tables/sql-dump.js';
import { TABLE_LIMITS, type Table } from '../../../../src/ctl/tables/table.js';

const DUMPS = join(import.meta.dirname, 'dumps');
const dump = (name: string) => readFileSync(join(DUMPS, name), 'utf8');
const sql = (text: string) => readSqlDump('f', text, 'address', ADDRESS_COLUMNS);
const cells = ({ rows }: Table) => rows.map((row) => ADDRESS_COLUMNS.map((column) => row.cells[column]));

const ROWS = [
  ['1', '1', '192.0.2.1', '32', '0', 'b.example'],
  ['2', '1', '192.0.2.16', '28', '0', 'b.example'],
  ['3', '2', '198.51.100.1', '32', '5060', 'c.example'],
  ['4', '3', '2001:db8::1', '128', '0', 'd.example'],
  ['5', '3', 'sbc.e.example', '32', '0', undefined],
  ['6', '4', '203.0.113.1', '0', '0', "it's a \\ tag"],
];

describe('one table in every form', () => {
  for (const name of readdirSync(DUMPS).filter((each) => each.endsWith('.sql'))) {
    test(`ok/${name}`, () => {
      expect(isSqlDump(dump(name))).toBe(true);
      const table = sql(dump(name));
      expect(table.unread).toEqual([]);
      expect(cells(table)).toEqual(ROWS);
      expect(dump(name).split('\n')[Number(table.rows[3]?.place.match(/[0-9]+/)?.[0]) - 1]).toContain('2001:db8::1');
    });
  }
  test('ok/address.dbtext', () => {
    expect(isDbText(dump('address.dbtext'))).toBe(true);
    expect(cells(readDbText('f', dump('address.dbtext')))).toEqual(ROWS);
  });
  test('ok/address.csv', () => {
    expect(isSqlDump(dump('address.csv')) || isDbText(dump('address.csv'))).toBe(false);
    expect(cells(readCsv('f', dump('address.csv')))).toEqual(ROWS);
  });
  test('ok/mariadb.tsv: the output of mariadb -B', () => {
    const rows = cells(readCsv('f', dump('mariadb.tsv')));
    expect(rows.slice(0, 5)).toEqual(ROWS.slice(0, 5));
  });
  test('ok/address.list: address_file of the module', () => {
    expect(isSqlDump(dump('address.list')) || isDbText(dump('address.list'))).toBe(false);
    const rows = cells(readAddressFile('f', dump('address.list')));
    expect(rows.map((row) => row.slice(1))).toEqual(ROWS.slice(0, 5).map((row) => row.slice(1)));
  });
});

describe('SQL', () => {
  const rows: readonly (readonly [name: string, text: string, expected: unknown])[] = [
    ['columns in another order', "INSERT INTO address (tag, ip_addr) VALUES ('x','192.0.2.1');", [['x', '192.0.2.1']]],
    [
      'another table first',
      "INSERT INTO other VALUES (1,'a;b');\nINSERT INTO address (tag,ip_addr) VALUES ('x','y');",
      [['x', 'y']],
    ],
    ['a schema in quotes', `INSERT INTO "public"."address" ("tag","ip_addr") VALUES ('x','y');`, [['x', 'y']]],
    [
      'REPLACE and IGNORE',
      "REPLACE INTO `address` (`tag`,`ip_addr`) VALUES ('x','y');\nINSERT IGNORE INTO `address` (`tag`,`ip_addr`) VALUES ('z','y');",
      [
        ['x', 'y'],
        ['z', 'y'],
      ],
    ],
    ['a binary literal', "INSERT INTO `address` (`tag`,`ip_addr`) VALUES (_binary 'x','y');", [['x', 'y']]],
    ['statements in a comment', '/* INSERT INTO address VALUES (1); */ -- INSERT INTO address VALUES (2);\n', []],
    ['an apostrophe by PostgreSQL', `INSERT INTO address (tag,ip_addr) VALUES (E'it\\'s', 'y');`, [["it's", 'y']]],
  ];
  test.each(rows)('ok/%s', (_, text, expected) => {
    const table = sql(text);
    expect(table.unread).toEqual([]);
    expect(table.rows.map((row) => [row.cells.tag, row.cells.ip_addr])).toEqual(expected);
  });
  test('fail/an expression as value: that row, with its line', () => {
    const { rows: read, unread } = sql(
      "INSERT INTO address (tag,ip_addr) VALUES\n('x','1'),\n(concat('a','b'),'2'),\n('z','3');",
    );
    expect(read.map((row) => row.cells.tag)).toEqual(['x', 'z']);
    expect(unread).toEqual([
      { place: 'line 3', why: expect.stringMatching(/expected a plain value, found the expression "concat/) },
    ]);
  });
  test('fail/too few values: that row', () => {
    const { unread } = sql("INSERT INTO address (tag,ip_addr) VALUES ('x');");
    expect(unread).toEqual([{ place: 'line 1', why: 'expected 2 values (tag, ip_addr), found 1' }]);
  });
  test('fail/INSERT of a SELECT', () => {
    const { unread } = sql('INSERT INTO address SELECT * FROM old;');
    expect(unread).toEqual([{ place: 'line 1', why: expect.stringMatching(/^expected VALUES/) }]);
  });
  test('ok/a dump that is cut off anywhere ends', () => {
    for (const name of ['mariadb.sql', 'postgres-copy.sql']) {
      const text = dump(name);
      for (let end = 0; end < text.length; end += 7) expect(sql(text.slice(0, end)).rows.length).toBeLessThanOrEqual(6);
    }
  });
});

describe('CSV', () => {
  test('ok/quotes, separators and ends of lines in values', () => {
    const { rows } = readCsv('f', '\ufeffname,domains\r\n"a ""b""","x, y\nz"\r\n# comment\n\nc,\n');
    expect(rows).toEqual([
      { place: 'line 2', cells: { name: 'a "b"', domains: 'x, y\nz' } },
      { place: 'line 6', cells: { name: 'c', domains: undefined } },
    ]);
  });
  test('fail/an open quote, text behind a quote: those rows', () => {
    const { rows, unread } = readCsv('f', 'a,b\n"x"y,1\n2,3\n"z,1\n');
    expect(rows.map(({ place }) => place)).toEqual(['line 3']);
    expect(unread.map(({ place }) => place)).toEqual(['line 2', 'line 4']);
  });
  test('fail/a column twice', () => {
    expect(() => readCsv('f', 'a,A\n')).toThrow('f: expected each column once, found a twice');
  });
  test('fail/more rows than the limit', () => {
    expect(() => readCsv('f', `a\n${'x\n'.repeat(TABLE_LIMITS.rows + 1)}`)).toThrow(/expected at most 100000 rows/);
  });
});

test('ok/a file of one long value costs as much as its length', () => {
  const cost = (length: number) => {
    const text = `INSERT INTO address (tag,ip_addr) VALUES ('${"''".repeat(length)}','y');`;
    const before = process.cpuUsage();
    sql(text);
    readCsv('f', `a,b\n"${'""'.repeat(length)}",x\n`);
    const { user, system } = process.cpuUsage(before);
    return user + system + 5000;
  };
  cost(50_000);
  // Eight times the length; a quadratic reader takes 64 times as long.
  expect(cost(800_000)).toBeLessThan(24 * cost(100_000));
});
