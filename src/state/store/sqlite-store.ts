/** A store in a file of this machine. */

import { statSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { startThread } from '../work/index.js';
import { BUSY_MS, type Connection, type OpenFile, openFile, openToRead, storeError } from './sqlite-file.js';
import {
  ADD_WAITING,
  DROP_WAITING,
  FORGET_CERTIFICATES,
  FORGET_TLS_SEEN,
  MAKE_CERTIFICATE_ROOM,
  PUT_CERTIFICATE,
  PUT_HIGHEST,
  PUT_PIN,
  PUT_REVISION,
  PUT_TLS_SEEN,
  READ_CERTIFICATE,
  READ_HIGHEST,
  READ_TLS_SEEN,
  READ_WAITING,
  REMOVE_PIN,
  stored,
  toRow,
} from './sqlite-rows.js';
import type { WriteOrder, WriteResult, WriterData, WriteStep } from './sqlite-writer.js';
import type {
  CertificateStore,
  KeptCertificate,
  KeptLimits,
  Store,
  StoreChanges,
  Stored,
  TimelineStore,
  TlsSeen,
  TlsSeenStore,
  WaitingLine,
  WaitingLines,
} from './store.js';

/**
 * The store in `file`, which is made where there is none.
 * @param warn told of what others may do to the file
 * @throws {StoreError} as `openFile` says
 */
export function openSqliteStore(
  file: string,
  warn: (text: string) => void = () => {},
): Store & TlsSeenStore & CertificateStore & WaitingLines & TimelineStore {
  return new SqliteStore(file, openFile(file, warn));
}

/**
 * What the database in `file` holds, without changing it, also while a daemon has it open; undefined: there is none.
 * @throws {StoreError}
 */
export function readSqliteStore(file: string): Stored | undefined {
  let database: ReturnType<typeof openToRead> | undefined;
  try {
    if (statSync(file, { throwIfNoEntry: false }) === undefined) return undefined;
    database = openToRead(file);
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
  const database = openToRead(file);
  try {
    const known = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'certificate'").get() !== undefined;
    const find = known ? database.prepare<[string], Uint8Array>(READ_CERTIFICATE).pluck() : undefined;
    return {
      find: (sha256) => {
        try {
          return find?.get(sha256);
        } catch (cause) {
          throw storeError(file, cause);
        }
      },
      close: () => void database.close(),
    };
  } catch (cause) {
    database.close();
    throw storeError(file, cause);
  }
}

const timelineOf = (system: string): string => `timeline of ${system}`;

class SqliteStore implements Store, TlsSeenStore, CertificateStore, WaitingLines, TimelineStore {
  readonly #file: string;
  readonly #database: Connection;
  readonly #lock: Connection;
  readonly #asked = new Map<number, (failed: Error | undefined) => void>();
  #writer: Worker | undefined;
  #count = 0;

  constructor(file: string, { database, lock }: OpenFile) {
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

  async loadTimeline(system: string): Promise<number> {
    try {
      return this.#database.prepare<[string], { value: number }>(READ_HIGHEST).get(timelineOf(system))?.value ?? 0;
    } catch (cause) {
      throw storeError(this.#file, cause);
    }
  }

  saveTimeline(system: string, timeline: number): Promise<void> {
    return this.#write([{ sql: PUT_HIGHEST, rows: [[timelineOf(system), timeline]] }]);
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
