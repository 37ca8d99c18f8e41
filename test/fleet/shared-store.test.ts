import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { StoreError } from '../../src/state/store/store.js';
import { findCertificate } from '../../src/state/tables/certificate-table.js';
import { PostgresCluster } from '../support/postgres-cluster.js';
import { auditRecord, certificate, FleetNode, migrated, pin } from './node.js';

let cluster: PostgresCluster;
const nodes: FleetNode[] = [];

beforeAll(async () => {
  cluster = await PostgresCluster.start();
  await migrated(cluster);
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
  await cluster.sql('TRUNCATE siptrust.pin, siptrust.tls_seen, siptrust.token, siptrust.certificate');
});
afterAll(() => cluster?.stop());

async function node(name: string, directory?: string, clock?: () => number): Promise<FleetNode> {
  const started = await FleetNode.start(name, cluster.settings(), directory, clock);
  nodes.push(started);
  return started;
}

/** Out of the list of those that are stopped after the test. */
async function stopped(one: FleetNode): Promise<string> {
  nodes.splice(nodes.indexOf(one), 1);
  await one.stop(false);
  return one.directory;
}

const key = (name: string) => ({ agreement: 'op-b', spkiSha256: name });

describe('pins of a fleet', () => {
  test('ok/what one node saw and an operator approved there holds on the others', async () => {
    const [a, b] = [await node('a'), await node('b')];
    a.pins.observe('op-b', certificate('k1'));
    await a.pins.approve([key('k1')]);
    await expect.poll(() => b.states()).toEqual({ k1: 'approved' });
    expect(b.changes).toBe(1);
    expect([...(b.pins.approved.get('op-b') ?? [])]).toEqual(['k1']);
  });

  test('ok/dropped on one node it is gone on all, and is not approved again by being seen', async () => {
    const [a, b] = [await node('a'), await node('b')];
    a.pins.observe('op-b', certificate('k1'));
    await a.pins.approve([key('k1')]);
    await expect.poll(() => b.states()).toEqual({ k1: 'approved' });
    await b.pins.drop([key('k1')]);
    // What a saw before it heard of that arrives after it.
    await a.store.save({ put: [pin('k1', { approvedAt: 5, lastSeen: Date.now() + 60_000 })] });
    await expect
      .poll(() => cluster.sql('SELECT gone, approved_at FROM siptrust.pin'))
      .toEqual([{ gone: false, approved_at: null }]);
    await expect.poll(() => a.pins.approved.size).toBe(0);
    expect(b.pins.approved.size).toBe(0);
  });

  test('ok/a node whose clock is ahead has seen nothing later than now: what is dropped is seen again by the others', async () => {
    const ahead = () => Date.now() + 7_200_000;
    const [a, b] = [await node('a', undefined, ahead), await node('b')];
    a.pins.observe('op-b', certificate('k1'));
    await a.pins.approve([key('k1')]);
    await a.store.saveTlsSeen([{ domain: 'b.example', seenAt: ahead() }], 0);
    await expect.poll(() => b.states()).toEqual({ k1: 'approved' });
    await b.pins.drop([key('k1')]);
    // (What b has heard of its own drop may come behind the first.)
    const pins = () => {
      b.pins.observe('op-b', certificate('k1'));
      return cluster.sql('SELECT gone, approved_at, last_seen <= now() AS past FROM siptrust.pin');
    };
    await expect.poll(pins).toEqual([{ gone: false, approved_at: null, past: true }]);
    const domains = () => cluster.sql('SELECT domain, seen_at <= now() AS past FROM siptrust.tls_seen');
    await expect.poll(domains).toEqual([{ domain: 'b.example', past: true }]);
  });

  test('ok/what was seen is in the store a little later, and adds up to no approval', async () => {
    const a = await node('a');
    a.pins.observe('op-b', certificate('k1', 'nul\0 and half \ud800 of a pair'));
    await a.store.save({ put: a.pins.list() });
    const rows = () => cluster.sql<{ subject: string }>('SELECT subject FROM siptrust.pin');
    await expect.poll(rows).toEqual([{ subject: 'CN=nul\uFFFD and half \uFFFD of a pair' }]);
    const b = await node('b');
    expect(b.states()).toEqual({ k1: 'observed' });
  });

  test('fail/an approval while the database is away is refused, and does not hold', async () => {
    const a = await node('a');
    a.pins.observe('op-b', certificate('k1'));
    await cluster.kill();
    await expect(a.pins.approve([key('k1')])).rejects.toBeInstanceOf(StoreError);
    expect(a.pins.approved.size).toBe(0);
    expect(a.pins.failing).toBe(false);
    await cluster.restart();
    await a.up();
    await a.pins.approve([key('k1')]);
    expect(a.states()).toEqual({ k1: 'approved' });
  });

  test('ok/a start without the database serves what it said last', async () => {
    const a = await node('a');
    a.pins.observe('op-b', certificate('k1'));
    await a.pins.approve([key('k1')]);
    a.tls.note('b.example', true);
    const directory = await stopped(a);
    await cluster.kill();
    const again = await node('a', directory);
    expect(again.states()).toEqual({ k1: 'approved' });
    expect(again.tls.has('b.example')).toBe(true);
    expect(again.store.status()).toMatchObject({ up: false, readAt: undefined });
    expect(again.log.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      'the store is away: what it said last stays in force',
    ]);
    await cluster.restart();
    await again.up();
  });

  test('ok/a node that was away hears of all that was dropped meanwhile', async () => {
    const [a, b] = [await node('a'), await node('b')];
    for (const name of ['k1', 'k2']) a.pins.observe('op-b', certificate(name));
    await a.pins.approve([key('k1'), key('k2')]);
    await expect.poll(() => b.states()).toEqual({ k1: 'approved', k2: 'approved' });
    const directory = await stopped(b);
    await a.pins.drop([key('k1')]);
    expect((await node('b', directory)).states()).toEqual({ k2: 'approved' });
  });

  test('fail/approvals that the database does not know of do not hold, and that is told', async () => {
    const a = await node('a');
    a.pins.observe('op-b', certificate('k1'));
    await a.pins.approve([key('k1')]);
    const directory = await stopped(a);
    await cluster.sql('TRUNCATE siptrust.pin');
    const again = await node('a', directory);
    expect(again.states()).toEqual({ k1: 'observed' });
    expect(again.log.lines.map(({ message }) => message)).toContain(
      'approvals of this node are not in the store and do not hold (siptrustctl store import)',
    );
  });

  const HAND_WRITTEN: readonly (readonly [name: string, changes: string, pin: object])[] = [
    [
      'that ends never',
      "not_after = 'infinity', first_seen = '-infinity'",
      { firstSeen: 0, notAfter: 253402300799999 },
    ],
    ['approved at the end of time', "approved_at = 'infinity'", { approvedAt: 253402300799999 }],
    ['of years that Node does not know', "not_after = '290000-01-01', first_seen = '4000-01-01 BC'", { firstSeen: 0 }],
    ['with names within names', "identities = '{{a,b},{c,NULL}}'", { identities: ['a', 'b', 'c'] }],
    ['seen too often', 'count = 9223372036854775807', { count: Number.MAX_SAFE_INTEGER }],
  ];
  test.each(HAND_WRITTEN)(
    'ok/a row %s, by somebody in psql: it ends no daemon, and the others count',
    async (_, changes, seen) => {
      const [a, b] = [await node('a'), await node('b')];
      a.pins.observe('op-b', certificate('k0'));
      a.pins.observe('op-b', certificate('k1'));
      await a.pins.approve([key('k0'), key('k1')]);
      await expect.poll(() => b.states()).toEqual({ k0: 'approved', k1: 'approved' });
      await cluster.sql(`
      UPDATE siptrust.pin SET ${changes}, changed = pg_current_xact_id() WHERE spki_sha256 = 'k0';
      UPDATE siptrust.pin SET gone = true, changed = pg_current_xact_id() WHERE spki_sha256 = 'k1';
      NOTIFY siptrust_state, 'pin'`);
      await expect.poll(() => b.states()).toEqual({ k0: 'approved' });
      expect(b.pins.list()).toMatchObject([seen]);
      // The copy on the disk of this node has it, too.
      await expect.poll(async () => (await b.store.load()).pins).toMatchObject([{ spkiSha256: 'k0', ...seen }]);
      expect(b.log.lines).toEqual([]);
    },
  );

  const HUGE: readonly (readonly [what: string, changes: string])[] = [
    ['a subject of 50 MB', "subject = repeat('x', 50000000)"],
    [
      'a subject of 50 MB that cannot be packed',
      "subject = (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 1600000) n)",
    ],
    ['names of 50 MB', "identities = ARRAY[repeat('x', 50000000)]"],
    ['a million names', "identities = array_fill('b.example'::text, ARRAY[1000000])"],
  ];
  test.each(HUGE)(
    'fail/a row with %s: the store stays, the row counts as gone and is named, and the others count',
    async (_, changes) => {
      const [a, b] = [await node('a'), await node('b')];
      for (const name of ['k0', 'k1']) a.pins.observe('op-b', certificate(name));
      await a.pins.approve([key('k0'), key('k1')]);
      await expect.poll(() => b.states()).toEqual({ k0: 'approved', k1: 'approved' });
      const ups: boolean[] = [];
      b.database.onStatus((up) => ups.push(up));
      await cluster.sql(`
      UPDATE siptrust.pin SET ${changes}, changed = pg_current_xact_id() WHERE spki_sha256 = 'k0'`);
      a.pins.observe('op-b', certificate('k2'));
      await a.pins.approve([key('k2')]);
      await expect.poll(() => b.states()).toEqual({ k1: 'approved', k2: 'approved' });
      expect(ups).toEqual([]);
      const errors = b.log.lines.filter(({ level }) => level === 'error');
      expect(errors[0]).toMatchObject({
        message: 'a row of the store is too long, and counts as if it were not there',
        fields: { table: 'pin', row: 'op-b k0' },
      });
      // So does one that starts now; what is mended counts again.
      const c = await node('c');
      expect(c.states()).toEqual({ k1: 'approved', k2: 'approved' });
      await cluster.sql(`
      UPDATE siptrust.pin SET subject = '', identities = '{}', changed = pg_current_xact_id() WHERE spki_sha256 = 'k0'`);
      await cluster.sql("NOTIFY siptrust_state, 'pin'");
      await expect.poll(() => c.states()).toEqual({ k0: 'approved', k1: 'approved', k2: 'approved' });
    },
  );

  test('ok/more pins than a page has, and some of 200 kB each: all are read', async () => {
    await cluster.sql(`
      INSERT INTO siptrust.pin (agreement, spki_sha256, certificate_sha256, subject, identities, not_after, first_seen,
        last_seen, count, approved_at)
      SELECT 'op-b', 'k' || n, '', CASE WHEN n % 50 = 0 THEN repeat('x', 200000) ELSE '' END, '{}', now(), now(), now(), 1, now()
      FROM generate_series(1, 5000) n`);
    const a = await node('a');
    expect(Object.keys(a.states())).toHaveLength(5000);
    expect(a.log.lines).toEqual([]);
  });

  test('fail/domains, tokens and certificates of 50 MB: the store stays, and the others count', async () => {
    await cluster.sql(`
      INSERT INTO siptrust.tls_seen VALUES (repeat('x', 200000), now()), ('b.example', now());
      INSERT INTO siptrust.token VALUES ('huge', 'huge', repeat('x', 50000000), now(), '{}'),
        ('huge too', 'huge too', 'viewer', now(), to_jsonb(repeat('x', 50000000)));
      INSERT INTO siptrust.certificate (sha256, der, last_seen, partner)
        VALUES ('huge', decode(repeat('00', 50000000), 'hex'), now(), true)`);
    const a = await node('a');
    const ups: boolean[] = [];
    a.database.onStatus((up) => ups.push(up));
    await a.tokens.add('noc', 'viewer');
    await expect.poll(() => a.tokens.list()).toMatchObject([{ name: 'noc' }]);
    expect(a.tls.has('b.example')).toBe(true);
    expect(await findCertificate((text, values) => a.database.query(text, values), 'huge')).toBeUndefined();
    const named = () => a.log.lines.map(({ fields }) => (fields as { row?: string }).row);
    await expect.poll(named).toEqual(expect.arrayContaining(['huge', 'huge too']));
    // They can be taken out.
    await a.store.revokeToken('huge');
    await a.store.revokeToken('huge too');
    expect(await cluster.sql('SELECT name FROM siptrust.token')).toEqual([{ name: 'noc' }]);
    expect(ups).toEqual([]);
  });

  test('ok/a lost notification is made up for by the next look, and what comes in another order is seen', async () => {
    const [a, b] = [await node('a'), await node('b')];
    // A transaction that began first and ends last: a number of its row would be below what b has read.
    const late = a.database.transaction(async (run) => {
      await run("INSERT INTO tls_seen (domain, seen_at) VALUES ('late.example', now())");
      b.pins.observe('op-b', certificate('k1'));
      await b.pins.approve([key('k1')]);
      await expect.poll(() => a.states()).toEqual({ k1: 'approved' });
      await run("SELECT pg_notify('siptrust_state', 'pin')");
    });
    await late;
    await expect.poll(() => b.tls.has('late.example')).toBe(true);
  });
});

describe('tokens of a fleet', () => {
  test('ok/made on one node it is taken on the others, and revoked there it is nowhere', async () => {
    const [a, b] = [await node('a'), await node('b')];
    const { token } = await a.tokens.add('noc', 'viewer');
    await expect.poll(() => b.tokens.list().map(({ name }) => name)).toEqual(['noc']);
    expect(await b.tokens.check(token)).toMatchObject({ name: 'noc', role: 'viewer' });
    await expect(b.tokens.add('noc', 'viewer')).rejects.toThrow('expected a name that no token has, found "noc"');
    expect(await b.tokens.revoke('noc')).toMatchObject({ name: 'noc' });
    expect(await b.tokens.revoke('noc')).toBeUndefined();
    await expect.poll(() => a.tokens.list()).toEqual([]);
    expect(await a.tokens.check(token)).toBeUndefined();
  });

  test('fail/while the database is away none is made and none is revoked', async () => {
    const a = await node('a');
    const { token } = await a.tokens.add('noc', 'viewer');
    await cluster.kill();
    await expect(a.tokens.add('other', 'viewer')).rejects.toBeInstanceOf(StoreError);
    await expect(a.tokens.revoke('noc')).rejects.toBeInstanceOf(StoreError);
    // What it said last stays in force.
    expect(await a.tokens.check(token)).toMatchObject({ name: 'noc' });
    await cluster.restart();
    await a.up();
  });

  test('fail/a token of a malformed row is not taken, and the others are', async () => {
    const a = await node('a');
    await a.tokens.add('noc', 'viewer');
    await cluster.sql("INSERT INTO siptrust.token VALUES ('evil', '0123456789ab', 'root', now(), '{}')");
    const b = await node('b');
    await expect.poll(() => b.tokens.list().map(({ name }) => name)).toEqual(['noc']);
  });
});

describe('the audit log of a fleet', () => {
  const lines = () =>
    cluster.sql<{ node: string; claimed: string }>('SELECT node, claimed FROM siptrust.audit ORDER BY at');

  test('ok/a line is in the database when it is acknowledged', async () => {
    const a = await node('a');
    await a.store.audit.add(auditRecord({ params: { 'a\0b': 'x\0', list: ['\ud800'] } }));
    expect(await lines()).toEqual([{ node: 'a', claimed: 'noc' }]);
    expect(a.store.status().waiting).toBe(0);
  });

  test('ok/while the database is away it is on this disk, over a crash, and goes there later, once', async () => {
    await cluster.sql('TRUNCATE siptrust.audit');
    const a = await node('a');
    await cluster.kill();
    for (const claimed of ['one', 'two']) await a.store.audit.add(auditRecord({ claimed }));
    const directory = await stopped(a);
    const again = await node('a', directory);
    expect(again.store.status().waiting).toBe(2);
    await cluster.restart();
    await again.up();
    await expect.poll(() => again.store.status().waiting).toBe(0);
    expect((await lines()).map(({ claimed }) => claimed)).toEqual(['one', 'two']);
  });

  test('ok/a line that the database refuses does not hold up the others', async () => {
    await cluster.sql('TRUNCATE siptrust.audit');
    await cluster.sql("ALTER TABLE siptrust.audit ADD CONSTRAINT no_x CHECK (claimed <> 'x')");
    const a = await node('a');
    await a.store.audit.add(auditRecord({ claimed: 'x' }));
    await a.store.audit.add(auditRecord({ claimed: 'y' }));
    await cluster.sql('ALTER TABLE siptrust.audit DROP CONSTRAINT no_x');
    expect((await lines()).map(({ claimed }) => claimed)).toEqual(['y']);
    expect(a.log.lines.map(({ message }) => message)).toContain('the store does not take a line of the audit log');
  });
});
