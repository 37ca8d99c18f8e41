import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SCHEMA_VERSION } from '../../src/state/postgres/migrate.js';
import { openSqliteStore } from '../../src/state/store/sqlite-store.js';
import { DAY, ext, leaf, root } from '../support/certificates.js';
import { Child, run } from '../support/live/child.js';
import { Daemon } from '../support/live/daemon.js';
import { loopbackBlock, runDirectory } from '../support/live/places.js';
import { DATABASE, PostgresCluster } from '../support/postgres-cluster.js';
import { SlowWay } from './slow-way.js';
import { Asking } from './verdicts.js';

const CTL = fileURLToPath(new URL('../../dist/ctl/main.js', import.meta.url));
/** How long each fault lasts. */
const LASTS_MS = Number(process.env.SIPTRUST_FLEET_FAULT_MS ?? 2_000);
const FAULT_TEST_MS = 2 * LASTS_MS + 100_000;
/** Longer than any test takes: nothing that waits for the database comes by then. */
const NEVER_MS = 60_000;

const block = loopbackBlock();
const directory = runDirectory();
const host = block(1);
const times = { notBefore: Date.now() - DAY, notAfter: Date.now() + 300 * DAY };
const authority = root({ subject: 'O=Operator B,CN=B CA', ...times });
const peer = leaf(authority, { extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) }, ...times });

let cluster: PostgresCluster;
let way: SlowWay;
let daemon: Daemon;
let asking: Asking;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
  way = await SlowWay.open(cluster.port);
  mkdirSync(directory.path, { recursive: true });
  writeFileSync(join(directory.path, 'ca.pem'), authority.pem);
  writeFileSync(join(directory.path, 'password'), readFileSync(cluster.passwordFile), { mode: 0o600 });
  daemon = new Daemon(host, directory.path);
  daemon.write(policy(1000));
});
afterAll(async () => {
  await asking?.stop();
  await daemon?.stop();
  way?.close();
  await cluster?.stop();
  directory.remove();
});

/** @param timeout milliseconds after which a database that says nothing is away */
const policy = (timeout: number) => ({
  own_domains: ['a.example'],
  agreements: [
    {
      ...{ name: 'op-b', domains: ['b.example'], mechanism: 'tls', anchors: ['ca.pem'], revocation: 'off' },
      // What the store says decides.
      pinned: true,
    },
  ],
  daemon: {
    ...{ node: 'border-1', store: `postgres://${cluster.user}@127.0.0.1:${way.port}/${DATABASE}` },
    ...{ store_password_file: 'password', store_timeout: timeout, state: { file: 'state.db' } },
    access: { tokens: 'tokens.json' },
  },
});

let connection = 0;
const question = () => {
  // Half of the questions are about connections that nobody knows yet.
  connection += 1;
  const tls = { pem: peer.pem, verified: 1, version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };
  const local = { rcv_ip: '198.51.100.1', rcv_port: 5061, src_ip: '192.0.2.1', src_port: 40_000 };
  return { direction: 'in', proto: 'tls', conid: connection >> 1, ...local, tls };
};
const ready = async () =>
  (await (await fetch(`http://${host}:7061/ready`)).json()) as { ready: boolean; store: string };
const storeState = async () => (await daemon.call('core.status')).store as Record<string, unknown>;
const metric = async (name: string) => {
  const text = await (await fetch(`http://${host}:7061/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
};

/** Every question of this time was answered, and by what the store said last. How long that takes: test/bench/faults.ts. */
async function answered(ms = LASTS_MS): Promise<void> {
  asking.take();
  await sleep(ms);
  const { questions, failed } = asking.take();
  expect(failed).toEqual([]);
  expect(questions).toBeGreaterThan(ms / 200);
}

/** Writes that were refused: the audit log has a line of each. */
let refused = 0;

/** Whether this was done; not, where the database was away. */
async function written(method: string, params: object): Promise<boolean> {
  try {
    await daemon.call(method, params);
    return true;
  } catch (error) {
    if (!/it is away since/.test(String(error))) throw error;
    refused += 1;
    return false;
  }
}

/** @param timeout as of `policy` */
async function restart(timeout: number): Promise<void> {
  await daemon.stop();
  daemon.write(policy(timeout));
  await daemon.start();
}

describe('verdicts go on', () => {
  test('ok/a daemon that starts on an empty database says what to run, and serves', async () => {
    await daemon.start();
    expect(await ready()).toMatchObject({
      ready: true,
      store: expect.stringContaining(`schema version ${SCHEMA_VERSION}, found 0: run siptrustctl store migrate`),
    });
    const config = join(directory.path, 'siptrust.yaml');
    expect(await run('node', [CTL, 'store', 'migrate', '--config', config])).toContain('001-fleet');
    await expect.poll(async () => (await storeState()).state).toBe('ok');
    expect(await ready()).toMatchObject({ ready: true, store: 'ok' });
    expect(await metric('siptrust_store_up')).toBe(1);
  });

  test('ok/a key that is approved is in the database, with a line of the audit log', async () => {
    await daemon.call('trust.peer', question());
    await daemon.call('pin.approve', { agreement: 'op-b', pin: 'all' });
    expect(await cluster.sql('SELECT agreement, approved_at IS NOT NULL AS approved FROM siptrust.pin')).toEqual([
      { agreement: 'op-b', approved: true },
    ]);
    expect(await cluster.sql('SELECT node, method, outcome FROM siptrust.audit')).toEqual([
      { node: 'border-1', method: 'pin.approve', outcome: 'done' },
    ]);
    asking = new Asking(`http://${host}:7061/rpc`, question, 1);
  });

  const faults: readonly (readonly [
    what: string,
    begin: () => Promise<void> | void,
    end: () => Promise<void> | void,
  ])[] = [
    ['killed', () => cluster.kill(), () => cluster.restart()],
    ['frozen', () => cluster.freeze(), () => cluster.thaw()],
    ['cut off', () => way.cut(), () => way.heal()],
  ];
  test.each(faults)(
    'ok/the database is %s',
    async (what, begin, end) => {
      await begin();
      await answered();
      await expect.poll(async () => (await storeState()).state).toBe('degraded');
      expect(await ready()).toMatchObject({ ready: true, store: expect.stringContaining('away since') });
      expect(await metric('siptrust_store_up')).toBe(0);
      expect(await written('pin.drop', { agreement: 'op-b', pin: 'all' })).toBe(false);
      expect(await written('token.add', { name: what.replace(' ', '-'), role: 'viewer' })).toBe(false);
      await answered();
      await end();
      await expect.poll(async () => (await storeState()).state).toBe('ok');
      await expect.poll(async () => (await storeState()).waiting).toBe(0);
    },
    FAULT_TEST_MS,
  );

  test(
    'ok/the database is slow',
    async () => {
      way.slow(150);
      await answered();
      way.heal();
      await expect.poll(async () => (await storeState()).state).toBe('ok');
      // So far away a new connection takes longer than store_timeout here, and on a busy machine each question: one is kept
      // open by the first token, and where it is lost all the same, that is said and the next time is as good.
      let tries = 0;
      const slowly = async (): Promise<boolean> => {
        way.heal();
        tries += 1;
        await expect.poll(async () => (await storeState()).state).toBe('ok');
        if (!(await written('token.add', { name: `noc-${tries}`, role: 'viewer' }))) return false;
        way.slow(150);
        return written('token.add', { name: `night-${tries}`, role: 'viewer' });
      };
      await expect.poll(slowly, { timeout: 60_000 }).toBe(true);
      way.heal();
      await expect.poll(async () => (await storeState()).state).toBe('ok');
    },
    FAULT_TEST_MS,
  );

  test.each(faults.slice(1))(
    'ok/no verdict waits for a database that is %s, as long as it is not known to be away',
    async (_, begin, end) => {
      await asking.stop();
      await restart(NEVER_MS);
      await expect.poll(async () => (await storeState()).state).toBe('ok');
      try {
        await begin();
        // Of connections that nobody knows, and of those that are known: none comes before the fault has an end, if it waits.
        for (let asked = 0; asked < 200; asked += 1) {
          expect(await daemon.call('trust.peer', question())).toMatchObject({ trusted: 1 });
        }
        expect((await storeState()).state).toBe('ok');
      } finally {
        await end();
      }
    },
    FAULT_TEST_MS,
  );

  test('ok/no verdict asks the database: what goes there does not grow with the questions', async () => {
    await restart(1000);
    const sent = async (work: () => Promise<unknown>): Promise<number> => {
      await expect.poll(async () => (await storeState()).waiting).toBe(0);
      const before = way.pieces;
      await work();
      return way.pieces - before;
    };
    const questions = 500;
    const from = performance.now();
    let took = 0;
    const busy = await sent(async () => {
      for (let asked = 0; asked < questions; asked += 1) await daemon.call('trust.peer', question());
      took = performance.now() - from;
    });
    // A heartbeat, a look, and what was seen once a second: as much in as long a time with few questions.
    const calm = await sent(async () => {
      for (const end = performance.now() + took; performance.now() < end; await sleep(500)) {
        await daemon.call('trust.peer', question());
      }
    });
    expect(busy - calm).toBeLessThan(questions / 2);
    asking = new Asking(`http://${host}:7061/rpc`, question, 1);
  });

  test('ok/a start without the database serves what it said last', async () => {
    await asking.stop();
    await daemon.stop();
    await cluster.kill();
    try {
      await daemon.start();
      const store = expect.stringContaining('last read before this start');
      expect(await ready()).toMatchObject({ ready: true, store });
      asking = new Asking(`http://${host}:7061/rpc`, question, 1);
      await answered();
    } finally {
      // What comes after it has nothing to do with it.
      await cluster.restart();
    }
    await expect.poll(async () => (await storeState()).state).toBe('ok');
    // What was refused meanwhile is nowhere; what is said now is.
    await asking.stop();
    await daemon.call('pin.drop', { agreement: 'op-b', pin: 'all' });
    expect(await daemon.call('trust.peer', question())).toMatchObject({ trusted: 0 });
    const methods = await cluster.sql<{ method: string; outcome: string }>(
      "SELECT method, outcome FROM siptrust.audit WHERE outcome <> 'done' ORDER BY at",
    );
    expect(refused).toBeGreaterThan(0);
    expect(methods).toHaveLength(refused);
  });

  test('ok/a replay on a node that has seen nothing finds the certificates that this one saw', async () => {
    await expect.poll(() => cluster.sql('SELECT sha256 FROM siptrust.certificate')).toHaveLength(1);
    const state = join(directory.path, 'other.db');
    await openSqliteStore(state).close();
    const config = join(directory.path, 'siptrust.yaml');
    const decisions = join(directory.path, 'siptrust.decisions');
    const args = [CTL, '--json', 'replay', '--config', config, '--decisions', decisions, '--state', state];
    // The other node approved nothing: what was trusted here would not be there.
    const child = new Child('node', args);
    expect(await child.exit()).toBe(1);
    // How far it is stands before it, on standard error, where it takes long.
    const answer = JSON.parse(child.output.slice(child.output.indexOf('{'))) as {
      asked: number;
      skipped: Record<string, number>;
    };
    expect(answer.asked).toBeGreaterThan(100);
    expect(answer.skipped['missing-certificate']).toBeUndefined();
  });
});
