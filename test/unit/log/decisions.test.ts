import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decisionLog } from '../../../src/log/decisions.js';
import type { Evidence } from '../../../src/trust/evidence/evidence.js';
import { judgePeer } from '../../../src/trust/peer/peer.js';
import { agreementWith, evidenceWith, snapshotWith } from '../../support/snapshot.js';

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
});
