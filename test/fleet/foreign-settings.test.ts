/** A database as its administrator has set it up for others: limits, defaults, poolers, passwords that change. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { StoreSettings } from '../../src/policy/settings/store-settings.js';
import type { Run, SqlRow } from '../../src/state/postgres/client.js';
import { Database } from '../../src/state/postgres/database.js';
import { migrate } from '../../src/state/postgres/migrate.js';
import { keptLog } from '../support/kept-log.js';
import { runDirectory } from '../support/live/places.js';
import { type PgBouncer, pgbouncer } from '../support/pgbouncer.js';
import { PostgresCluster } from '../support/postgres-cluster.js';
import { auditRecord, certificate, FleetNode } from './node.js';
import { SlowWay } from './slow-way.js';

const PASSWORD = 'a password of the tests';
const directory = runDirectory();
let cluster: PostgresCluster;
const nodes: FleetNode[] = [];
const poolers: PgBouncer[] = [];
const databases: Database[] = [];

beforeAll(async () => {
  cluster = await PostgresCluster.start();
  await cluster.sql('CREATE ROLE daemons');
  const owner = database({}, false);
  await owner.connect();
  await migrate(owner, 'daemons');
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
  for (const each of databases.splice(0)) await each.close();
  for (const pooler of poolers.splice(0)) await pooler.stop();
});
afterAll(async () => {
  await cluster?.stop();
  directory.remove();
});

/** Of the database that was made last. */
let log = keptLog();

function database(changes: Partial<StoreSettings> = {}, checked = true): Database {
  log = keptLog();
  const settings = cluster.settings([], { connectTimeout: 20_000, queryTimeout: 20_000, ...changes });
  const made = new Database({ settings, name: 'test', log, clock: Date.now, random: Math.random, checked });
  databases.push(made);
  return made;
}

let roles = 0;

/** A role of daemons with what it needs, and these settings of its own; a test that runs again gets another one. */
async function role(purpose: string, ...settings: readonly string[]): Promise<string> {
  roles += 1;
  const name = `${purpose}_${roles}`;
  const own = settings.map((setting) => `ALTER ROLE ${name} ${setting};`).join('');
  await cluster.sql(`CREATE ROLE ${name} LOGIN PASSWORD '${PASSWORD}' IN ROLE daemons; ${own}`);
  return name;
}

async function node(changes: Partial<StoreSettings>): Promise<FleetNode> {
  const started = await FleetNode.start(`of-${changes.user ?? nodes.length}`, cluster.settings([], changes));
  nodes.push(started);
  return started;
}

const FOUND = `SELECT current_setting('synchronous_commit') AS commits, current_setting('client_min_messages') AS messages,
  current_setting('transaction_isolation') AS isolation, current_setting('search_path') AS path`;
const OURS = { commits: 'on', messages: 'warning', isolation: 'read committed', path: 'siptrust' };

/** What transactions are set to, on all connections that there may be. */
async function foundIn(made: Database): Promise<readonly (SqlRow | undefined)[]> {
  let begun = 0;
  const work = async (run: Run) => {
    begun += 1;
    const [row] = await run(FOUND);
    while (begun < 3) await sleep(5);
    return row;
  };
  return Promise.all([1, 2, 3].map(() => made.transaction(work)));
}

let keys = 0;
/** What operators and nodes write. @throws {StoreError} one of it was not taken */
async function writes({ pins, store, tokens }: FleetNode): Promise<void> {
  keys += 1;
  const key = `key-${keys}`;
  pins.observe('op-b', certificate(key));
  await pins.approve([{ agreement: 'op-b', spkiSha256: key }]);
  await store.audit.add(auditRecord({ claimed: key }));
  await tokens.add(key, 'viewer');
  const [row] = await cluster.sql<{ count: string }>(
    `SELECT count(*) FROM siptrust.audit WHERE claimed = '${key}' UNION ALL SELECT count(*) FROM siptrust.pin WHERE spki_sha256 = '${key}'`,
  );
  expect(row?.count).toBe('1');
}

describe('what a role, a database or a server is set to', () => {
  test('ok/limits of a millisecond, sessions that end when they are idle, serializable, no disk, dates as in Germany', async () => {
    const settings = [
      ...["SET statement_timeout = '1ms'", "SET lock_timeout = '1ms'", "SET idle_session_timeout = '200ms'"],
      "SET default_transaction_isolation = 'serializable'",
      ...['SET synchronous_commit = off', "SET datestyle = 'German, DMY'"],
    ];
    const one = await node({ user: await role('odd', ...settings) });
    await sleep(600);
    await writes(one);
    expect(await foundIn(one.database)).toEqual([OURS, OURS, OURS]);
    const [approved] = one.pins.list().filter(({ spkiSha256 }) => spkiSha256 === `key-${keys}`);
    expect(approved?.approvedAt).toBeLessThanOrEqual(Date.now());
    expect(one.log.lines).toEqual([]);
  });

  test('fail/messages below an error are not sent: a commit that stopped waiting for the standby is still none', async () => {
    const quiet = database({ user: await role('quiet', 'SET client_min_messages = error') });
    await quiet.connect();
    await cluster.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    await cluster.sql('SELECT pg_reload_conf()');
    try {
      const waits = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
      const work = quiet
        .transaction((run) => run("INSERT INTO tls_seen VALUES ('c.example', now()) ON CONFLICT DO NOTHING"))
        .then(() => 'acknowledged', String);
      await expect.poll(() => cluster.sql(`SELECT pid ${waits}`)).toHaveLength(1);
      await cluster.sql(`SELECT pg_cancel_backend(pid) ${waits}`);
      expect(await work).toContain('expected a commit without a warning, found canceling wait');
    } finally {
      await cluster.sql("ALTER SYSTEM SET synchronous_standby_names = ''");
      await cluster.sql('SELECT pg_reload_conf()');
    }
  });

  test('ok/commits that wait until standbys show them: that is more than we ask for, and stays', async () => {
    const far = database({ user: await role('shown', 'SET synchronous_commit = remote_apply') });
    await far.connect();
    expect(await foundIn(far)).toContainEqual({ ...OURS, commits: 'remote_apply' });
  });

  test('ok/what a trigger of somebody says at the commit: a word is none, a warning counts as not done', async () => {
    const made = database();
    await made.connect();
    const seen = async (level: string): Promise<string> => {
      await cluster.sql(`CREATE OR REPLACE FUNCTION public.told() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE ${level} 'a line was added'; RETURN NULL; END $$`);
      return made
        .transaction((run) => run(`INSERT INTO tls_seen VALUES ('${level}', now())`))
        .then(() => 'done', String);
    };
    await cluster.sql('CREATE FUNCTION public.told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$');
    await cluster.sql(`CREATE CONSTRAINT TRIGGER told AFTER INSERT ON siptrust.tls_seen DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION public.told()`);
    try {
      expect(await seen('INFO')).toBe('done');
      expect(await seen('NOTICE')).toBe('done');
      expect(await seen('WARNING')).toContain('expected a commit without a warning, found a line was added');
    } finally {
      await cluster.sql('DROP TRIGGER told ON siptrust.tls_seen');
    }
  });

  test('fail/a connection whose dates became others meanwhile: no time is taken for another', async () => {
    const made = database();
    await made.connect();
    await made.query("SET datestyle = 'German, DMY'");
    await expect(made.query("SELECT '2026-11-05 10:00:00+00'::timestamptz AS day")).rejects.toThrow(
      'expected a time of datestyle ISO, found "05.11.2026',
    );
  });

  test('fail/read-only by a default of the role, which is no standby', async () => {
    const one = await node({ user: await role('reader', 'SET default_transaction_read_only = on') });
    expect(one.database.status.problem).toContain('found default_transaction_read_only = on (of the role');
  });

  const encoded = async (name: string, encoding: string): Promise<unknown> => {
    // (Of a try before.)
    await cluster.sql(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`, 'postgres');
    return cluster.sql(
      `CREATE DATABASE ${name} ENCODING '${encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`,
      'postgres',
    );
  };

  test('fail/a database of the encoding LATIN1, which lacks letters of names', async () => {
    await encoded('latin', 'LATIN1');
    for (const checked of [true, false]) {
      await expect(database({ database: 'latin' }, checked).connect()).rejects.toThrow(
        'expected a database of encoding UTF8, found LATIN1',
      );
    }
  });

  test('ok/a database of the encoding SQL_ASCII keeps names as they are', async () => {
    await encoded('octets', 'SQL_ASCII');
    const owner = database({ database: 'octets' }, false);
    await owner.connect();
    await migrate(owner);
    const one = await node({ database: 'octets' });
    const name = 'Müller 電話 😀';
    one.pins.observe(name, certificate('key-octets'));
    await one.pins.approve([{ agreement: name, spkiSha256: 'key-octets' }]);
    await one.store.audit.add(auditRecord({ claimed: name, params: { name } }));
    const two = await node({ database: 'octets', user: cluster.user });
    expect(two.pins.list()).toMatchObject([{ agreement: name, spkiSha256: 'key-octets' }]);
    expect(await two.database.query("SELECT claimed, params->>'name' AS named FROM audit")).toEqual([
      { claimed: name, named: name },
    ]);
    expect([...one.log.lines, ...two.log.lines]).toEqual([]);
  });
});

describe('room and rights', () => {
  test('fail/room for one connection: away, and told once; with more room it is back', async () => {
    const user = await role('narrow', 'CONNECTION LIMIT 1');
    const one = await node({ user });
    await sleep(1000);
    expect(one.log.lines.map(({ message }) => message)).toEqual([
      'the store is away: what it said last stays in force',
    ]);
    expect(one.database.status).toMatchObject({
      up: false,
      problem: expect.stringContaining('too many connections for role'),
    });
    await cluster.sql(`ALTER ROLE ${user} CONNECTION LIMIT 10`);
    await one.up();
    await writes(one);
  });

  test('fail/a store that comes and goes at once is told of once, and looked for ever more seldom', async () => {
    const way = await SlowWay.open(cluster.port);
    const made = database({ hosts: [{ host: '127.0.0.1', port: way.port }] });
    let ups = 0;
    made.onStatus((up) => {
      ups += up ? 1 : 0;
      if (up && ups <= 5) way.drop();
    });
    const from = performance.now();
    await made.connect();
    await expect.poll(() => ups).toBe(6);
    // After 0.1, 0.2, 0.4, 0.8 and 1.6 s, and half of that at the least.
    expect(performance.now() - from).toBeGreaterThan(1500);
    expect(made.status.up).toBe(true);
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    way.close();
  });

  test('fail/a role without rights: it is said what gives them, also where the database is asked how it is', async () => {
    await cluster.sql(`CREATE ROLE bare LOGIN PASSWORD '${PASSWORD}'`);
    const hint = expect.stringMatching(/permission denied for .* \(siptrustctl store migrate --grant ROLE gives/);
    expect((await node({ user: 'bare' })).store.status()).toMatchObject({ up: false, problem: hint });
    await cluster.sql(`CREATE ROLE half LOGIN PASSWORD '${PASSWORD}'; GRANT USAGE ON SCHEMA siptrust TO half;
      GRANT SELECT ON siptrust.migration, siptrust.identity TO half`);
    const half = await node({ user: 'half' });
    expect(half.store.status()).toMatchObject({ up: true, readAt: undefined, problem: hint });
  });
});

describe('a password that is changed while the daemon runs', () => {
  test('fail/without a file: that of the environment (PGPASSWORD) is not used', async () => {
    vi.stubEnv('PGPASSWORD', PASSWORD);
    try {
      await expect(database({ passwordFile: undefined }).connect()).rejects.toThrow(/password/);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('ok/in the file first or in the database first: new connections show the new one', async () => {
    const passwordFile = join(directory.path, 'password');
    const write = (text: string) => writeFileSync(passwordFile, `${text}\n`, { mode: 0o600 });
    write(PASSWORD);
    const user = await role('rotated');
    const one = await node({ user, passwordFile });
    await writes(one);
    const others = `pid NOT IN (SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_is_in_recovery%' OR query LIKE '%LISTEN%')`;
    const endPooled = () =>
      cluster.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${user}' AND ${others}`);
    for (const [at, next] of ['second', 'third'].entries()) {
      if (at === 0) write(next);
      await cluster.sql(`ALTER ROLE ${user} PASSWORD '${next}'`);
      await endPooled();
      if (at === 1) write(next);
      await one.up();
      await expect.poll(() => writes(one).then(() => 'written', String)).toBe('written');
    }
  });

  test('fail/one that is not in the file is told as the store away, and mended by the file', async () => {
    const passwordFile = join(directory.path, 'wrong');
    writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
    const user = await role('changed');
    const one = await node({ user, passwordFile });
    await cluster.sql(`ALTER ROLE ${user} PASSWORD 'elsewhere'`);
    await cluster.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${user}'`);
    await expect.poll(() => one.database.status.problem).toContain('password authentication failed');
    expect(one.database.status.up).toBe(false);
    writeFileSync(passwordFile, 'elsewhere\n', { mode: 0o600 });
    await one.up();
    await writes(one);
  });
});

describe('a pooler before the database', () => {
  const IGNORES = ['ignore_startup_parameters = options'];
  const by = async (mode: 'session' | 'transaction' | 'statement', more: readonly string[] = IGNORES) => {
    const pooler = await pgbouncer(cluster, mode, more);
    poolers.push(pooler);
    return { hosts: [{ host: '127.0.0.1', port: pooler.port }] };
  };
  /** One after the other: two at once change one row of the catalogue. */
  const all = async (...changes: readonly string[]) => {
    for (const change of changes) await cluster.sql(`ALTER ROLE ${cluster.user} IN DATABASE siptrust ${change}`);
  };

  beforeAll(() => all('SET search_path = siptrust'));
  afterEach(() => all('RESET ALL', 'SET search_path = siptrust'));

  test('fail/one that takes no options, and one that drops them, are no way to the store', async () => {
    await expect(database(await by('session', [])).connect()).rejects.toThrow(/unsupported startup parameter/);
    await all('RESET ALL');
    await expect(database(await by('session')).connect()).rejects.toThrow(
      /expected search_path = siptrust, found .*: a pooler between drops what connections ask for/,
    );
  });

  test('fail/by the statement: no way to the store, which is told before anything is written', async () => {
    await expect(database(await by('statement')).connect()).rejects.toThrow(/transaction blocks not allowed/);
  });

  test('ok/with what we need set for the role: notifications arrive by the session, not by the transaction', async () => {
    const whole = await node({ ...(await by('session')), user: cluster.user });
    const deaf = await node(await by('transaction'));
    await writes(whole);
    await writes(deaf);
    await expect.poll(() => deaf.database.status.hears).toBe(false);
    expect(deaf.log.lines.map(({ message }) => message)).toEqual([
      'notifications of the store do not arrive: news is found by looking alone',
    ]);
    expect(whole.database.status.hears).toBe(true);
    expect(whole.log.lines).toEqual([]);
  });

  test.each(['session', 'transaction'] as const)(
    'ok/by the %s: transactions are ours whatever connections are set to that come later',
    async (mode) => {
      const made = database(await by(mode));
      await made.connect();
      await all(
        'SET synchronous_commit = off',
        'SET client_min_messages = error',
        "SET default_transaction_isolation = 'serializable'",
      );
      expect(await foundIn(made)).toEqual([OURS, OURS, OURS]);
      await all('SET synchronous_commit = remote_apply');
      const far = database(await by(mode));
      await far.connect();
      expect(await foundIn(far)).toContainEqual({ ...OURS, commits: 'remote_apply' });
    },
  );

  test('fail/dates as in Germany: it is none, or a newer one (1.20) hands on that we ask for others', async () => {
    await all("SET datestyle = 'German, DMY'");
    const made = database(await by('session'));
    const dates = () => made.query("SELECT current_setting('datestyle') AS dates");
    const found = JSON.stringify(await made.connect().then(dates, String));
    expect(found).toMatch(/expected datestyle = ISO, found German|"dates":"ISO/);
  });

  test('ok/by the transaction: whoever connects again and again leaves one channel behind', async () => {
    const way = await by('transaction');
    for (let connects = 0; connects < 4; connects += 1) {
      const made = database(way);
      await made.connect();
      const channels = await made.query<{ channel: string }>('SELECT pg_listening_channels() AS channel');
      expect(channels.length).toBeLessThanOrEqual(1);
      await made.close();
    }
  });
});
