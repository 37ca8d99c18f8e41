import { createSocket, type Socket } from 'node:dgram';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../../src/policy/settings/settings.js';
import { NextHops } from '../../../../src/state/hops/next-hops.js';
import { Counters } from '../../../../src/state/verdicts/counters.js';
import { questionOfDomain, questionOfUri } from '../../../../src/trust/evidence/hop-question.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const ABILITY = { transports: ['tls', 'tcp', 'udp'], families: ['A'] } as const;
const log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** Takes questions and never answers. */
let server: Socket;
beforeAll(async () => {
  server = createSocket('udp4');
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
});
afterAll(() => void server.close());

function nextHops(): { readonly hops: NextHops; readonly counters: Counters } {
  const servers = [{ address: '127.0.0.1', port: server.address().port }];
  const settings = { ...DEFAULT_SETTINGS.dns, servers, timeout: 1, attempts: 1 };
  const hops = new NextHops({ settings, clock: () => NOW, log, seed: 0 });
  const counters = new Counters();
  hops.start(counters);
  return { hops, counters };
}

describe('NextHops', () => {
  const snapshot = snapshotWith([agreementWith({ requireTls: true })], { revision: 7 });

  test('ok/dead domains that users dial take up no place of a partner', async () => {
    const { hops, counters } = nextHops();
    for (let at = 0; at < 1200; at++) hops.find(questionOfDomain(`dead-${at}.example`), ABILITY, snapshot);
    expect(counters.all()['dns.searches.refused']).toBe(200);
    hops.find(questionOfDomain('b.example'), ABILITY, snapshot);
    expect(counters.all()['dns.searches.refused']).toBe(200);
    await hops.close();
  });

  test.each([
    ['somebody whom no agreement names', 'sips:nobody.example;transport=udp'],
    ['an address', 'sips:192.0.2.9:5061;transport=udp'],
    ['a partner, whose DNS says nothing of it', 'sip:b.example:5060;transport=udp'],
  ])('ok/a URI that rules TLS out towards %s is no TLS that vanished from the DNS of a partner', async (_, uri) => {
    const { hops, counters } = nextHops();
    const hop = await hops.wait(questionOfUri(uri), ABILITY, () => snapshot, 5_000);
    expect(hop.findings[0]?.code).not.toBe('dns-pending');
    expect(counters.all()['dns.alarms']).toBeUndefined();
    await hops.close();
  });

  test('ok/an address that no agreement names is named where TLS is required towards it', async () => {
    const { hops } = nextHops();
    const [first] = hops.find(questionOfUri('sips:192.0.2.9:5061;transport=udp'), ABILITY, snapshot).findings;
    expect(first).toEqual({
      code: 'tls-downgrade',
      detail: 'TLS is required towards 192.0.2.9, an address that no agreement names, and no target by TLS is left',
    });
    await hops.close();
  });

  test('ok/nor does one partner take up all places by its ports', async () => {
    const { hops, counters } = nextHops();
    for (let port = 1; port <= 40; port++) hops.find(questionOfUri(`sip:b.example:${port}`), ABILITY, snapshot);
    expect(counters.all()['dns.searches.refused']).toBe(24);
    hops.find(questionOfDomain('dead.example'), ABILITY, snapshot);
    expect(counters.all()['dns.searches.refused']).toBe(24);
    await hops.close();
  });

  test('ok/an answer that waited is of the policy in force by then, and says so', async () => {
    const { hops } = nextHops();
    let inForce = snapshot;
    const waiting = hops.wait(questionOfDomain('b.example'), ABILITY, () => inForce, 20);
    inForce = snapshotWith([agreementWith({ requireTls: false })], { revision: 8 });
    expect(await waiting).toMatchObject({ requireTls: false, revision: 8 });
    expect(hops.find(questionOfDomain('b.example'), ABILITY, snapshot)).toMatchObject({
      requireTls: true,
      revision: 7,
    });
    await hops.close();
  });
});
