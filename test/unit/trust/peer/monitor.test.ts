/**
 * `enforcement: monitor` (P-4) changes no call. A peer that proved to be the partner passes as it is; for everybody else
 * the agreement might as well not be there. What would have happened is said.
 */

import { describe, expect, test } from 'vitest';
import { scanHeaderBlock } from '../../../../src/sip/grammar/header-block.js';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import type { Snapshot } from '../../../../src/trust/agreement/snapshot.js';
import type { Evidence, TlsEvidence } from '../../../../src/trust/evidence/evidence.js';
import { questionOfDomain, questionOfUri } from '../../../../src/trust/evidence/hop-question.js';
import { findHop, type HopOptions } from '../../../../src/trust/hop/hop.js';
import { planMessage } from '../../../../src/trust/message/message.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import { toBytes } from '../../../support/bytes.js';
import { ca, crl, ext, leaf, NOW, root, selfSignedLeaf } from '../../../support/certificates.js';
import { presenting } from '../../../support/evidence.js';
import { ndsSnapshot, overUdp } from '../../../support/nds.js';
import { plainAgreements } from '../../../support/plain-agreements.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const rootB = root({ subject: 'O=Operator B,CN=B CA' });
const rootX = root({ subject: 'O=Evil,CN=X CA' });
const altNames = { altNames: ext.altNames([{ dns: 'b.example' }]) };
const good = leaf(rootB, { extensions: altNames }).facts;
const self = selfSignedLeaf({ subject: 'CN=b.example', extensions: altNames }).facts;
const elsewhere = leaf(rootX, { extensions: altNames }).facts;
const expired = leaf(rootB, { extensions: altNames, notAfter: NOW - 1e9 }).facts;
const otherName = leaf(rootB, { extensions: { altNames: ext.altNames([{ dns: 'evil.example' }]) } }).facts;
const noIntermediate = leaf(ca(rootB), { extensions: altNames }).facts;
const revoking = crl(rootB, { revoked: [{ serial: good.serialOctets }] }).facts;

const monitored = (over: Partial<Agreement> = {}) =>
  agreementWith({
    ...{ anchors: { client: [rootB.facts], server: [rootB.facts] }, enforcement: 'monitor', requireTls: true },
    ...{ privacy: 'rfc3325', targets: [{ address: '192.0.2.7', port: 5061 }], allowTlsFallback: false },
    ...over,
  });

const INVITE = [
  'Via: SIP/2.0/TLS sbc.b.example;branch=z9hG4bK1',
  'From: <sip:bob@b.example>;tag=1',
  'To: <sip:alice@a.example>',
  'Call-ID: 1',
  'CSeq: 1 INVITE',
  'P-Asserted-Identity: <sip:bob@b.example>, <sip:eve@evil.example>',
  'P-Charging-Vector: icid-value=x',
  'Privacy: id',
].join('\r\n');

function plan(evidence: Evidence, snapshot: Snapshot, headers = INVITE) {
  const block = scanHeaderBlock(toBytes(`${headers}\r\n`));
  const verdict = judgePeer(evidence, snapshot, NOW);
  const { direction } = evidence;
  const ruri = 'sip:alice@a.example;orig';
  return planMessage({ direction, message: 'request', method: 'INVITE', ruri, block, verdict, snapshot });
}

const UNTOUCHED = { action: 'continue', code: 0, phrase: '', remove: [], append: [], ruri: '' };
const DIRECTIONS = [
  ['in', {}],
  ['out', { direction: 'out', nextHop: 'b.example' }],
] as const;

describe('a peer that proved to be the partner', () => {
  const rows: readonly (readonly [string, Partial<Agreement>, Partial<TlsEvidence>, object])[] = [
    ['would be trusted', {}, {}, { verdict: 'trusted' }],
    ['the stack did not verify it', {}, { verified: false }, { reason: 'stack-unverified' }],
    ['its key is not approved yet', { pinned: true }, {}, { reason: 'pin-mismatch' }],
  ];
  for (const [direction, over] of DIRECTIONS) {
    test.each(rows)(`ok/${direction}: its messages pass as they are: %s`, (_, terms, tls, would) => {
      const snapshot = snapshotWith([monitored(terms)]);
      const evidence = presenting(good, tls, over);
      expect(judgePeer(evidence, snapshot, NOW)).toMatchObject({
        ...{ verdict: 'untrusted', action: 'continue', code: 0, would: { passes: true, ...would } },
      });
      expect(plan(evidence, snapshot)).toMatchObject(UNTOUCHED);
    });
  }
  test('ok/what enforce would have done to the message is kept beside it', () => {
    const { would } = plan(presenting(good, {}, {}), snapshotWith([monitored()]));
    expect(would).toMatchObject({ action: 'continue', append: ['P-Asserted-Identity: <sip:bob@b.example>'] });
    expect(would?.findings.map(({ code }) => code)).toContain('assert-foreign');
  });
  test('ok/nor is a message refused: an identity of ours, a block that reads two ways', () => {
    const snapshot = snapshotWith([monitored()]);
    const spoof = INVITE.replace('sip:bob@b.example>, <sip:eve@evil.example', 'sip:alice@a.example');
    const answer = plan(presenting(good, {}, {}), snapshot, spoof);
    expect(answer).toMatchObject({ ...UNTOUCHED, would: { action: 'reject', code: 403 } });
  });
  test('ok/by its path', () => {
    const nds = ndsSnapshot({});
    const agreements = plainAgreements(
      ...[...nds.agreements].map((each) => ({ ...each, enforcement: 'monitor' as const })),
    );
    const sources = new Map([...nds.sources.keys()].map((name) => [name, { lookup: () => agreements.at(0) }]));
    const verdict = judgePeer(overUdp({}), { ...nds, agreements, sources }, NOW);
    expect(verdict).toMatchObject({ verdict: 'untrusted', would: { verdict: 'trusted', passes: true } });
  });
});

describe('a peer that only claims to be the partner is a stranger', () => {
  const rows: readonly (readonly [string, TlsEvidence['certificate'], Partial<TlsEvidence>, Partial<Agreement>])[] = [
    ['a certificate that it signed itself', self, {}, {}],
    ['the CA of somebody else', elsewhere, { chain: { certificates: [rootX.facts], ignored: [] } }, {}],
    ['a CA that is missing', noIntermediate, {}, {}],
    ['an expired certificate', expired, {}, {}],
    ['a revoked one', good, {}, { revocation: 'soft', crls: [revoking] }],
    ['one of which nothing is known, where hard is asked for', good, {}, { revocation: 'hard' }],
    ['another key than the pinned one', good, {}, { pins: ['x'] }],
    ['another organization', good, {}, { subject: { organization: ['Operator Y'] } }],
    ['no certificate', undefined, {}, {}],
    ['one that cannot be read', { malformed: 'x' }, {}, {}],
    ['another name', otherName, {}, {}],
    ['an old TLS', good, { version: 'TLSv1.0', cipher: 'X' }, {}],
    ['an agreement that ended', good, {}, { valid: { from: 0, until: NOW - 1 } }],
  ];
  for (const [direction, over] of DIRECTIONS) {
    test.each(rows)(`ok/${direction}: as if the agreement were not there: %s`, (_, certificate, tls, terms) => {
      const evidence = presenting(certificate, tls, over);
      const [withIt, without] = [snapshotWith([monitored(terms)]), snapshotWith([])];
      const verdict = judgePeer(evidence, withIt, NOW);
      expect(verdict).toMatchObject({ verdict: 'untrusted', action: 'continue', code: 0, phrase: '' });
      expect(verdict.would?.passes ?? false).toBe(false);
      const { findings: _a, ...treated } = plan(evidence, withIt);
      const { findings: _b, ...stranger } = plan(evidence, without);
      expect(treated).toEqual(stranger);
      expect(treated.remove).toContain('P-Asserted-Identity');
    });
  }
  test('ok/what enforce would have done is said', () => {
    const evidence = presenting(self, {}, { direction: 'out', nextHop: 'b.example' });
    const { would, findings } = judgePeer(evidence, snapshotWith([monitored()]), NOW);
    expect(would).toMatchObject({ verdict: 'reject', action: 'close', code: 503, reason: 'untrusted-chain' });
    expect(findings.find(({ code }) => code === 'monitor-only')?.detail).toBe(
      'agreement op-b, enforcement: monitor: the peer would be reject (untrusted-chain);' +
        ' it did not prove to be this network and is a stranger',
    );
  });
});

describe('the next hop of an agreement that is only monitored', () => {
  const options: HopOptions = { transports: ['tls', 'tcp', 'udp'], families: ['A'], seed: 0, tlsSeen: () => false };
  const answers = { A: new Map(), AAAA: new Map(), NAPTR: new Map(), SRV: new Map() };
  test.each([
    ['its domain', questionOfDomain('b.example')],
    ['one of its targets', questionOfUri('sip:192.0.2.7:5061')],
  ])('ok/%s: found as without the agreement', (_, question) => {
    const found = findHop(question, snapshotWith([monitored()]), NOW, answers, options);
    const without = findHop(question, snapshotWith([]), NOW, answers, options);
    const { status, requireTls, action, code, targets, open, tls } = without;
    expect(found).toMatchObject({ status, requireTls, action, code, targets, open, tls });
  });
  test('fail/enforced it would differ', () => {
    const enforced = snapshotWith([monitored({ enforcement: 'enforce' })]);
    const { targets } = findHop(questionOfDomain('b.example'), enforced, NOW, answers, options);
    expect(targets).toMatchObject([{ transport: 'tls', address: '192.0.2.7' }]);
  });
});
