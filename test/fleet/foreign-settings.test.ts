/** A database as its administrator has set it up for others: limits, defaults, poolers, passwords that change. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { StoreSettings } from '../../src/policy/settings/store-settings.js';
import { Database } from '../../src/state/postgres/database.js';
import { migrate } from '../../src/state/postgres/migrate.js';
import { keptLog } from '../support/kept-log.js';
import { runDirectory } from '../support/live/places.js';
import { type PgBouncer, pgbouncer } from '../support/pgbouncer.js';
import { PostgresCluster } from '../support/postgres-cluster.js';
import { auditRecord, certificate, FleetNode, migrated } from './node.js';

const PASSWORD = 'a password of the tests';
const directory = runDirectory();
let cluster: PostgresCluster;
const nodes: FleetNode[] = [];
const poolers: PgBouncer[] = [];

beforeAll(async () => {
  cluster = await PostgresCluster.start();
  await migrated(cluster);
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
  for (const pooler of poolers.splice(0)) await pooler.stop();
});
afterAll(async () => {
  await cluster?.stop();
  directory.remove();
});

function database(changes: Partial<StoreSettings> = {}, checked = true): Database {
  const common = { log: keptLog(), clock: Date.now, random: Math.random, checked };
  return new Database({
    settings: cluster.settings([], { queryTimeout: 20_000, ...changes }),
    name: 'test',
    ...common,
  });
}

/** A role of daemons with what it needs, and these settings of its own. */
async function role(name: string, ...settings: readonly string[]): Promise<string> {
  await cluster.sql(`CREATE ROLE ${name} LOGIN PASSWORD '${PASSWORD}'`);
  const owner = database();
  await owner.connect();
  await migrate(owner, name);
  await owner.close();
  for (const setting of settings) await cluster.sql(`ALTER ROLE ${name} ${setting}`);
  return name;
}

async function node(changes: Partial<StoreSettings>): Promise<FleetNode> {
  const started = await FleetNode.start(`of-${changes.user ?? nodes.length}`, cluster.settings([], changes));
  nodes.push(started);
  return started;
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
  test.each([
    ['a statement limit of a millisecond', 'timed', "SET statement_timeout = '1ms'"],
    ['a lock limit of a millisecond', 'locked', "SET lock_timeout = '1ms'"],
    ['transactions that are serializable', 'serial', "SET default_transaction_isolation = 'serializable'"],
    ['commits that wait for no disk', 'hasty', 'SET synchronous_commit = off'],
    ['dates as in Germany', 'german', "SET datestyle = 'German, DMY'"],
  ] as const)('ok/%s', async (_, name, setting) => {
    const one = await node({ user: await role(name, setting) });
    await writes(one);
    const [row] = await one.database.query('SELECT current_setting($1) AS commits', ['synchronous_commit']);
    expect(row).toEqual({ commits: 'on' });
    const [approved] = one.pins.list().filter(({ spkiSha256 }) => spkiSha256 === `key-${keys}`);
    expect(approved?.approvedAt).toBeLessThanOrEqual(Date.now());
    expect(one.log.lines).toEqual([]);
  });

  test('ok/sessions that end when they are idle for 200 ms: the one that listens stays', async () => {
    const one = await node({ user: await role('idle', "SET idle_session_timeout = '200ms'") });
    await sleep(1500);
    await writes(one);
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
      await quiet.close();
    }
  });

  test('fail/read-only by a default of the role, which is no standby', async () => {
    const one = await node({ user: await role('reader', 'SET default_transaction_read_only = on') });
    expect(one.database.status.problem).toContain('found default_transaction_read_only = on (of the role');
  });

  test.each(['LATIN1', 'SQL_ASCII'])(
    'fail/a database of the encoding %s, which lacks letters of names',
    async (encoding) => {
      const name = `of_${encoding.toLowerCase()}`;
      await cluster.sql(
        `CREATE DATABASE ${name} ENCODING '${encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`,
        'postgres',
      );
      for (const checked of [true, false]) {
        const made = database({ database: name }, checked);
        await expect(made.connect()).rejects.toThrow(`expected a database of encoding UTF8, found ${encoding}`);
        await made.close();
      }
    },
  );
});

describe('room and rights', () => {
  test('fail/room for one connection: away, told once and tried ever more seldom; with more room it is back', async () => {
    const user = await role('narrow', 'CONNECTION LIMIT 1');
    const one = await node({ user });
    await sleep(2500);
    expect(one.log.lines.map(({ message }) => message)).toEqual([
      'the store is away: what it said last stays in force',
    ]);
    expect(one.database.status).toMatchObject({
      up: false,
      problem: expect.stringContaining('too many connections for role'),
    });
    // 0.1, 0.2, 0.4, 0.8, 1.6 s, and the first.
    await cluster.sql(`ALTER ROLE ${user} CONNECTION LIMIT 10`);
    await one.up();
    await writes(one);
  });

  test('fail/a store that comes and goes at once is told of once a minute, and not looked for all the time', async () => {
    const user = await role('hunted');
    const one = await node({ user });
    const hunt = setInterval(() => {
      void cluster
        .sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${user}'`)
        .catch(() => {});
    }, 50);
    await sleep(4000);
    clearInterval(hunt);
    expect(one.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(one.log.lines.length).toBeLessThan(15);
    await one.up();
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
  const away = async (mode: 'session' | 'transaction', more: readonly string[]): Promise<FleetNode> => {
    const pooler = await pgbouncer(cluster, mode, more);
    poolers.push(pooler);
    return node({ hosts: [{ host: '127.0.0.1', port: pooler.port }] });
  };
  const IGNORES = ['ignore_startup_parameters = options'];
  const DEFAULTS = ['search_path = siptrust', 'client_min_messages = warning'];

  test('fail/one that takes no options, and one that drops them, are no way to the store', async () => {
    expect((await away('session', [])).database.status.problem).toContain('unsupported startup parameter: options');
    expect((await away('session', IGNORES)).database.status.problem).toMatch(
      /expected search_path = siptrust, found .*: a pooler between drops what connections ask for/,
    );
  });

  test.each([
    ['session', true],
    ['transaction', false],
  ] as const)('ok/by the %s, with what we need set for the role: notifications arrive: %s', async (mode, hears) => {
    const all = (what: string) =>
      Promise.all(
        DEFAULTS.map((each) =>
          cluster.sql(
            `ALTER ROLE ${cluster.user} IN DATABASE siptrust ${what} ${each.split(' ')[0]}${what === 'SET' ? ` = ${each.split(' ')[2]}` : ''}`,
          ),
        ),
      );
    await all('SET');
    try {
      const one = await away(mode, IGNORES);
      await writes(one);
      const told = 'notifications of the store do not arrive: news is found by looking alone';
      await expect.poll(() => one.database.status.hears, { timeout: 15_000 }).toBe(hears);
      expect(one.log.lines.map(({ message }) => message)).toEqual(hears ? [] : [told]);
    } finally {
      await all('RESET');
    }
  });
});
