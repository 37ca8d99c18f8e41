/** A PostgreSQL of its own, in a temporary directory, on a free loopback port: killed, frozen and taken over as tests like. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import type { StoreSettings } from '../../src/policy/settings/store-settings.js';
import { freePort } from './live/places.js';

const run = promisify(execFile);
const VERSIONS = '/usr/lib/postgresql';
const START_MS = 60_000;
const ADMIN = 'admin';
const PASSWORD = 'a password of the tests';
export const DATABASE = 'siptrust';

const COMMON = [
  ...["listen_addresses = '127.0.0.1'", 'max_connections = 200', 'shared_buffers = 16MB', 'max_wal_senders = 4'],
  ...['max_wal_size = 256MB', "log_min_messages = 'error'"],
  // Processes are killed, the machine is not: a busy disk would make a start last ten seconds, and a commit more than its limit.
  'fsync = off',
];

/** Where a run of tests keeps the data of a cluster that was made once (`template`). */
export const TEMPLATE = 'SIPTRUST_POSTGRES_TEMPLATE';

/** The password lies beside the data. Nothing of it has to outlive the machine. */
const INITDB = [
  ...['-U', ADMIN, '--pwfile=password', '-E', 'UTF8', '--locale=C', '--no-sync'],
  ...['--auth-local=trust', '--auth-host=scram-sha-256', '--no-instructions'],
];

export interface ClusterOptions {
  /** Lines of postgresql.conf. */
  readonly settings?: readonly string[];
  /** Lines of pg_hba.conf that come first. */
  readonly hba?: readonly string[];
  /** Beside the data (`../NAME` in settings), for the server alone. */
  readonly files?: Readonly<Record<string, string>>;
  /** Where the data goes: a directory that postgres may write to; one of its own without. */
  readonly directory?: string;
  /** Made for itself, with a system identifier of its own, which those that are copied share. */
  readonly anew?: boolean;
}

/** Where Debian has the programs; undefined: they are not installed. */
export function postgresPrograms(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined;
  const versions = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(VERSIONS, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

/** initdb and postgres refuse root: they run as the user of the package, or as nobody. */
function user(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith('postgres:'));
  const [, , uid = '65534', gid = '65534'] = line?.split(':') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

export class PostgresCluster {
  readonly directory: string;
  readonly port: number;
  /** A file with the password of `user`. */
  readonly passwordFile: string;
  readonly user = ADMIN;
  readonly #bin: string;
  readonly #data: string;
  readonly #owned: boolean;
  #pid: number | undefined;
  #running = false;
  #exited: Promise<unknown> = Promise.resolve();

  private constructor(bin: string, directory: string, port: number, owned: boolean) {
    this.#bin = bin;
    this.directory = directory;
    this.port = port;
    this.#owned = owned;
    this.#data = join(directory, 'data');
    this.passwordFile = join(directory, 'password');
  }

  /** @throws {Error} PostgreSQL is not installed, or does not start */
  static async start(options: ClusterOptions = {}): Promise<PostgresCluster> {
    const cluster = await PostgresCluster.#make(options);
    const template = options.anew === true ? undefined : process.env[TEMPLATE];
    if (template === undefined) await cluster.#program(join(cluster.#bin, 'initdb'), [...INITDB, '-D', cluster.#data]);
    else await cluster.#program('cp', ['-R', template, cluster.#data]);
    const hba = join(cluster.#data, 'pg_hba.conf');
    writeFileSync(hba, [...(options.hba ?? []), readFileSync(hba, 'utf8')].join('\n'));
    cluster.#configure(options.settings ?? []);
    await cluster.restart();
    await cluster.sql(`CREATE DATABASE ${DATABASE}`, 'postgres');
    return cluster;
  }

  /** What clusters to come are copied from, since initdb takes seconds; undefined: PostgreSQL is not installed. */
  static async template(): Promise<{ readonly data: string; remove(): void } | undefined> {
    if (postgresPrograms() === undefined) return undefined;
    const made = await PostgresCluster.#make({});
    await made.#program(join(made.#bin, 'initdb'), [...INITDB, '-D', made.#data]);
    return { data: made.#data, remove: () => rmSync(made.directory, { recursive: true, force: true }) };
  }

  static async #make({ directory, files = {} }: ClusterOptions): Promise<PostgresCluster> {
    const bin = postgresPrograms();
    if (bin === undefined) throw new Error(`${VERSIONS}: expected PostgreSQL, found none (make packages)`);
    const made = directory ?? mkdtempSync(join(tmpdir(), 'siptrust-postgres-'));
    const as = user();
    const cluster = new PostgresCluster(bin, made, await freePort(), directory === undefined);
    writeFileSync(cluster.passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
    const own = Object.entries(files).map(([name, text]) => {
      writeFileSync(join(made, name), text, { mode: 0o600 });
      return join(made, name);
    });
    if (as !== undefined) for (const path of [made, cluster.passwordFile, ...own]) chownSync(path, as.uid, as.gid);
    return cluster;
  }

  /** `127.0.0.1:PORT` of this one, and of others beside it. */
  url(...others: readonly PostgresCluster[]): string {
    const hosts = [this, ...others].map(({ port }) => `127.0.0.1:${port}`).join(',');
    return `postgres://${this.user}@${hosts}/${DATABASE}?target_session_attrs=read-write`;
  }

  /** What `daemon.store` with `url()` gives. */
  settings(others: readonly PostgresCluster[] = [], changes: Partial<StoreSettings> = {}): StoreSettings {
    return {
      hosts: [this, ...others].map(({ port }) => ({ host: '127.0.0.1', port })),
      ...{ database: DATABASE, user: this.user, tls: undefined, passwordFile: this.passwordFile },
      ...{ connectTimeout: 1000, queryTimeout: 1000 },
      ...changes,
    };
  }

  /** Runs SQL as the administrator, over the unix socket. */
  async sql<Row extends pg.QueryResultRow>(text: string, database = DATABASE): Promise<Row[]> {
    const client = new pg.Client({ host: this.directory, port: this.port, user: ADMIN, database });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  /** Starts it where it does not run, with the data that is there. */
  async restart(): Promise<void> {
    if (this.#running) return;
    const log = join(this.directory, 'log');
    const child = spawn(
      '/bin/sh',
      ['-c', `exec "$0" "$@" >>${log} 2>&1`, join(this.#bin, 'postgres'), '-D', this.#data, '-k', this.directory],
      { ...user(), stdio: 'ignore', cwd: this.directory },
    );
    this.#pid = child.pid;
    this.#running = true;
    this.#exited = once(child, 'exit').then(() => {
      this.#running = false;
    });
    const end = Date.now() + START_MS;
    for (;;) {
      try {
        await this.sql('SELECT 1', 'postgres');
        return;
      } catch (error) {
        if (child.exitCode !== null || Date.now() > end) {
          throw new Error(`postgres does not start: ${String(error)}\n${readFileSync(log, 'utf8')}`, { cause: error });
        }
        await sleep(50);
      }
    }
  }

  /** All processes at once, as when the machine goes; `restart` brings back what was on the disk. */
  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    await this.#exited;
  }

  /** It takes connections and says nothing. */
  freeze(): void {
    this.#signal('SIGSTOP');
  }

  thaw(): void {
    this.#signal('SIGCONT');
  }

  /** A standby of this one; synchronous: nothing is acknowledged that it has not written. */
  async standby(): Promise<PostgresCluster> {
    const standby = await PostgresCluster.#make({});
    await this.#program(join(this.#bin, 'pg_basebackup'), [
      ...[
        '-h',
        this.directory,
        '-p',
        String(this.port),
        '-U',
        ADMIN,
        '-D',
        standby.#data,
        '-X',
        'stream',
        '-c',
        'fast',
      ],
      ...['-C', '-S', 'standby'],
    ]);
    standby.#configure([
      `primary_conninfo = 'host=${this.directory} port=${this.port} user=${ADMIN} application_name=standby'`,
      "primary_slot_name = 'standby'",
    ]);
    writeFileSync(join(standby.#data, 'standby.signal'), '');
    await standby.restart();
    await this.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
    await this.sql('SELECT pg_reload_conf()');
    for (;;) {
      const [row] = await this.sql<{ sync_state: string }>('SELECT sync_state FROM pg_stat_replication');
      if (row?.sync_state === 'sync') return standby;
      await sleep(50);
    }
  }

  /** Makes a primary of a standby, which waits for no standby of its own. */
  async promote(): Promise<void> {
    await this.sql("ALTER SYSTEM SET synchronous_standby_names = ''", 'postgres').catch(() => {});
    await this.sql('SELECT pg_promote(true, 60)', 'postgres');
    await this.sql('SELECT pg_reload_conf()', 'postgres');
  }

  async stop(): Promise<void> {
    this.#signal('SIGKILL');
    await this.#exited;
    if (this.#owned) rmSync(this.directory, { recursive: true, force: true });
    else for (const name of readdirSync(this.directory)) rmSync(join(this.directory, name), { recursive: true });
  }

  #configure(lines: readonly string[]): void {
    const own = [`port = ${this.port}`, ...COMMON, ...lines];
    writeFileSync(join(this.#data, 'postgresql.auto.conf'), '');
    writeFileSync(join(this.#data, 'own.conf'), `${own.join('\n')}\n`);
    const file = join(this.#data, 'postgresql.conf');
    const text = readFileSync(file, 'utf8');
    if (!text.includes("include = 'own.conf'")) writeFileSync(file, `${text}\ninclude = 'own.conf'\n`);
  }

  /** As the user of the server, in its directory. */
  async #program(name: string, args: readonly string[]): Promise<void> {
    mkdirSync(this.directory, { recursive: true });
    await run(name, [...args], { ...user(), cwd: this.directory, timeout: START_MS });
  }

  /** To the postmaster and everything below it: each process of PostgreSQL leads a group of its own. */
  #signal(signal: NodeJS.Signals): void {
    const pid = this.#pid;
    if (pid === undefined) return;
    const send = (to: number): void => {
      try {
        process.kill(to, signal);
      } catch {
        // It has ended by itself.
      }
    };
    if (signal === 'SIGKILL') this.#pid = undefined;
    // It is stopped first, so that it starts nothing meanwhile.
    const children = childrenOf(pid);
    send(pid);
    for (const child of new Set([...children, ...childrenOf(pid)])) send(child);
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
