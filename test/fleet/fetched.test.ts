import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { HttpAnswer } from '../../src/state/fetch/http-client.js';
import { Database } from '../../src/state/postgres/database.js';
import { StoredFetches } from '../../src/state/tables/stored-fetches.js';
import { crl, DAY } from '../support/certificates.js';
import { HttpServer } from '../support/http-server.js';
import { keptLog } from '../support/kept-log.js';
import { ocspDer } from '../support/ocsp.js';
import { PostgresCluster } from '../support/postgres-cluster.js';
import { now, partner, SECOND, Stage } from '../support/revocation-stage.js';
import { migrated } from './node.js';

let cluster: PostgresCluster;
let server: HttpServer;
const databases: Database[] = [];
const nodes: StoredFetches[] = [];
const stages: Stage[] = [];

beforeAll(async () => {
  cluster = await PostgresCluster.start();
  await migrated(cluster);
  for (const name of ['a', 'b', 'c']) {
    const common = { log: keptLog(), clock: Date.now, random: Math.random };
    const database = new Database({ settings: cluster.settings(), name, ...common });
    await database.connect();
    databases.push(database);
    nodes.push(new StoredFetches(database, name, common.log));
  }
});
afterAll(async () => {
  for (const database of databases) await database.close();
  await cluster?.stop();
});
beforeEach(async () => {
  server = await HttpServer.start();
});
afterEach(async () => {
  for (const stage of stages.splice(0)) await stage.close();
  await server.close();
  await cluster.sql('TRUNCATE siptrust.fetched');
});

const answer = (body: Uint8Array, over: Partial<HttpAnswer> = {}): HttpAnswer => ({
  ...{ status: 200, body, contentType: 'application/pkix-crl', etag: '"x"', lastModified: undefined },
  ...over,
});
const never = new AbortController().signal;
const list = { kind: 'crl', source: 'http://b.example/b.crl', maxAgeMs: 60_000, etag: undefined } as const;

describe('one node fetches for all', () => {
  test('ok/three at once: one asks the server, the others get what it got', async () => {
    const body = new Uint8Array(700_000).map((_, at) => at % 251);
    let asked = 0;
    const own = async (): Promise<HttpAnswer> => {
      asked += 1;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return answer(body);
    };
    const all = await Promise.all(nodes.map((node) => node.fetch(list, own, never)));
    expect(asked).toBe(1);
    expect(all.map((each) => Buffer.compare(each.body, body))).toEqual([0, 0, 0]);
    expect(all.filter(({ shared }) => shared === true)).toHaveLength(2);
  });

  test('ok/what is too old is fetched anew, and anew where an operator wants it', async () => {
    const [a, b] = nodes;
    await a?.fetch(list, async () => answer(new Uint8Array([1])), never);
    const own = async () => answer(new Uint8Array([2]));
    expect((await b?.fetch(list, own, never))?.body).toEqual(Buffer.from([1]));
    expect((await b?.fetch({ ...list, maxAgeMs: 0 }, own, never))?.body).toEqual(new Uint8Array([2]));
    expect((await a?.fetch(list, own, never))?.body).toEqual(Buffer.from([2]));
  });

  test('ok/a server that says that nothing is new says it to all', async () => {
    const [a, b] = nodes;
    await a?.fetch(list, async () => answer(new Uint8Array([1])), never);
    await cluster.sql("UPDATE siptrust.fetched SET fetched_at = now() - interval '1 hour'");
    await a?.fetch({ ...list, etag: '"x"' }, async () => answer(new Uint8Array(), { status: 304 }), never);
    const own = () => Promise.reject(new Error('not asked'));
    expect((await b?.fetch(list, own, never))?.body).toEqual(Buffer.from([1]));
  });

  test('fail/who could not fetch it leaves it to the next', async () => {
    const [a, b] = nodes;
    await expect(a?.fetch(list, () => Promise.reject(new Error('no server')), never)).rejects.toThrow('no server');
    expect((await b?.fetch(list, async () => answer(new Uint8Array([1])), never))?.body).toEqual(new Uint8Array([1]));
  });

  test('ok/a node that died while it fetched holds the others up no longer than its claim', async () => {
    const columns = '(kind, source, node, claimed_until)';
    await cluster.sql(
      `INSERT INTO siptrust.fetched ${columns} VALUES ('crl', '${list.source}', 'dead', now() + interval '600 ms')`,
    );
    const got = await nodes[0]?.fetch(list, async () => answer(new Uint8Array([1])), never);
    expect(got?.body).toEqual(new Uint8Array([1]));
  });

  test('ok/header fields of a megabyte are left out, and a body of 9 MiB is as if it were not there', async () => {
    const [a, b] = nodes;
    const body = new Uint8Array([1]);
    await a?.fetch(list, async () => answer(body), never);
    await cluster.sql("UPDATE siptrust.fetched SET etag = repeat('x', 1000000), last_modified = repeat('x', 8193)");
    const own = () => Promise.reject(new Error('not asked'));
    expect(await b?.fetch(list, own, never)).toMatchObject({ etag: undefined, lastModified: undefined });
    await cluster.sql(`UPDATE siptrust.fetched SET body = decode(repeat('00', 9437184), 'hex')`);
    expect(await b?.read(list)).toBeUndefined();
    // What one node has fetched and is too long for all stays its own.
    const long = new Uint8Array(8 * 1024 * 1024 + 1);
    expect((await a?.fetch({ ...list, maxAgeMs: 0 }, async () => answer(long), never))?.body).toHaveLength(long.length);
    const [{ octets = 0 } = {}] = await cluster.sql<{ octets: number }>(
      'SELECT length(body) AS octets FROM siptrust.fetched',
    );
    expect(octets).toBe(9437184);
  });

  test('ok/while the database is away each fetches for itself', async () => {
    await cluster.kill();
    const all = nodes.map((node, at) => node.fetch(list, async () => answer(new Uint8Array([at])), never));
    expect((await Promise.all(all)).map(({ body }) => body[0])).toEqual([0, 1, 2]);
    await cluster.restart();
    await expect.poll(() => databases.map(({ status }) => status.up)).toEqual([true, true, true]);
  });
});

describe('what another node fetched is judged as if it came from the server', () => {
  const b = partner();

  async function three(): Promise<Stage[]> {
    for (const shared of nodes) {
      const settings = { interval: 3600 };
      stages.push(await Stage.open(b, server, { shared, settings }));
    }
    return stages;
  }
  const told = (all: readonly Stage[], peer: ReturnType<typeof b.peer>) => all.map((stage) => stage.told(peer));

  test('ok/a list', async () => {
    server.serve('/b.crl', crl(b.ca, { thisUpdate: now() - SECOND, nextUpdate: now() + DAY, number: 1 }).der);
    const peer = b.peer({ crls: [server.url('/b.crl')] });
    const all = await three();
    await expect.poll(() => told(all, peer)).toEqual(all.map(() => 'trusted agreement-covers'));
    expect(server.count('/b.crl')).toBe(1);
  });

  test('ok/a status, with the nonce of the node that asked', async () => {
    const peer = b.peer({ ocsp: server.url('/ocsp') });
    server.on('/ocsp', (response, _, body) => {
      const single = { certificate: peer, issuer: b.ca, thisUpdate: now() - SECOND, nextUpdate: now() + DAY };
      response.end(ocspDer([single], { signer: b.ca, nonce: new Uint8Array(body.subarray(-32)) }));
    });
    const all = await three();
    await expect.poll(() => told(all, peer)).toEqual(all.map(() => 'trusted agreement-covers'));
    expect(server.count('/ocsp')).toBe(1);
  });

  test('ok/a list that one node has fetched anew reaches the others long before they would ask, and they ask nobody', async () => {
    const peer = b.peer({ crls: [server.url('/b.crl')] });
    server.serve('/b.crl', crl(b.ca, { thisUpdate: now() - SECOND, nextUpdate: now() + DAY, number: 1 }).der);
    const all = await three();
    await expect.poll(() => told(all, peer)).toEqual(all.map(() => 'trusted agreement-covers'));
    const list = { thisUpdate: now(), nextUpdate: now() + DAY, number: 2, revoked: [{ serial: peer.serial }] };
    server.serve('/b.crl', crl(b.ca, list).der);
    await all[0]?.revocation.refresh(undefined);
    await expect.poll(() => told(all, peer)).toEqual(all.map(() => 'reject revoked'));
    expect(server.count('/b.crl')).toBe(2);
    // An hour, as before it was heard of.
    const rows = await Promise.all(all.map(({ revocation }) => revocation.rows()));
    for (const { nextAt = 0 } of rows.flat()) expect(nextAt).toBeGreaterThan(now() + 3_500_000);
  });

  test('ok/a status that one node was told anew reaches the others', async () => {
    const peer = b.peer({ ocsp: server.url('/ocsp') });
    let revoked = false;
    server.on('/ocsp', (response, _, body) => {
      const status = revoked ? { revoked: now() - SECOND } : 'good';
      const times = { thisUpdate: now() - SECOND, nextUpdate: now() + DAY };
      const single = { certificate: peer, issuer: b.ca, status, ...times } as const;
      response.end(ocspDer([single], { signer: b.ca, nonce: new Uint8Array(body.subarray(-32)) }));
    });
    const all = await three();
    await expect.poll(() => told(all, peer)).toEqual(all.map(() => 'trusted agreement-covers'));
    revoked = true;
    await all[2]?.revocation.refresh(undefined);
    await expect.poll(() => told(all, peer)).toEqual(all.map(() => 'reject revoked'));
    expect(server.count('/ocsp')).toBe(2);
  });

  describe('of several responders', () => {
    const both = () => b.peer({ ocsp: [server.url('/first'), server.url('/second')] });
    const says = (path: string, peer: ReturnType<typeof b.peer>, status: 'good' | { readonly revoked: number }) =>
      server.on(path, (response) => {
        const times = { thisUpdate: now() - SECOND, nextUpdate: now() + DAY };
        response.end(ocspDer([{ certificate: peer, issuer: b.ca, status, ...times }], { signer: b.ca }));
      });

    test('fail/what the second has revoked while the first is dead reaches the others, and stays when the first is back', async () => {
      const peer = both();
      says('/first', peer, 'good');
      const all = await three();
      await expect.poll(() => told(all, peer)).toEqual(all.map(() => 'trusted agreement-covers'));
      server.on('/first', (response) => response.destroy());
      says('/second', peer, { revoked: now() - SECOND });
      await all[0]?.revocation.refresh(undefined);
      await expect.poll(() => told(all, peer)).toEqual(all.map(() => 'reject revoked'));
      expect(server.count('/second')).toBe(1);
      says('/first', peer, 'good');
      await all[1]?.revocation.refresh(undefined);
      expect(told(all, peer)).toEqual(all.map(() => 'reject revoked'));
      says('/second', peer, 'good');
      await all[2]?.revocation.refresh(undefined);
      await expect.poll(() => told(all, peer)).toEqual(all.map(() => 'trusted agreement-covers'));
    });

    test('fail/an error of the first is kept for nobody, and one node asks the second for all', async () => {
      const peer = both();
      server.on('/first', (response) => response.end(new Uint8Array([0x30, 3, 0x0a, 1, 3])));
      says('/second', peer, { revoked: now() - SECOND });
      const all = await three();
      await expect.poll(() => told(all, peer)).toEqual(all.map(() => 'reject revoked'));
      expect(server.count('/second')).toBe(1);
      expect(await cluster.sql('SELECT source FROM siptrust.fetched WHERE body IS NOT NULL')).toEqual([
        { source: `${server.url('/second')} ${peer.facts.sha256}` },
      ]);
    });
  });

  test('fail/a list that is announced and no good replaces nothing, and makes nobody ask the server', async () => {
    const peer = b.peer({ crls: [server.url('/b.crl')] });
    const der = crl(b.ca, { thisUpdate: now() - SECOND, nextUpdate: now() + DAY, number: 1 }).der;
    server.serve('/b.crl', der);
    const all = await three();
    await expect.poll(() => told(all, peer)).toEqual(all.map(() => 'trusted agreement-covers'));
    const forged = crl(partner().ca, { thisUpdate: now() - SECOND, nextUpdate: now() + DAY, number: 2 }).der;
    const put = (body: Uint8Array) => `UPDATE siptrust.fetched SET body = '\\x${Buffer.from(body).toString('hex')}',
      fetched_at = now(); SELECT pg_notify('siptrust_fetched', 'crl nobody ${server.url('/b.crl')}')`;
    await cluster.sql(put(forged));
    const refused = (errors: readonly string[]) =>
      errors.some((each) => each.includes('expected a CRL signed by a CA'));
    const wrong = async () => (await Promise.all(all.map((each) => each.errors()))).map(refused);
    await expect.poll(wrong).toEqual([true, true, true]);
    expect(told(all, peer)).toEqual(all.map(() => 'trusted agreement-covers'));
    await cluster.sql(put(der));
    await expect.poll(wrong).toEqual([false, false, false]);
    await cluster.sql(
      "SELECT pg_notify('siptrust_fetched', 'crl'), pg_notify('siptrust_fetched', 'crl a http://x.example/')",
    );
    expect(server.count('/b.crl')).toBe(1);
  });

  test('fail/a list that somebody put into the database is not believed', async () => {
    const peer = b.peer({ crls: [server.url('/b.crl')] });
    const forged = crl(partner().ca, { thisUpdate: now() - SECOND, nextUpdate: now() + DAY, number: 1 }).der;
    await cluster.sql(`INSERT INTO siptrust.fetched (kind, source, body, fetched_at)
      VALUES ('crl', '${server.url('/b.crl')}', '\\x${Buffer.from(forged).toString('hex')}', now())`);
    const [stage] = await three();
    expect(stage?.told(peer)).toBe('untrusted rev-unknown');
    await expect
      .poll(async () => (await stage?.errors())?.some((error) => error.includes('expected a CRL signed by a CA')))
      .toBe(true);
    expect(stage?.told(peer)).toBe('untrusted rev-unknown');
  });
});
