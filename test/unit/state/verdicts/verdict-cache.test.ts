import { describe, expect, test } from 'vitest';
import { VerdictCache } from '../../../../src/state/verdicts/verdict-cache.js';
import type { Interface } from '../../../../src/trust/agreement/agreement.js';
import type { Evidence } from '../../../../src/trust/evidence/evidence.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import { leaf, NOW, root } from '../../../support/certificates.js';
import { presenting } from '../../../support/evidence.js';
import { ndsSnapshot, overUdp } from '../../../support/nds.js';

/** Asks in turn; the verdicts, and how many of them were made anew. */
function asked(iface: Partial<Interface>, ...evidences: readonly Evidence[]) {
  const counters = { hits: 0, misses: 0 };
  const cache = new VerdictCache({ entries: 10, octets: 1e6, ttlMs: 60_000 }, counters);
  const snapshot = ndsSnapshot(iface);
  const verdicts = evidences.map(
    (evidence) => cache.get(evidence, snapshot, NOW, () => judgePeer(evidence, snapshot, NOW)).verdict,
  );
  return { verdicts, made: counters.misses };
}

describe('a verdict that is known', () => {
  test('fail/that of a clock which was a year ahead and is set right is made anew', () => {
    const counters = { hits: 0, misses: 0 };
    const cache = new VerdictCache({ entries: 10, octets: 1e6, ttlMs: 60_000 }, counters);
    const snapshot = ndsSnapshot({});
    const ahead = NOW + 365 * 86_400_000;
    for (const now of [ahead, ahead - 500, NOW, NOW + 1]) {
      cache.get(overUdp({}), snapshot, now, () => judgePeer(overUdp({}), snapshot, now));
    }
    expect(counters).toEqual({ hits: 2, misses: 2 });
  });

  test('ok/holds for every source port where ports mean nothing', () => {
    const { verdicts, made } = asked({}, overUdp({ sourcePort: 5060 }), overUdp({ sourcePort: 5062 }));
    expect([verdicts, made]).toEqual([['trusted', 'trusted'], 1]);
  });

  test('ok/holds for one source port where ports stand for the path', () => {
    const ports = { shared: true, sourcePorts: [{ first: 5062, last: 5062 }] };
    const [path, rogue] = [overUdp({ sourcePort: 5062 }), overUdp({ sourcePort: 5060 })];
    const { verdicts, made } = asked(ports, path, rogue, path, rogue);
    expect([verdicts, made]).toEqual([['trusted', 'untrusted', 'trusted', 'untrusted'], 2]);
  });

  const certificate = leaf(root({ subject: 'CN=A CA' }), { subject: 'CN=b.example' }).facts;
  const other = leaf(root({ subject: 'CN=B CA' }), { subject: 'CN=b.example' }).facts;
  const chain = { certificates: [certificate], ignored: [] };
  const attributes = { issuer: 'CN=A CA' };
  test.each<readonly [string, Evidence]>([
    ['direction', presenting(certificate, {}, { direction: 'out' })],
    ['transport', presenting(certificate, {}, { transport: 'wss' })],
    ['source', presenting(certificate, {}, { sourceAddress: '192.0.2.2' })],
    ['local address', presenting(certificate, {}, { localAddress: '198.51.100.2' })],
    ['local port', presenting(certificate, {}, { localPort: 5071 })],
    ['next hop', presenting(certificate, {}, { nextHop: 'b.example' })],
    ['certificate', presenting(other)],
    ['certificate that cannot be read', presenting({ malformed: 'no PEM' })],
    ['certificate that is missing', presenting(undefined, { verified: true })],
    ['chain', presenting(certificate, { chain })],
    ['word of the stack', presenting(certificate, { verified: false })],
    ['version of TLS', presenting(certificate, { version: 'TLSv1.2' })],
    ['cipher', presenting(certificate, { cipher: 'TLS_CHACHA20_POLY1305_SHA256' })],
    ['server name', presenting(certificate, { sni: 'a.example' })],
    ['attributes', presenting(certificate, { attributes })],
    ['TLS at all', presenting(certificate, {}, { tls: undefined })],
  ])('fail/is none for evidence with another %s', (_, evidence) => {
    expect(asked({}, presenting(certificate), evidence, presenting(certificate)).made).toBe(2);
  });

  test('fail/is none for a chain of which something else was ignored', () => {
    const ignoring = (...ignored: readonly string[]) => presenting(certificate, { chain: { ...chain, ignored } });
    expect(asked({}, ignoring(), ignoring('too many'), ignoring()).made).toBe(2);
  });

  test('ok/holds for another connection with the same evidence', () => {
    expect(asked({}, presenting(certificate), presenting(certificate, {}, { connectionId: '8' })).made).toBe(1);
  });

  test.each([
    ['fail/ends with the revision of the policy, whichever way that moves', { revision: 2 }, { revision: 1 }, 2],
    ['fail/ends at the instant at which one of its facts changes', {}, { now: NOW + 1000 }, 2],
    ['ok/holds until then', {}, { now: NOW + 999 }, 1],
  ] as const)('%s', (_, first, then, made) => {
    const counters = { hits: 0, misses: 0 };
    const cache = new VerdictCache({ entries: 10, octets: 1e6, ttlMs: 60_000 }, counters);
    const evidence = overUdp();
    for (const { revision = 1, now = NOW } of [first, then] as readonly { revision?: number; now?: number }[]) {
      const snapshot = ndsSnapshot({}, undefined, { revision });
      cache.get(evidence, snapshot, now, () => ({ ...judgePeer(evidence, snapshot, NOW), validUntil: NOW + 1000 }));
    }
    expect(counters.misses).toBe(made);
  });
});
