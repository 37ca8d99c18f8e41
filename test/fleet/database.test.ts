import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Database } from '../../src/state/postgres/database.js';
import { migrate, SCHEMA_VERSION } from '../../src/state/postgres/migrate.js';
import { StoreError } from '../../src/state/store/store.js';
import { keptLog } from '../support/kept-log.js';
import { PostgresCluster } from '../support/postgres-cluster.js';

let cluster: PostgresCluster;
const open: Database[] = [];

beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(async () => {
  for (const database of open) await database.close();
  await cluster?.stop();
});

function database(changes: object = {}, checked = true, others: readonly PostgresCluster[] = []) {
  const log = keptLog();
  const settings = cluster.settings(others, changes);
  const made = new Database({ settings, name: 'siptrustd test', log, clock: Date.now, random: () => 0.5, checked });
  open.push(made);
  return { made, log };
}

describe('the schema', () => {
  test('fail/a database without it says what to run', async () => {
    const { made } = database();
    await expect(made.connect()).rejects.toThrow(
      `store: expected schema version ${SCHEMA_VERSION}, found 0: run siptrustctl store migrate`,
    );
  });

  test('ok/two migrations at once: one works, the other finds nothing to do', async () => {
    const { made } = database({ queryTimeout: 60_000 }, false);
    await made.connect();
    const both = await Promise.all([migrate(made), migrate(made)]);
    expect(both.map(({ applied }) => applied.length).sort()).toEqual([0, SCHEMA_VERSION]);
    expect(await migrate(made)).toEqual({ from: SCHEMA_VERSION, to: SCHEMA_VERSION, applied: [] });
    await database().made.connect();
  });

  test('ok/one version later is taken, two are not', async () => {
    await cluster.sql(`INSERT INTO siptrust.migration (version, name) VALUES (${SCHEMA_VERSION + 1}, 'next')`);
    await database().made.connect();
    await cluster.sql(`INSERT INTO siptrust.migration (version, name) VALUES (${SCHEMA_VERSION + 2}, 'later')`);
    await expect(database().made.connect()).rejects.toThrow('this siptrust is too old for it');
    const { made } = database({ queryTimeout: 60_000 }, false);
    await made.connect();
    await expect(migrate(made)).rejects.toThrow('this siptrust is too old for it');
    await cluster.sql(`DELETE FROM siptrust.migration WHERE version > ${SCHEMA_VERSION}`);
  });

  test('ok/the role of the daemons can change no revision and no audit line', async () => {
    await cluster.sql("CREATE ROLE daemons LOGIN PASSWORD 'a password of the tests'");
    const { made: owner } = database({ queryTimeout: 60_000 });
    await owner.connect();
    await migrate(owner, 'daemons');
    const { made } = database({ user: 'daemons' });
    await made.connect();
    const insert = 'INSERT INTO policy_revision (number, base, content, sha256, author) VALUES ($1, $2, $3, $4, $5)';
    await made.query(insert, [1, 0, new Uint8Array([1]), 'a'.repeat(64), 'noc']);
    for (const text of ['UPDATE policy_revision SET comment = $1', 'DELETE FROM audit WHERE method = $1']) {
      await expect(made.query(text, ['x'])).rejects.toThrow(StoreError);
    }
    // By it timelines are compared (postgres/database.ts).
    expect(await made.query('SELECT system_identifier FROM pg_control_system()')).toHaveLength(1);
    expect(made.status.up).toBe(true);
  });
});

describe('what is asked', () => {
  test('ok/a notification arrives, and each connection begins with "look"', async () => {
    const { made } = database();
    const told: (string | undefined)[] = [];
    made.listen('siptrust_test', (payload) => told.push(payload));
    await made.connect();
    await made.query("SELECT pg_notify('siptrust_test', 'hello')");
    await expect.poll(() => told).toEqual([undefined, 'hello']);
  });

  test('fail/a transaction whose work throws changes nothing', async () => {
    const { made } = database();
    await made.connect();
    const gone = new Error('of the caller');
    const work = made.transaction(async (run) => {
      await run("INSERT INTO tls_seen VALUES ('a.example', now())");
      throw gone;
    });
    await expect(work).rejects.toBe(gone);
    expect(await made.query('SELECT * FROM tls_seen')).toEqual([]);
    expect(made.status.up).toBe(true);
  });

  test('fail/a commit that stopped waiting for the standby is not acknowledged', async () => {
    await cluster.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    await cluster.sql('SELECT pg_reload_conf()');
    try {
      const { made } = database({ queryTimeout: 20_000 });
      await made.connect();
      const work = made
        .transaction((run) => run("INSERT INTO tls_seen VALUES ('b.example', now()) ON CONFLICT DO NOTHING"))
        .catch((error: Error) => error.message);
      const waits = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
      await expect.poll(() => cluster.sql(`SELECT pid ${waits}`)).toHaveLength(1);
      await cluster.sql(`SELECT pg_cancel_backend(pid) ${waits}`);
      expect(await work).toContain('expected a commit without a warning, found canceling wait');
    } finally {
      await cluster.sql("ALTER SYSTEM SET synchronous_standby_names = ''");
      await cluster.sql('SELECT pg_reload_conf()');
    }
  });
});

describe('what goes wrong', () => {
  test('fail/a wrong password, a file that others may read, a port where nobody is', async () => {
    await cluster.sql("CREATE ROLE stranger LOGIN PASSWORD 'another'");
    await expect(database({ user: 'stranger' }).made.connect()).rejects.toThrow(/password authentication failed/);
    await expect(database({ passwordFile: '/etc/passwd' }).made.connect()).rejects.toThrow(
      'daemon.store_password_file: /etc/passwd: expected mode 0600, found mode 0644',
    );
    await expect(database({ hosts: [{ host: '127.0.0.1', port: 1 }] }).made.connect()).rejects.toThrow(
      /^store 127\.0\.0\.1:1: connect ECONNREFUSED/,
    );
  });

  test('ok/killed: it says so at once, and is found again', async () => {
    const { made, log } = database();
    const states: boolean[] = [];
    made.onStatus((up) => states.push(up));
    await made.connect();
    await cluster.kill();
    await expect.poll(() => made.status.up).toBe(false);
    await expect(made.query('SELECT 1')).rejects.toThrow(/it is away since/);
    await cluster.restart();
    await expect.poll(() => made.status.up, { timeout: 20_000 }).toBe(true);
    expect(states).toEqual([true, false, true]);
    expect(log.lines.map(({ message }) => message)).toEqual([
      'the store is away: what it said last stays in force',
      'the store is back',
    ]);
  });

  test('ok/over its unix socket', async () => {
    const { made } = database({ hosts: [{ host: cluster.directory, port: cluster.port }], connectTimeout: 20_000 });
    await made.connect();
    expect(await made.query('SELECT inet_client_addr() AS address')).toEqual([{ address: null }]);
  });

  test('ok/frozen: a question ends, by the time limit', async () => {
    const { made } = database({ queryTimeout: 500, connectTimeout: 500 });
    await made.start();
    await expect.poll(() => made.status.up, { timeout: 20_000 }).toBe(true);
    cluster.freeze();
    await expect(made.query('SELECT 1')).rejects.toThrow(StoreError);
    await expect(database({ connectTimeout: 500 }).made.connect()).rejects.toThrow(
      /^store \S+: no connection within 0\.5 s \(daemon\.store_timeout, or connect_timeout in daemon\.store\): /,
    );
    cluster.thaw();
    await expect.poll(() => made.status.up, { timeout: 20_000 }).toBe(true);
  });
});
