import { describe, expect, test } from 'vitest';
import { VerdictCache } from '../../../../src/state/verdicts/verdict-cache.js';
import type { Interface } from '../../../../src/trust/agreement/agreement.js';
import type { Evidence } from '../../../../src/trust/evidence/evidence.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import { NOW } from '../../../support/certificates.js';
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
});
