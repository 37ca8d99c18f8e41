import { describe, expect, test } from 'vitest';
import { askedOf } from '../../../../src/log/asked.js';
import { askedLine } from '../../../../src/rpc/params/asked.js';
import type { Evidence } from '../../../../src/trust/evidence/evidence.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import { treatmentOf } from '../../../../src/trust/verdict/treatment.js';
import { ext, leaf, NOW, root } from '../../../support/certificates.js';
import { evidenceWith, tlsWith } from '../../../support/evidence.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const rootB = root({ subject: 'O=Operator B,CN=B CA' });
const peerB = leaf(rootB, { extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) } }).facts;
const anchors = { client: [rootB.facts], server: [rootB.facts] };
const snapshot = snapshotWith([agreementWith({ anchors })]);
const tls = tlsWith(peerB);

/** The line that the decision log has for this evidence, as it is read back. */
function lineOf(evidence: Evidence, over: object = {}): object {
  const verdict = judgePeer(evidence, snapshot, NOW);
  const { profile, asserts, action, code } = treatmentOf(verdict, snapshot);
  const line = {
    time: new Date(NOW).toISOString(),
    id: 'x-1',
    method: 'trust.peer',
    verdict: verdict.verdict,
    agreement: verdict.agreement?.name ?? '',
    reasons: verdict.findings.map((finding) => finding.code),
    ...{ profile, asserts, action, code, ask: askedOf(evidence, verdict) },
    ...over,
  };
  return JSON.parse(JSON.stringify(line));
}

const kept = (sha256: string) => [peerB, rootB.facts].find((each) => each.sha256 === sha256);

const QUESTIONS: readonly (readonly [name: string, evidence: Partial<Evidence>])[] = [
  ['a certificate', { tls }],
  ['IPv6, a server that we reached', { tls, direction: 'out', nextHop: 'b.example', sourceAddress: '2001:db8::7' }],
  ['a next hop in U-labels', { tls, direction: 'out', nextHop: 'šip.bücher.example' }],
  ['a chain', { tls: { ...tls, chain: { certificates: [rootB.facts], ignored: [] } } }],
  ['no certificate', { tls: { ...tls, certificate: undefined, verified: false } }],
  ['one that cannot be read', { tls: { ...tls, certificate: { malformed: 'expected DER: "x"' }, verified: false } }],
  ['nothing told of TLS', { tls: undefined }],
  ['no TLS', { tls: undefined, transport: 'udp', sourcePort: undefined }],
  ['nothing known', { tls: undefined, transport: 'tcp', sourceAddress: undefined, localAddress: undefined }],
  [
    'a server name that is UTF-8, one that is not',
    { tls: { ...tls, sni: 'b\u00c3\u00a9.example', cipher: 'x\u00ff' } },
  ],
  [
    'attributes in place of the certificate',
    { tls: { ...tls, certificate: undefined, attributes: { subject: '/O=\u00ff', san: 'b.example' } } },
  ],
];

describe('a question comes back from the decision log as it was', () => {
  test.each(QUESTIONS)('ok/%s', (_name, over) => {
    const evidence = evidenceWith({ ...over, connectionId: undefined });
    const read = askedLine(lineOf(evidence), kept);
    expect(read).toMatchObject({ id: 'x-1', at: NOW, evidence });
    if (!('before' in read)) throw new Error('expected a question');
    expect(read.before).toEqual(treatmentOf(judgePeer(evidence, snapshot, NOW), snapshot));
  });
  test('ok/that the path was known not to be revoked', () => {
    const revoking = snapshotWith([agreementWith({ anchors, revocation: 'soft' })]);
    const evidence = evidenceWith({ tls });
    expect(askedOf(evidence, judgePeer(evidence, revoking, NOW))).not.toHaveProperty('status');
    const good = { ...judgePeer(evidence, revoking, NOW), findings: [] };
    const checks = [...good.checks, { name: 'revocation', compared: '', outcome: 'pass' as const, clause: '' }];
    const line = lineOf(evidence, { ask: askedOf(evidence, { ...good, checks }) });
    expect(askedLine(line, kept)).toMatchObject({ status: 'good' });
  });
  test('ok/a revoked one', () => {
    expect(askedLine(lineOf(evidenceWith({ tls }), { reasons: ['revoked'] }), kept)).toMatchObject({
      status: 'revoked',
    });
  });
});

describe('what is no question that can be asked again', () => {
  const line = () => lineOf(evidenceWith({ tls }));
  test('fail/a certificate that was not kept', () => {
    expect(askedLine(line(), () => undefined)).toEqual({ skip: 'missing-certificate' });
  });
  test('fail/an answer about a message', () => {
    expect(askedLine({ ...line(), method: 'trust.message' }, kept)).toEqual({ skip: 'no-peer-question' });
  });
  test('fail/a line of an earlier version', () => {
    expect(askedLine({ ...line(), ask: undefined }, kept)).toEqual({ skip: 'older-line' });
  });
  test.each([
    ['no object', 'x', 'expected a JSON object'],
    [
      'a day that there is not',
      { ...line(), time: 'yesterday' },
      'time: expected an RFC 3339 instant, found "yesterday"',
    ],
    ['a verdict that there is not', { ...line(), verdict: 'maybe' }, 'verdict'],
    ['a transport that there is not', { ...line(), ask: { direction: 'in', proto: 'carrier pigeon' } }, 'ask: '],
  ])('fail/%s', (_name, record, words) => {
    expect(askedLine(record, kept)).toEqual({ malformed: expect.stringContaining(words) });
  });
});
