/** The door of this room: rows out of files: CSV, dbtext, dumps of SQL, lists of addresses. */

export { readAddressFile } from './address-file.js';
export { readCsv } from './csv.js';
export { isDbText, readDbText } from './dbtext.js';
export { isSqlDump, readSqlDump } from './sql-dump.js';
export { TABLE_LIMITS, type Table, type TableRow, tableText } from './table.js';
