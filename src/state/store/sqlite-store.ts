/** A store in a file of this machine. The one file that knows SQLite. */

import { closeSync, constants, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { startThread } from '../work/index.js';
import type { WriteOrder, WriteResult, WriterData, WriteStep } from './sqlite-writer.js';
import {
  type CertificateStore,
  type KeptCertificate,
  type KeptLimits,
  type Pin,
  type Store,
  type StoreChanges,
  type Stored,
  StoreError,
  type TlsSeen,
  type TlsSeenStore,
  type WaitingLine,
  type WaitingLines,
} from './store.js';

/** `sipt`: tells our databases from those of others (sqlite.org/pragma.html#pragma_application_id). */
const APPLICATION_ID = 0x73_69_70_74;
const SCHEMA_VERSION = 1;
/** Somebody else who writes the file holds up the start, and each write in its thread, no longer than this. */
const BUSY_MS = 5_000;

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
const READ_TLS_SEEN = 'SELECT domain, seen_at AS seenAt FROM tls_seen ORDER BY domain';
const PUT_TLS_SEEN = 'INSERT OR REPLACE INTO tls_seen VALUES (?, ?)';
const FORGET_TLS_SEEN = 'DELETE FROM tls_seen WHERE seen_at < ?';

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
/** Who once named a partner stays a partner's; the time only grows. */
const PUT_CERTIFICATE = `
  INSERT INTO certificate (sha256, der, last_seen, partner) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET last_seen = max(last_seen, excluded.last_seen), partner = max(partner, excluded.partner)`;
const READ_CERTIFICATE = 'SELECT der FROM certificate WHERE sha256 = ?';
const FORGET_CERTIFICATES = 'DELETE FROM certificate WHERE last_seen < ? AND partner IN (0, 1)';
/** Beyond so many octets strangers go first, of each kind the one that was seen longest ago. */
const MAKE_CERTIFICATE_ROOM = `
  DELETE FROM certificate WHERE sha256 IN (
    SELECT sha256 FROM (
      SELECT sha256, sum(octets) OVER (ORDER BY partner DESC, last_seen DESC, sha256) AS together FROM certificate
    ) WHERE together > ?
  )`;

/** As tls_seen. Lines of the audit log that the store of a fleet does not have yet. */
const WAITING = `
  CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    line TEXT NOT NULL
  ) STRICT`;
const READ_WAITING = 'SELECT id, line AS text FROM waiting ORDER BY number LIMIT ?';
const ADD_WAITING = 'INSERT OR IGNORE INTO waiting (id, line) VALUES (?, ?)';
const DROP_WAITING = 'DELETE FROM waiting WHERE id = ?';

const READ_PINS = `
  SELECT agreement, spki_sha256, certificate_sha256, subject, identities, not_after, first_seen, last_seen, count,
    approved_at
  FROM pin ORDER BY last_seen, first_seen`;
const PUT_PIN = `
  INSERT OR REPLACE INTO pin (agreement, spki_sha256, certificate_sha256, subject, identities, not_after, first_seen,
    last_seen, count, approved_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const REMOVE_PIN = 'DELETE FROM pin WHERE agreement = ? AND spki_sha256 = ?';
const READ_REVISION = "SELECT value FROM highest WHERE name = 'revision'";
const PUT_REVISION = `
  INSERT INTO highest VALUES ('revision', ?)
  ON CONFLICT DO UPDATE SET value = iif(value > 2147483647, excluded.value, max(value, excluded.value))`;

type Connection = Database.Database;

/** As READ_PINS gives it: the columns of a STRICT table. */
type Row = readonly [string, string, string, string, string, number, number, number, number, number | null];

/** SQLite's errors in words. */
const SQLITE_ERRORS: Readonly<Record<string, string>> = {
  SQLITE_NOTADB: 'expected a SQLite database, found something else',
  SQLITE_CORRUPT: 'expected a sound database, found a damaged one',
  SQLITE_READONLY: 'expected a file and a directory that may be written, found that they may not',
  SQLITE_CANTOPEN: 'cannot be opened',
  SQLITE_FULL: 'the disk is full',
  SQLITE_BUSY: 'somebody else is writing it',
};

function storeError(file: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const known = Object.entries(SQLITE_ERRORS).find(([name]) => code === name || code.startsWith(`${name}_`))?.[1];
  const message = cause instanceof Error ? cause.message : String(cause);
  return new StoreError(file, known === undefined ? message : `${known} (${message})`, { cause });
}

/**
 * Opens the database in `file`, or makes it. One daemon has it at a time; others may read it meanwhile.
 * @param warn told of what others may do to the file
 * @throws {StoreError} the file cannot be read or written, is damaged, of another program or a later version, or in use
 */
export function openSqliteStore(
  file: string,
  warn: (text: string) => void = () => {},
): Store & TlsSeenStore & CertificateStore & WaitingLines {
  const open: Connection[] = [];
  try {
    makeFile(file);
    for (const text of looseModes(file)) warn(text);
    // Two daemons on one file would not see each other's approvals. The lock ends with the process, however that ends.
    const lock = new Database(`${file}.lock`, { timeout: 0 });
    open.push(lock);
    takeLock(file, lock);
    const database = new Database(file, { timeout: BUSY_MS });
    open.push(database);
    prepare(file, database);
    return new SqliteStore(file, database, lock);
  } catch (cause) {
    for (const each of open.reverse()) each.close();
    throw storeError(file, cause);
  }
}

/**
 * What the database in `file` holds, without changing it, also while a daemon has it open; undefined: there is none.
 * @throws {StoreError}
 */
export function readSqliteStore(file: string): Stored | undefined {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return undefined;
  let database: Connection | undefined;
  try {
    checkFile(file);
    database = new Database(file, { readonly: true, timeout: BUSY_MS });
    checkDatabase(file, database);
    return stored(database);
  } catch (cause) {
    throw storeError(file, cause);
  } finally {
    database?.close();
  }
}

/** Certificates that a daemon has kept, by their SHA-256. */
export interface CertificateReading {
  /** @throws {StoreError} */
  find(sha256: string): Uint8Array | undefined;
  close(): void;
}

/**
 * The certificates in `file`, without changing it, also while a daemon has it open.
 * @throws {StoreError} there is none, or it cannot be read
 */
export function readCertificates(file: string): CertificateReading {
  let database: Connection | undefined;
  try {
    checkFile(file);
    database = new Database(file, { readonly: true, timeout: BUSY_MS });
    checkDatabase(file, database);
    const known = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'certificate'").get() !== undefined;
    const find = known ? database.prepare<[string], Uint8Array>(READ_CERTIFICATE).pluck() : undefined;
    const open = database;
    return {
      find: (sha256) => {
        try {
          return find?.get(sha256) as Uint8Array | undefined;
        } catch (cause) {
          throw storeError(file, cause);
        }
      },
      close: () => open.close(),
    };
  } catch (cause) {
    database?.close();
    throw storeError(file, cause);
  }
}

/** Pins say whom to trust: nobody else reads the file, and one that everybody may write says nothing. */
function makeFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (statSync(file, { throwIfNoEntry: false }) === undefined) {
    closeSync(openSync(file, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600));
  }
  checkFile(file);
}

function checkFile(file: string): void {
  const { mode } = statSync(file);
  if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw new StoreError(file, 'expected a regular file');
  if ((mode & constants.S_IWOTH) !== 0) {
    const found = (mode & 0o777).toString(8).padStart(4, '0');
    throw new StoreError(file, `expected a file that not everybody may write, found mode ${found}`);
  }
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
    throw new StoreError(file, 'expected a file of its own, found one that another siptrustd has open', { cause });
  }
}

function prepare(file: string, database: Connection): void {
  if (database.pragma('user_version', { simple: true }) === 0 && isEmpty(database)) {
    database.transaction(() => database.exec(SCHEMA))();
  }
  checkDatabase(file, database);
  const mode = database.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal') throw new StoreError(file, `expected a file system with write-ahead logs, found mode ${mode}`);
  // Every commit is on the disk before it returns: what was acknowledged survives the machine too.
  database.pragma('synchronous = FULL');
  database.exec(TLS_SEEN);
  database.exec(CERTIFICATE);
  database.exec(WAITING);
}

function isEmpty(database: Connection): boolean {
  return database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() === 0;
}

function checkDatabase(file: string, database: Connection): void {
  if (database.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    throw new StoreError(file, 'expected a database of siptrust, found one of another program');
  }
  const version = database.pragma('user_version', { simple: true });
  if (version !== SCHEMA_VERSION) {
    throw new StoreError(file, `expected version ${SCHEMA_VERSION} of the database, found ${version}`);
  }
  const state = database.pragma('quick_check(1)', { simple: true });
  if (state !== 'ok') throw new StoreError(file, `expected a sound database, found a damaged one (${state})`);
}

function stored(database: Connection): Stored {
  const rows = database.prepare<[], Row>(READ_PINS).raw().all() as unknown as Row[];
  const revision = database.prepare<[], number>(READ_REVISION).pluck().get() as unknown as number | undefined;
  return { pins: rows.map(toPin), revision: revision ?? 0 };
}

function toPin(row: Row): Pin {
  const [agreement, spkiSha256, certificateSha256, subject, identities, notAfter, firstSeen, lastSeen, count, at] = row;
  return {
    agreement,
    spkiSha256,
    certificateSha256,
    subject,
    identities: identities === '' ? [] : identities.split(' '),
    notAfter,
    firstSeen,
    lastSeen,
    count,
    approvedAt: at ?? undefined,
  };
}

class SqliteStore implements Store, TlsSeenStore, CertificateStore, WaitingLines {
  readonly #file: string;
  readonly #database: Connection;
  readonly #lock: Connection;
  readonly #asked = new Map<number, (failed: Error | undefined) => void>();
  #writer: Worker | undefined;
  #count = 0;

  constructor(file: string, database: Connection, lock: Connection) {
    this.#file = file;
    this.#database = database;
    this.#lock = lock;
  }

  async load(): Promise<Stored> {
    try {
      return stored(this.#database);
    } catch (cause) {
      throw storeError(this.#file, cause);
    }
  }

  save({ put = [], approve = [], remove = [], forget = [], revision }: StoreChanges): Promise<void> {
    return this.#write([
      { sql: PUT_PIN, rows: [...put, ...approve].map(toRow) },
      { sql: REMOVE_PIN, rows: [...remove, ...forget].map(({ agreement, spkiSha256 }) => [agreement, spkiSha256]) },
      { sql: PUT_REVISION, rows: revision === undefined ? [] : [[revision]] },
    ]);
  }

  async loadTlsSeen(): Promise<readonly TlsSeen[]> {
    try {
      return this.#database.prepare<[], TlsSeen>(READ_TLS_SEEN).all();
    } catch (cause) {
      throw storeError(this.#file, cause);
    }
  }

  saveTlsSeen(seen: readonly TlsSeen[], since: number): Promise<void> {
    return this.#write([
      { sql: PUT_TLS_SEEN, rows: seen.map(({ domain, seenAt }) => [domain, seenAt]) },
      { sql: FORGET_TLS_SEEN, rows: [[since]] },
    ]);
  }

  saveCertificates(seen: readonly KeptCertificate[], { since, octets }: KeptLimits): Promise<void> {
    return this.#write([
      {
        sql: PUT_CERTIFICATE,
        rows: seen.map(({ sha256, der, lastSeen, partner }) => [sha256, der, lastSeen, partner ? 1 : 0]),
      },
      { sql: FORGET_CERTIFICATES, rows: [[since]] },
      { sql: MAKE_CERTIFICATE_ROOM, rows: [[octets]] },
    ]);
  }

  async loadWaiting(most: number): Promise<readonly WaitingLine[]> {
    try {
      return this.#database.prepare<[number], WaitingLine>(READ_WAITING).all(most);
    } catch (cause) {
      throw storeError(this.#file, cause);
    }
  }

  addWaiting({ id, text }: WaitingLine): Promise<void> {
    return this.#write([{ sql: ADD_WAITING, rows: [[id, text]] }]);
  }

  dropWaiting(ids: readonly string[]): Promise<void> {
    return this.#write([{ sql: DROP_WAITING, rows: ids.map((id) => [id]) }]);
  }

  /** Settles after all that was asked for before. */
  async close(): Promise<void> {
    if (this.#writer !== undefined) {
      await this.#write(undefined).catch(() => {});
      const writer = this.#writer;
      this.#writer = undefined;
      await writer?.terminate();
    }
    this.#database.close();
    this.#lock.close();
  }

  async #write(steps: readonly WriteStep[] | undefined): Promise<void> {
    const failed = await new Promise<Error | undefined>((resolve) => {
      this.#count += 1;
      const order: WriteOrder = { id: this.#count, steps };
      this.#asked.set(order.id, resolve);
      const writer = this.#thread();
      writer.ref();
      writer.postMessage(order);
    });
    if (failed !== undefined) throw storeError(this.#file, failed);
  }

  #thread(): Worker {
    if (this.#writer !== undefined) return this.#writer;
    const data: WriterData = { file: this.#file, busyMs: BUSY_MS };
    const writer = startThread(new URL('./sqlite-writer.js', import.meta.url), data);
    this.#writer = writer;
    writer.on('message', ({ id, failed }: WriteResult) => {
      this.#settle(id, failed && Object.assign(new Error(failed.message), { code: failed.code }));
    });
    const ended = (why: string): void => {
      if (this.#writer === writer) this.#writer = undefined;
      for (const id of [...this.#asked.keys()]) this.#settle(id, new Error(why));
    };
    writer.on('error', (error) => ended(`the thread that writes it failed: ${error.message}`));
    writer.on('exit', () => ended('the thread that writes it ended'));
    return writer;
  }

  #settle(id: number, failed: Error | undefined): void {
    const settle = this.#asked.get(id);
    this.#asked.delete(id);
    // A thread that waits for work keeps no daemon alive.
    if (this.#asked.size === 0) this.#writer?.unref();
    settle?.(failed);
  }
}

function toRow(pin: Pin): WriteStep['rows'][number] {
  const { agreement, spkiSha256, certificateSha256, subject, identities } = pin;
  const { notAfter, firstSeen, lastSeen, count, approvedAt = null } = pin;
  const names = identities.join(' ');
  return [agreement, spkiSha256, certificateSha256, subject, names, notAfter, firstSeen, lastSeen, count, approvedAt];
}
