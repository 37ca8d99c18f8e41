import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decisionLog } from '../../../src/log/decisions.js';
import type { Evidence } from '../../../src/trust/evidence/evidence.js';
import { judgePeer } from '../../../src/trust/peer/peer.js';
import { treatmentOf } from '../../../src/trust/verdict/treatment.js';
import { evidenceWith, tlsWith } from '../../support/evidence.js';
import { agreementWith, snapshotWith } from '../../support/snapshot.js';

const NOW = Date.parse('2026-06-01T00:00:00Z');

/** Where a message came from, and how a line tells it. */
const SOURCES: readonly (readonly [name: string, evidence: Partial<Evidence>, src: string])[] = [
  ['ok/IPv4', { sourceAddress: '192.0.2.2', sourcePort: 5060 }, '192.0.2.2:5060'],
  ['ok/IPv6 in brackets', { sourceAddress: '2001:db8::2', sourcePort: 5060 }, '[2001:db8::2]:5060'],
  ['ok/no port', { sourceAddress: '192.0.2.2', sourcePort: undefined }, '192.0.2.2:'],
  ['ok/nothing known', { sourceAddress: undefined, sourcePort: undefined }, ':'],
];

describe('a line of the decision log', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'siptrust-log-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test.each(SOURCES)('%s', async (_name, over, src) => {
    const file = join(directory, 'decisions');
    const log = decisionLog(file, true, () => {});
    const evidence = evidenceWith({ transport: 'udp', tls: undefined, ...over });
    const verdict = judgePeer(evidence, snapshotWith([agreementWith()]), NOW);
    log.write({ id: 'x-1', at: NOW, method: 'trust.peer', evidence, verdict });
    await log.close();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ id: 'x-1', src, reasons: ['no-tls'] });
  });

  test('ok/the user of a next hop is masked, in what it takes to ask again too', async () => {
    const file = join(directory, 'decisions');
    const log = decisionLog(file, true, () => {});
    const evidence = evidenceWith({ direction: 'out', nextHop: 'sip:089123456@n.example' });
    const verdict = judgePeer(evidence, snapshotWith([agreementWith()]), NOW);
    const treatment = treatmentOf(verdict, snapshotWith([]));
    log.write({ id: 'x-1', at: NOW, method: 'trust.peer', evidence, verdict, treatment });
    await log.close();
    const masked = { next_hop: 'sip:08***@n.example' };
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ ...masked, ask: masked });
  });

  // A request may be 1 MiB long; who may ask must not fill the disk with one line for each.
  const LONG = 'a.'.repeat(400_000);
  test.each<[string, Partial<Evidence>]>([
    ['next hop', { direction: 'out', nextHop: LONG }],
    ['next hop by URI', { direction: 'out', nextHop: `sip:${LONG}` }],
    ['connection', { connectionId: LONG }],
    ['version', { tls: tlsWith(undefined, { version: LONG }) }],
    ['cipher', { tls: tlsWith(undefined, { cipher: LONG }) }],
    ['server name', { tls: tlsWith(undefined, { sni: LONG }) }],
    [
      'words about the certificate',
      { tls: tlsWith(undefined, { attributes: { san: LONG, issuer: LONG, subject: LONG } }) },
    ],
    ['bytes', { tls: tlsWith(undefined, { attributes: { san: '\xff'.repeat(400_000) } }) }],
  ])('ok/as short as others, however long what was told is: %s', async (_, over) => {
    const file = join(directory, 'decisions');
    const log = decisionLog(file, true, () => {});
    const evidence = evidenceWith({ ...over });
    const verdict = judgePeer(evidence, snapshotWith([agreementWith()]), NOW);
    const treatment = treatmentOf(verdict, snapshotWith([]));
    log.write({ id: 'x-1', at: NOW, method: 'trust.peer', evidence, verdict, treatment });
    await log.close();
    expect(verdict.verdict).not.toBe('trusted');
    expect(readFileSync(file).length).toBeLessThan(8192);
  });
});
