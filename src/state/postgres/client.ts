/** Connections to one host of the database. The one file that knows pg. */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkServerIdentity } from 'node:tls';
import pg from 'pg';
import type { StoreHost, StoreSettings } from '../../policy/settings/index.js';
import { boundedTime, readSecret, StoreError } from '../store/index.js';

/** What a statement may be given. */
export type SqlValue = string | number | bigint | boolean | Uint8Array | Date | null | readonly SqlValue[];
export type SqlRow = Readonly<Record<string, unknown>>;

/** Runs one statement. @throws {StoreError} */
export type Run = <Row extends SqlRow = SqlRow>(text: string, values?: readonly SqlValue[]) => Promise<readonly Row[]>;

/** Our tables have a schema of their own: the database may be shared. */
export const SCHEMA = 'siptrust';
/** Connections of one daemon for statements, besides the one that listens. */
const MOST_CONNECTIONS = 3;
const IDLE_MS = 30_000;
/** A notification comes right after the answer to the statement that sends it, but where all are busy. */
const NOTICE_MS = 10_000;
/** One for all: behind a pooler a connection may go on to listen when whoever asked for it is gone. */
const PROBE = 'siptrust_probe';
const PASSWORD_FILE = 'daemon.store_password_file';
const MOST_PASSWORD_BYTES = 1024;

/**
 * SQLSTATE: the host does not serve us any more (classes 08, 57P, and read_only_sql_transaction after a failover), or lets us
 * in no more (class 28, too_many_connections).
 */
const LOST = /^(?:08...|28...|57P..|25006|53300)$/;

/** insufficient_privilege */
const FORBIDDEN = '42501';

/**
 * What each connection is set to, whatever the database, the role or its owner have set. Statements end by our own limits: the
 * server drops those that nobody waits for any more.
 */
function sessionOptions(queryTimeout: number): string {
  const settings = {
    search_path: SCHEMA,
    // The backslash keeps it one word.
    default_transaction_isolation: 'read\\ committed',
    datestyle: 'ISO',
    statement_timeout: 2 * queryTimeout,
    lock_timeout: 0,
    idle_session_timeout: 0,
    idle_in_transaction_session_timeout: 30_000,
  };
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
}

/**
 * What each transaction is set to, in the round trip that begins it: a pooler drops what connections ask for, and hands out what
 * others have set. What is acknowledged is on the disk, and on that of the standby where there is one, or a warning says that it
 * is not. Standbys that have to show it, too (remote_apply), are waited for.
 */
const BEGIN = `
  BEGIN ISOLATION LEVEL READ COMMITTED;
  SET LOCAL search_path = ${SCHEMA};
  SET LOCAL client_min_messages = warning;
  SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') <> 'remote_apply'`;
/** successful_completion: of what comes beside an answer, what is no warning. */
const INFO = '00000';

/** The text of a database error that names the store, not the statement's values. */
export function storeError(store: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const text = cause instanceof Error ? cause.message || cause.name : String(cause);
  const hint =
    codeOf(cause) === FORBIDDEN
      ? ' (siptrustctl store migrate --grant ROLE gives the daemons their rights; as owner of the schema: --user ROLE)'
      : '';
  return new StoreError(store, `${text}${hint}`, { cause });
}

/** The SQLSTATE of an error, or what else it calls itself; empty: nothing. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Whether an error says that the connection is of no use any more, not that the statement was bad. */
export function isLost(error: unknown): boolean {
  if (!(error instanceof StoreError) || !(error.cause instanceof Error)) return false;
  const code = codeOf(error.cause);
  return !/^[0-9A-Z]{5}$/.test(code) || LOST.test(code);
}

/** Whether a statement would be refused again: data or a constraint (SQLSTATE classes 22 and 23). */
export function isRefused(error: unknown): boolean {
  return error instanceof StoreError && /^2[23]...$/.test(codeOf(error.cause));
}

/**
 * The first line of the file.
 * @throws {StoreError} others may read it, or it holds none
 */
export function readPassword(path: string): string {
  const text = passwordText(path);
  const [password = ''] = text.split(/\r?\n/, 1);
  if (password === '') throw new StoreError(PASSWORD_FILE, `${path}: expected a password, found none`);
  return password;
}

function passwordText(path: string): string {
  try {
    const read = readSecret(path, MOST_PASSWORD_BYTES);
    if ('problem' in read) throw new StoreError(PASSWORD_FILE, `${path}: ${read.problem}`);
    return read.text;
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    throw new StoreError(PASSWORD_FILE, cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** One host, once it has answered that it takes writes. */
export class HostConnections {
  readonly host: StoreHost;
  readonly #name: string;
  readonly #sockets = new Set<Socket>();
  readonly #pool: pg.Pool;
  readonly #session: pg.Client;
  #closed = false;

  private constructor(settings: StoreSettings, host: StoreHost, name: string, lost: (error: Error) => void) {
    const config = { ...this.#config(settings, host, name), query_timeout: settings.queryTimeout };
    this.host = host;
    this.#name = nameOf(host);
    this.#session = new pg.Client(config);
    this.#session.on('error', lost);
    this.#session.on('end', () => {
      if (!this.#closed) lost(new Error('the connection ended'));
    });
    this.#pool = new pg.Pool({ ...config, max: MOST_CONNECTIONS, idleTimeoutMillis: IDLE_MS, allowExitOnIdle: true });
    // A connection that waits for work and ends: the session, and whoever asks next, say so.
    this.#pool.on('error', () => {});
    // One that is in use and ends between two statements, too: without a listener that would end the daemon.
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  /**
   * @param name how this program calls itself (`siptrustd NODE`)
   * @param lost called when the session has ended; may be called more than once
   * @throws {StoreError} the host cannot be reached, or does not let us in
   */
  static async open(
    settings: StoreSettings,
    host: StoreHost,
    name: string,
    lost: (error: Error) => void,
  ): Promise<HostConnections> {
    let connections: HostConnections | undefined;
    const begun = performance.now();
    try {
      if (settings.passwordFile !== undefined) readPassword(settings.passwordFile);
      connections = new HostConnections(settings, host, name, lost);
      await connections.#session.connect();
      return connections;
    } catch (cause) {
      connections?.destroy();
      const error = storeError(nameOf(host), cause);
      const { connectTimeout } = settings;
      if (performance.now() - begun < connectTimeout) throw error;
      const within = `no connection within ${connectTimeout / 1000} s (daemon.store_timeout, or connect_timeout in daemon.store)`;
      throw new StoreError(nameOf(host), `${within}: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      });
    }
  }

  #config(settings: StoreSettings, { host, port }: StoreHost, name: string): pg.ClientConfig {
    const { database, user, tls, passwordFile, connectTimeout } = settings;
    const read = (path: string): Buffer => readFileSync(path);
    return {
      ...{ host, port, database, user, application_name: name, connectionTimeoutMillis: connectTimeout },
      // Never what the environment says (PGPASSWORD): a password is that of the file as it is now, or none.
      password: () => (passwordFile === undefined ? '' : readPassword(passwordFile)),
      keepAlive: true,
      types: { getTypeParser },
      options: sessionOptions(settings.queryTimeout),
      stream: () => {
        const socket = new Socket();
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
        return socket;
      },
      ssl: tls !== undefined && {
        ...(tls.ca === undefined ? {} : { ca: read(tls.ca) }),
        ...(tls.certificate === undefined ? {} : { cert: read(tls.certificate) }),
        ...(tls.key === undefined ? {} : { key: read(tls.key) }),
        minVersion: 'TLSv1.2' as const,
        rejectUnauthorized: true,
        // The name that the settings say, an address too (pg and Node would take "localhost" for one).
        checkServerIdentity: (_: string, certificate) => checkServerIdentity(host, certificate),
      },
    };
  }

  /** Runs a statement on the session, beside whatever the others do. */
  async ask(text: string): Promise<readonly SqlRow[]> {
    try {
      return (await this.#session.query(text)).rows;
    } catch (cause) {
      throw storeError(this.#name, cause);
    }
  }

  async listen(channel: string): Promise<void> {
    await this.ask(`LISTEN ${pg.escapeIdentifier(channel)}`);
  }

  /**
   * Sends a notification to ourselves over another connection: shows that there is room for a second one and that a pooler
   * takes transactions, and settles with whether it came. Behind one that hands connections out by the transaction it does not.
   * @throws {StoreError}
   */
  async probe(): Promise<{ readonly heard: Promise<boolean> }> {
    const probe = randomUUID();
    const came = new Promise<boolean>((resolve) => {
      this.#session.on('notification', ({ payload }) => {
        if (payload === probe) resolve(true);
      });
    });
    await this.listen(PROBE);
    await this.transaction((run) => run('SELECT pg_notify($1, $2)', [PROBE, probe]));
    const heard = Promise.race([came, sleep(NOTICE_MS, false, { ref: false })]);
    const unlisten = (): Promise<unknown> => this.ask(`UNLISTEN ${PROBE}`);
    void heard.then(unlisten).catch(() => {});
    return { heard };
  }

  onNotice(told: (channel: string, payload: string) => void): void {
    this.#session.on('notification', ({ channel, payload = '' }) => told(channel, payload));
  }

  async query<Row extends SqlRow>(text: string, values: readonly SqlValue[] = []): Promise<readonly Row[]> {
    try {
      return (await this.#pool.query<Row & pg.QueryResultRow>(text, values as unknown[])).rows;
    } catch (cause) {
      throw storeError(this.#name, cause);
    }
  }

  /** Does all or nothing. Once it is settled, what it did outlives the host. */
  async transaction<T>(work: (run: Run) => Promise<T>): Promise<T> {
    let client: pg.PoolClient | undefined;
    let warned: string | undefined;
    // How severe one is depends on the language of the server.
    const notice = ({ code, message }: { code?: string | undefined; message?: string | undefined }): void => {
      if (code !== INFO) warned = message ?? 'one without a text';
    };
    try {
      client = await this.#pool.connect();
      client.on('notice', notice);
      const open = client;
      const run = async <Row extends SqlRow>(text: string, values: readonly SqlValue[] = []) => {
        try {
          return await open.query<Row & pg.QueryResultRow>(text, values as unknown[]);
        } catch (cause) {
          throw storeError(this.#name, cause);
        }
      };
      await run(BEGIN);
      const done = await work(async <Row extends SqlRow>(text: string, values?: readonly SqlValue[]) => {
        return (await run<Row>(text, values)).rows as readonly Row[];
      });
      warned = undefined;
      const { command } = await run('COMMIT');
      // A transaction that failed inside ends with ROLLBACK; one that stopped waiting for the standby, with a warning.
      if (command !== 'COMMIT') throw new StoreError(this.#name, `expected COMMIT, found ${command}`);
      if (warned !== undefined)
        throw new StoreError(this.#name, `expected a commit without a warning, found ${warned}`);
      client.off('notice', notice);
      client.release();
      return done;
    } catch (cause) {
      // Not to be used again: the server ends what is still open with the connection.
      client?.off('notice', notice);
      client?.release(true);
      throw client === undefined ? storeError(this.#name, cause) : cause;
    }
  }

  /** Ends all at once: a host that hangs is not waited for. */
  destroy(): void {
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy();
    void this.#session.end().catch(() => {});
    void this.#pool.end().catch(() => {});
  }
}

/**
 * Whole numbers of 64 bits are numbers here, and times are dates: ours come nowhere near the bounds, and what somebody wrote by
 * hand (`infinity`, years of five digits) counts as what is next to it. pg gives `infinity` as a number, others as no date.
 */
function getTypeParser(oid: number, format?: 'text' | 'binary') {
  const { INT8, TIMESTAMPTZ } = pg.types.builtins;
  if (oid === INT8) return wholeNumber;
  const parser = pg.types.getTypeParser(oid, format);
  return oid === TIMESTAMPTZ ? (text: string) => timeOf(text, parser(text)) : parser;
}

function wholeNumber(text: string): number {
  return Math.min(Math.max(Number(text), Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

/** @throws {RangeError} it is not of datestyle ISO: another one puts days where that has months */
function timeOf(text: string, parsed: unknown): Date {
  if (!/^(?:-?infinity$|\d{4,}-\d\d-\d\d )/.test(text)) {
    throw new RangeError(`expected a time of datestyle ISO, found ${JSON.stringify(text)}`);
  }
  const found = parsed instanceof Date ? parsed.getTime() : Number.NaN;
  const beyond = /^-|BC$/.test(text) ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return new Date(boundedTime(Number.isNaN(found) ? beyond : found));
}

/** `host:port`, as errors name it. */
export function nameOf({ host, port }: StoreHost): string {
  return `store ${host.includes(':') ? `[${host}]` : host}:${port}`;
}
