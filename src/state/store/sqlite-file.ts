/** The file of a store: who may touch it, who has it, which version it is, and what is wrong with it. */

import { closeSync, constants, openSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { danglingLink, makeDirectory } from './make-directory.js';
import { StoreError } from './store.js';

export type Connection = Database.Database;

/** `sipt`: tells our databases from those of others (sqlite.org/pragma.html#pragma_application_id). */
const APPLICATION_ID = 0x73_69_70_74;
const SCHEMA_VERSION = 1;
/** Somebody else who writes the file holds up the start, and each write in its thread, no longer than this. */
export const BUSY_MS = 5_000;

const SCHEMA = `
  CREATE TABLE pin (
    agreement TEXT NOT NULL,
    spki_sha256 TEXT NOT NULL,
    certificate_sha256 TEXT NOT NULL,
    subject TEXT NOT NULL,
    identities TEXT NOT NULL,
    not_after INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    count INTEGER NOT NULL,
    approved_at INTEGER,
    state TEXT GENERATED ALWAYS AS (iif(approved_at IS NULL, 'observed', 'approved')) VIRTUAL,
    PRIMARY KEY (agreement, spki_sha256)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE highest (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** Files of version 1 may lack it, and earlier programs do not mind it: no version of its own. */
const TLS_SEEN = `
  CREATE TABLE IF NOT EXISTS tls_seen (domain TEXT PRIMARY KEY, seen_at INTEGER NOT NULL) STRICT, WITHOUT ROWID`;

/** As tls_seen: later than version 1, and no harm to earlier programs. */
const CERTIFICATE = `
  CREATE TABLE IF NOT EXISTS certificate (
    sha256 TEXT PRIMARY KEY,
    der BLOB NOT NULL,
    octets INTEGER GENERATED ALWAYS AS (length(der)) STORED,
    last_seen INTEGER NOT NULL,
    partner INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS certificate_room ON certificate (partner, last_seen, octets)`;

/** As tls_seen. Lines of the audit log that the store of a fleet does not have yet. */
const WAITING = `
  CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    line TEXT NOT NULL
  ) STRICT`;

const RESTORE = '; next: put the last good copy in its place, or move it away and approve pins again';

/** SQLite's errors in words. */
const SQLITE_ERRORS: Readonly<Record<string, string>> = {
  SQLITE_NOTADB: 'expected a SQLite database, found something else',
  SQLITE_CORRUPT: 'expected a sound database, found a damaged one',
  SQLITE_READONLY: 'expected a file and a directory that may be written, found that they may not',
  SQLITE_CANTOPEN:
    'expected a directory where this user may make files; next: look at its owner and mode, and whether it is read-only (with systemd: StateDirectory of the unit)',
  SQLITE_FULL: 'the disk is full',
  SQLITE_BUSY: 'somebody else is writing it',
};

/** What went wrong with the file, in words; `cause` is kept. */
export function storeError(file: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const known = Object.entries(SQLITE_ERRORS).find(([name]) => code === name || code.startsWith(`${name}_`))?.[1];
  const message = cause instanceof Error ? cause.message : String(cause);
  const next = /^SQLITE_(?:NOTADB|CORRUPT)/.test(code) ? RESTORE : '';
  return new StoreError(file, known === undefined ? message : `${known} (${message})${next}`, { cause });
}

/** The database of a daemon, and the lock that it holds as long as it has it. */
export interface OpenFile {
  readonly database: Connection;
  readonly lock: Connection;
}

/**
 * Opens the database in `file`, or makes it. One daemon has it at a time; others may read it meanwhile.
 * @param warn told of what others may do to the file
 * @throws {StoreError} the file cannot be read or written, is damaged, of another program or a later version, or in use
 */
export function openFile(file: string, warn: (text: string) => void): OpenFile {
  const open: Connection[] = [];
  try {
    const there = place(file);
    // Two daemons on one file would not see each other's approvals, by whatever link each comes to it. The lock ends with the
    // process, however that ends.
    const lock = new Database(`${there}.lock`, { timeout: 0 });
    open.push(lock);
    takeLock(file, lock);
    if (statSync(there, { throwIfNoEntry: false }) === undefined) makeDatabase(there);
    checkFile(file);
    for (const text of looseModes(file)) warn(text);
    const database = new Database(file, { timeout: BUSY_MS });
    open.push(database);
    prepare(file, database);
    return { database, lock };
  } catch (cause) {
    for (const each of open.reverse()) each.close();
    throw storeError(file, cause);
  }
}

/**
 * Opens the database in `file` to read it, also while a daemon has it open.
 * @throws {StoreError} there is none, or it cannot be read
 */
export function openToRead(file: string): Connection {
  let database: Connection | undefined;
  try {
    checkFile(file);
    database = new Database(file, { readonly: true, timeout: BUSY_MS });
    checkDatabase(file, database);
    return database;
  } catch (cause) {
    database?.close();
    throw storeError(file, cause);
  }
}

/** Where the file is, or will be, by whatever link one comes to it; what may not be opened is told first. */
function place(file: string): string {
  makeDirectory(dirname(file), 0o700);
  if (statSync(file, { throwIfNoEntry: false }) !== undefined) {
    checkFile(file);
    return realpathSync(file);
  }
  // Nobody but who made the link knows whether the disk behind it is only not mounted yet.
  const leads = danglingLink(file);
  if (leads !== undefined) throw new StoreError(file, `expected a file, or none yet, found ${leads}`);
  return join(realpathSync(dirname(file)), basename(file));
}

/** It has its name once it is whole, for its owner alone: so an empty file is one that has lost what it held, never one that was just begun. */
function makeDatabase(file: string): void {
  const begun = join(dirname(file), `.${basename(file)}.begun`);
  // SQLite would write what a log of an earlier file holds into the new one.
  for (const left of [begun, `${begun}-journal`, `${file}-wal`, `${file}-shm`, `${file}-journal`])
    rmSync(left, { force: true });
  closeSync(openSync(begun, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600));
  const database = new Database(begun);
  try {
    database.transaction(() => database.exec(SCHEMA))();
  } finally {
    database.close();
  }
  renameSync(begun, file);
}

function checkFile(file: string): void {
  const { mode, size } = statSync(file);
  if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw new StoreError(file, 'expected a regular file');
  if ((mode & constants.S_IWOTH) !== 0) {
    const found = (mode & 0o777).toString(8).padStart(4, '0');
    throw new StoreError(file, `expected a file that not everybody may write, found mode ${found}; next: chmod 600`);
  }
  // SQLite would take it for a new database, and drop the log beside it.
  if (size === 0) throw new StoreError(file, `expected a database of siptrust, found an empty file${RESTORE}`);
}

/** Who may write the file or its directory says whom to trust. As for policy files, that is a warning. */
function looseModes(file: string): readonly string[] {
  const mode = (path: string): number => statSync(path).mode & 0o1777;
  const octal = (found: number): string => (found & 0o777).toString(8).padStart(4, '0');
  const directory = dirname(file);
  const [ofFile, ofDirectory] = [mode(file), mode(directory)];
  const others = (ofDirectory & constants.S_IWOTH) !== 0 && (ofDirectory & 0o1000) === 0;
  return [
    ...((ofFile & constants.S_IWGRP) === 0
      ? []
      : [`${file}: expected a file that siptrustd alone may write, found mode ${octal(ofFile)}`]),
    ...(others
      ? [
          `${directory}: expected a directory that not everybody may write, found mode ${octal(ofDirectory)}: ${file} can be replaced`,
        ]
      : []),
  ];
}

function takeLock(file: string, lock: Connection): void {
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    const busy = cause instanceof Error && 'code' in cause && cause.code === 'SQLITE_BUSY';
    if (!busy) throw cause;
    throw new StoreError(
      file,
      'expected a file of its own, found one that another siptrustd has open; next: end that one (fuser FILE says which), or name another daemon.state.file',
      { cause },
    );
  }
}

function prepare(file: string, database: Connection): void {
  checkDatabase(file, database);
  const mode = database.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal') throw new StoreError(file, `expected a file system with write-ahead logs, found mode ${mode}`);
  // Every commit is on the disk before it returns: what was acknowledged survives the machine too.
  database.pragma('synchronous = FULL');
  database.exec(TLS_SEEN);
  database.exec(CERTIFICATE);
  database.exec(WAITING);
}

function checkDatabase(file: string, database: Connection): void {
  if (database.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    throw new StoreError(
      file,
      'expected a database of siptrust, found one of another program; next: name another daemon.state.file',
    );
  }
  const version = database.pragma('user_version', { simple: true });
  if (version !== SCHEMA_VERSION) {
    throw new StoreError(
      file,
      `expected version ${SCHEMA_VERSION} of the database, found ${version}; next: the siptrustd that wrote it, or the copy from before the upgrade`,
    );
  }
  const state = database.pragma('quick_check(1)', { simple: true });
  if (state !== 'ok')
    throw new StoreError(
      file,
      `expected a sound database, found a damaged one (${String(state).replaceAll('\n', ' ')})${RESTORE}`,
    );
}
