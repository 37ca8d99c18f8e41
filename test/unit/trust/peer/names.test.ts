/** Names that a partner's certificates may bear besides its domains, and what a name that does not match comes to. */

import { describe, expect, test } from 'vitest';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import type { Evidence, TlsEvidence } from '../../../../src/trust/evidence/evidence.js';
import { questionOfDomain } from '../../../../src/trust/evidence/hop-question.js';
import { findHop } from '../../../../src/trust/hop/hop.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import {
  crl,
  ext,
  type Issued,
  leaf,
  type NameValue,
  NOW,
  root,
  selfSignedLeaf,
} from '../../../support/certificates.js';
import { presenting } from '../../../support/evidence.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const rootB = root({ subject: 'O=Operator B,CN=B CA' });
const rootX = root({ subject: 'O=Operator X,CN=X CA' });
const named = (list: NameValue[], signer: Issued = rootB, subject = 'CN=peer') =>
  leaf(signer, { subject, extensions: { altNames: ext.altNames(list) } }).facts;
const dns = (...list: string[]) => named(list.map((name) => ({ dns: name })));

const trustB = (over: Partial<Agreement> = {}) =>
  agreementWith({ anchors: { client: [rootB.facts], server: [rootB.facts] }, ...over });
const NO_ANSWERS = { A: new Map(), AAAA: new Map(), NAPTR: new Map(), SRV: new Map() };
const HOSTED = trustB({ domains: ['x.example'], wildcardNames: ['pstn.x.example'] });

interface Row {
  readonly certificate: TlsEvidence['certificate'];
  readonly agreements?: readonly Agreement[];
  /** Towards this next hop; in, where there is none. */
  readonly to?: string;
  readonly tls?: Partial<TlsEvidence>;
}

function judged({ certificate, agreements = [trustB()], to, tls = {} }: Row) {
  const over: Partial<Evidence> = to === undefined ? {} : { direction: 'out', nextHop: to };
  const evidence = presenting(certificate, tls, over);
  const { verdict, action, code, findings, domains, agreement } = judgePeer(evidence, snapshotWith(agreements), NOW);
  const { code: reason, detail } = findings[0] ?? { code: '', detail: '' };
  const codes = findings.map((finding) => finding.code);
  return { verdict, action, code, reason, detail, codes, domains, agreement: agreement?.name };
}

describe('server_names (P-3): in place of the domain, for next hops alone', () => {
  const agreement = trustB({ serverNames: ['edge-1.b.example', 'sbc.provider.example'] });
  test.each(['edge-1.b.example', 'sbc.provider.example'])('ok/out: %s stands for the domain', (name) => {
    expect(judged({ certificate: dns(name), agreements: [agreement], to: 'b.example' })).toMatchObject({
      ...{ verdict: 'trusted', reason: 'agreement-covers', domains: ['b.example'] },
    });
  });
  test('ok/out: one machine for two networks, each by its own next hop', () => {
    const other = trustB({ name: 'op-c', domains: ['c.example'], serverNames: ['sbc.provider.example'] });
    const certificate = dns('sbc.provider.example');
    for (const to of ['b.example', 'c.example']) {
      const { verdict, domains } = judged({ certificate, agreements: [agreement, other], to });
      expect([verdict, domains]).toEqual(['trusted', [to]]);
    }
  });
  test('fail/out: under the anchors of somebody else', () => {
    const certificate = named([{ dns: 'edge-1.b.example' }], rootX);
    expect(judged({ certificate, agreements: [agreement], to: 'b.example' }).verdict).toBe('untrusted');
  });
  test('fail/out: for the next hop of another agreement', () => {
    const other = trustB({ name: 'op-c', domains: ['c.example'] });
    const row = { certificate: dns('edge-1.b.example'), agreements: [agreement, other], to: 'c.example' };
    expect(judged(row)).toMatchObject({ verdict: 'untrusted', reason: 'name-mismatch', agreement: 'op-c' });
  });
  test('fail/out: a name below one of them', () => {
    const row = { certificate: dns('x.edge-1.b.example'), agreements: [agreement], to: 'b.example' };
    expect(judged(row)).toMatchObject({ reason: 'name-mismatch' });
  });
  test('fail/in: nobody is known by them, and the answer says what to do', () => {
    const { verdict, reason, detail } = judged({ certificate: dns('edge-1.b.example'), agreements: [agreement] });
    expect([verdict, reason]).toEqual(['untrusted', 'not-listed']);
    expect(detail).toContain('server_names of agreement op-b count for next hops alone');
  });
});

describe('wildcard_names (P-6): one label in front of a suffix', () => {
  const wild = dns('*.pstn.x.example');
  test('ok/in: a wildcard name', () => {
    expect(judged({ certificate: wild, agreements: [HOSTED] })).toMatchObject({
      ...{ verdict: 'trusted', domains: ['*.pstn.x.example'], codes: ['agreement-covers', 'wildcard', 'wildcard'] },
    });
  });
  test('ok/in: a machine by its own name', () => {
    expect(judged({ certificate: dns('sbc7.pstn.x.example'), agreements: [HOSTED] })).toMatchObject({
      ...{ verdict: 'trusted', domains: ['sbc7.pstn.x.example'] },
    });
  });
  test.each([
    ['the domain of the agreement', 'x.example'],
    ['one label in front of the suffix', 'acme.pstn.x.example'],
  ])('ok/out to %s', (_, to) => {
    expect(judged({ certificate: wild, agreements: [HOSTED], to })).toMatchObject({
      verdict: 'trusted',
      domains: [to],
    });
  });
  test('ok/exact and wildcard in one certificate (as of hosted telephony)', () => {
    const certificate = dns('sip.x.example', '*.x.example');
    const exact = trustB({ domains: ['sip.x.example'] });
    expect(judged({ certificate, agreements: [exact] }).domains).toEqual(['sip.x.example']);
    expect(judged({ certificate, agreements: [exact], to: 'sip.x.example' }).verdict).toBe('trusted');
  });
  test.each([
    ['no agreement accepts it', wild, trustB({ domains: ['x.example'] })],
    ['two labels', dns('a.b.pstn.x.example'), HOSTED],
    ['the suffix itself', dns('pstn.x.example'), HOSTED],
    ['a wildcard one label deeper', dns('*.a.pstn.x.example'), HOSTED],
    ['a wildcard one label higher', dns('*.x.example'), HOSTED],
    ['a wildcard that is a part of a label', dns('sbc*.pstn.x.example'), HOSTED],
    ['two wildcards', dns('*.*.pstn.x.example'), HOSTED],
    ['a wildcard in a URI', named([{ uri: 'sip:*.pstn.x.example' }]), HOSTED],
    ['a URI name beside it (RFC 5922 §7.1)', named([{ uri: 'sip:z.example' }, { dns: '*.pstn.x.example' }]), HOSTED],
    ['the anchors of somebody else', named([{ dns: '*.pstn.x.example' }], rootX), HOSTED],
  ])('fail/%s', (_, certificate, agreement) => {
    expect(judged({ certificate, agreements: [agreement] }).verdict).toBe('untrusted');
    expect(judged({ certificate, agreements: [agreement], to: 'x.example' }).verdict).toBe('untrusted');
  });
  test('fail/the reason says which setting there is', () => {
    const { reason, detail } = judged({ certificate: wild });
    expect(reason).toBe('wildcard');
    expect(detail).toContain('wildcard_names');
  });
  test.each([true, false])('fail/a wildcard in the common name: no setting helps (cn_fallback: %s)', (cnFallback) => {
    const certificate = leaf(rootB, { subject: 'CN=*.pstn.x.example', extensions: { altNames: undefined } }).facts;
    const { reason, detail } = judged({ certificate, agreements: [{ ...HOSTED, cnFallback }] });
    expect(reason).toBe('wildcard');
    expect(detail).toContain('the partner needs a subjectAltName');
    expect(detail).not.toContain('cn_fallback');
  });
  test('fail/a common name of a type that counts under no setting: the type is told, and not the setting', () => {
    const { facts } = leaf(rootB, { subject: 'CN=b.example', extensions: { altNames: undefined } });
    const certificate = { ...facts, subject: facts.subject.map((part) => ({ ...part, tag: 30 })) };
    const { reason, detail } = judged({
      certificate,
      agreements: [{ ...HOSTED, domains: ['b.example'], cnFallback: true }],
    });
    expect(reason).toBe('no-sip-id');
    expect(detail).toBe('common name "b.example": expected PrintableString or UTF8String, found BMPString');
  });
  test('ok/hop.resolve: a name under the suffix is this network', () => {
    const snapshot = snapshotWith([{ ...HOSTED, requireTls: true }]);
    const options = { transports: ['tls'], families: ['A'], seed: 0, tlsSeen: () => false } as const;
    const ask = (name: string) => findHop(questionOfDomain(name), snapshot, NOW, NO_ANSWERS, options).agreement?.name;
    expect([ask('acme.pstn.x.example'), ask('a.b.pstn.x.example')]).toEqual(['op-b', undefined]);
  });
});

describe('targets and several domains (P-5): any domain of the agreement will do', () => {
  const domains = ['b1.example', 'b2.example'];
  const agreement = trustB({ domains, targets: [{ address: '192.0.2.7', port: 5061 }] });
  test.each(['sip:192.0.2.7:5061', 'b1.example', 'b2.example'])('ok/to %s', (to) => {
    const row = { certificate: dns('b2.example'), agreements: [agreement], to };
    expect(judged(row)).toMatchObject({ verdict: 'trusted', domains: ['b2.example'] });
  });
  test('fail/where DNS chose the machine it must be the domain that was asked for', () => {
    const row = { certificate: dns('b2.example'), agreements: [trustB({ domains })], to: 'b1.example' };
    expect(judged(row)).toMatchObject({ verdict: 'untrusted', reason: 'name-mismatch' });
  });
});

describe('P-3 what a mismatch comes to', () => {
  const self = selfSignedLeaf({
    subject: 'CN=b.example',
    extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) },
  });
  const revoked = dns('b.example');
  const list = crl(rootB, { revoked: [{ serial: revoked.serialOctets }] }).facts;
  const elsewhere = named([{ dns: 'b.example' }], rootX);
  const chain = { chain: { certificates: [rootX.facts], ignored: [] } };
  const expired = leaf(rootB, { extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) }, notAfter: NOW - 1e9 });

  test.each([
    ['another name', { certificate: dns('evil.example') }],
    ['no name', { certificate: named([{ email: 'a@b.example' }]) }],
    ['a wildcard', { certificate: dns('*.nobody.example') }],
    ['a certificate that cannot be read', { certificate: { malformed: 'no DER' } }],
    ['no certificate', { certificate: undefined }],
    ['a certificate that the stack refused', { certificate: dns('evil.example'), tls: { verified: false } }],
    ['an old TLS', { certificate: dns('evil.example'), tls: { version: 'TLSv1.0', cipher: 'X' } }],
    ['words', { certificate: undefined, tls: { attributes: { san: 'x.example' } } }],
  ])('ok/a domain that no agreement names asks nothing of anybody: %s', (_, row) => {
    expect(judged({ ...row, to: 'stranger.example' })).toMatchObject({
      ...{ verdict: 'untrusted', action: 'continue', code: 0, reason: 'not-listed', codes: ['not-listed'] },
    });
  });

  const mild: readonly (readonly [string, Row, string])[] = [
    ['another name', { certificate: dns('edge-1.b.example') }, 'name-mismatch'],
    ['no certificate', { certificate: undefined, tls: { verified: false } }, 'no-client-cert'],
    ['a certificate that cannot be read', { certificate: { malformed: 'no DER' } }, 'malformed-cert'],
    ['an old TLS', { certificate: dns('b.example'), tls: { version: 'TLSv1.0', cipher: 'X' } }, 'tls-profile'],
    [
      'a certificate that the stack refused',
      { certificate: dns('b.example'), tls: { verified: false } },
      'stack-unverified',
    ],
    ['a CA that nobody has', { certificate: elsewhere }, 'missing-intermediate'],
    ['an expired certificate', { certificate: expired.facts }, 'cert-time'],
  ];
  test.each(mild)('ok/a partner, %s: stripped, and goes on', (_, row, reason) => {
    const answer = judged({ ...row, to: 'b.example' });
    expect(answer).toMatchObject({ verdict: 'untrusted', action: 'continue', code: 0, reason, agreement: 'op-b' });
  });
  test.each(mild)('fail/require_tls, %s: closed', (_, row, reason) => {
    const answer = judged({ ...row, agreements: [trustB({ requireTls: true })], to: 'b.example' });
    expect(answer).toMatchObject({ verdict: 'reject', action: 'close', code: 503, reason });
  });
  test('ok/the text of a mismatch says which setting there is', () => {
    const { detail } = judged({ certificate: dns('edge-1.b.example'), to: 'b.example' });
    expect(detail).toContain('server_names of agreement op-b');
  });

  test.each([
    ['the CA of somebody else', { certificate: elsewhere, tls: chain }, 'anchor-mismatch'],
    ['self-signed', { certificate: self.facts }, 'untrusted-chain'],
    ['revoked', { certificate: revoked, agreements: [trustB({ revocation: 'soft', crls: [list] })] }, 'revoked'],
  ] as const)("fail/a partner's name in a certificate that is somebody else's, %s: closed", (_, row, reason) => {
    expect(judged({ ...row, to: 'b.example' })).toMatchObject({ verdict: 'reject', action: 'close', reason });
  });
  test.each([
    ['switched off', { enabled: false }, 'agreement-disabled'],
    ['ended', { valid: { from: 0, until: NOW - 1 } }, 'agreement-time'],
    ['for the other direction', { directions: ['in'] }, 'agreement-direction'],
  ] as const)('ok/an agreement that is %s asks nothing, not even with require_tls', (_, over, reason) => {
    const agreements = [trustB({ requireTls: true, ...over })];
    expect(judged({ certificate: elsewhere, tls: chain, agreements, to: 'b.example' })).toMatchObject({
      ...{ verdict: 'untrusted', action: 'continue', reason },
    });
  });
});
