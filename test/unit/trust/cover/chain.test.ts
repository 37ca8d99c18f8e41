/** What else the peer sent (`tls.chain`): it builds paths, is trusted by nothing, and says what is missing. */

import { describe, expect, test } from 'vitest';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import type { Evidence } from '../../../../src/trust/evidence/evidence.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import type { CertificateFacts } from '../../../../src/x509/certificate/facts.js';
import { ca, crl, DAY, ext, leaf, NOW, root, selfSignedLeaf, sharedKey } from '../../../support/certificates.js';
import { presenting, sent } from '../../../support/evidence.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const publicRoot = root({ subject: 'O=Public CA,CN=Root X1' });
const oldSub = ca(publicRoot, { subject: 'O=Public CA,CN=R10' });
const newSub = ca(publicRoot, { subject: 'O=Public CA,CN=R11' });
const altNames = { altNames: ext.altNames([{ dns: 'b.example' }]) };
const renewed = leaf(newSub, { subject: 'CN=b.example', extensions: altNames, add: [ext.authorityInfo()] });
const strangerRoot = root({ subject: 'O=Evil,CN=Evil Root' });
const strangerSub = ca(strangerRoot, { subject: 'O=Evil,CN=Evil Sub' });
const forged = leaf(strangerSub, { subject: 'CN=b.example', extensions: altNames });

const trustB = (over: Partial<Agreement> = {}) =>
  agreementWith({ anchors: { client: [publicRoot.facts], server: [publicRoot.facts] }, ...over });

function shown(certificate: CertificateFacts, chain: readonly CertificateFacts[], over: Partial<Evidence> = {}) {
  return presenting(certificate, sent(chain), over);
}

const out = { direction: 'out', nextHop: 'b.example' } as const;

function judged(evidence: Evidence, agreements: readonly Agreement[] = [trustB()], at = NOW) {
  const { verdict, findings, checks } = judgePeer(evidence, snapshotWith(agreements), at);
  return { verdict, reason: findings[0]?.code, detail: findings[0]?.detail ?? '', findings, checks };
}

describe('cross-certified partners below one Interconnection CA (TS 33.310 §5.2)', () => {
  const ours = root({ subject: 'O=A,CN=Interconnection CA' });
  const crossed = (domain: string) =>
    ca(ours, {
      subject: `O=${domain},CN=TLS CA`,
      extensions: { constraints: ext.constraints({ permitted: [{ dns: domain }] }) },
    });
  const [crossB, crossC] = [crossed('b.example'), crossed('c.example')];
  const agreements = [
    trustB({
      anchors: { client: [ours.facts], server: [ours.facts] },
      intermediates: [crossB.facts],
    }),
  ];
  const named = (issuer: typeof crossB, name: { readonly uri: string } | { readonly dns: string }) =>
    leaf(issuer, { subject: 'CN=edge', extensions: { altNames: ext.altNames([name]) } });

  test.each([{ uri: 'sip:b.example' }, { dns: 'b.example' }])('fail/one of them vouches for another by %j', (name) => {
    const found = judged(shown(named(crossC, name).facts, [crossC.facts]), agreements);
    expect([found.verdict, found.reason]).toEqual(['untrusted', 'name-constraints']);
  });
  test.each([{ uri: 'sip:b.example' }, { dns: 'b.example' }])('ok/its own CA vouches for it by %j', (name) => {
    expect(judged(shown(named(crossB, name).facts, []), agreements).verdict).toBe('trusted');
  });
});

describe('P-1 a partner under a public CA that rotates its intermediates', () => {
  test.each([
    ['in', {}],
    ['out', out],
  ] as const)('ok/%s: the intermediate that came leads to the root of the agreement', (_, over) => {
    expect(judged(shown(renewed.facts, [newSub.facts], over))).toMatchObject({
      verdict: 'trusted',
      reason: 'agreement-covers',
    });
  });
  test.each([
    ['eku', { extensions: { ...altNames, purposes: ext.purposes(['serverAuth']) } }],
    ['cert-time', { extensions: altNames, notAfter: NOW - DAY }],
    ['weak-key', { extensions: altNames, key: sharedKey('rsa1024') }],
  ] as const)('fail/%s of its own is told before what the proxy has no chain for', (code, spec) => {
    const bad = leaf(newSub, { subject: 'CN=b.example', ...spec });
    const { verdict, findings } = judged(presenting(bad.facts, { verified: false }));
    expect(verdict).toBe('untrusted');
    const told = findings.map((finding) => finding.code);
    expect(told.slice(0, 2)).toEqual([code, 'missing-intermediate']);
  });
  test('ok/the root that came with it changes nothing', () => {
    expect(judged(shown(renewed.facts, [newSub.facts, publicRoot.facts])).verdict).toBe('trusted');
  });
  test('ok/what else came is in the way of nothing', () => {
    expect(judged(shown(renewed.facts, [forged.facts, strangerSub.facts, newSub.facts])).verdict).toBe('trusted');
  });
  test('ok/explain says what came', () => {
    const { checks } = judged(shown(renewed.facts, [newSub.facts]));
    expect(checks.find(({ name }) => name === 'chain')?.compared).toContain('CN=R11');
  });
  test('fail/without it the CA that is missing is named, and where it can be had; no alarm', () => {
    const { verdict, reason, detail } = judged(shown(renewed.facts, []), [trustB({ intermediates: [oldSub.facts] })]);
    expect([verdict, reason]).toEqual(['untrusted', 'missing-intermediate']);
    expect(detail).toMatch(/no certificate of CN=R11,O=Public CA, which issued CN=b\.example, is at hand/);
    expect(detail).toContain('http://ca.example/ca.crt');
    expect(detail).toContain('the proxy handed over no chain');
  });
  test('fail/of what its TLS did not verify the proxy has no chain: that is said, and not that the peer sent none', () => {
    const { detail } = judged(presenting(renewed.facts, { verified: false }));
    expect(detail).toContain('(the proxy handed over no chain: it has none of what its TLS did not verify)');
  });
  test('fail/a root that another agreement names, and an anchor has cross-certified: what is missing is that', () => {
    const second = root({ subject: 'O=Public CA,CN=Second Root' });
    const cross = ca(publicRoot, { subject: 'O=Public CA,CN=Second Root', key: second.key });
    const peer = leaf(second, { subject: 'CN=b.example', extensions: altNames });
    const other = trustB({
      ...{ name: 'op-c', domains: ['c.example'], intermediates: [cross.facts] },
      anchors: { client: [second.facts], server: [second.facts] },
    });
    const { reason, detail } = judged(shown(peer.facts, [second.facts]), [trustB(), other]);
    expect(reason).toBe('missing-intermediate');
    expect(detail).toContain(
      'the certificate leads to CN=Second Root,O=Public CA, which stands in agreement op-c, and what an anchor of this one has signed for it is not at hand',
    );
  });
  test('fail/a root that a TLS stack stops at may have been cross-certified: where that certificate belongs is said', () => {
    const second = root({ subject: 'O=Public CA,CN=Second Root' });
    const peer = leaf(second, { subject: 'CN=b.example', extensions: altNames });
    const { reason, detail } = judged(shown(peer.facts, [second.facts]));
    expect(reason).toBe('anchor-mismatch');
    expect(detail).toMatch(
      /which is none of them; if one of these anchors has signed a certificate for this root, put that under intermediates$/,
    );
  });
  test('fail/a chain that lacks the one in the middle', () => {
    const middle = ca(publicRoot, { subject: 'O=Public CA,CN=Middle' });
    const low = ca(middle, { subject: 'O=Public CA,CN=Low' });
    const peer = leaf(low, { subject: 'CN=b.example', extensions: altNames });
    const { reason, detail } = judged(shown(peer.facts, [low.facts]));
    expect(reason).toBe('missing-intermediate');
    expect(detail).toContain('no certificate of CN=Middle,O=Public CA, which issued CN=Low,O=Public CA, is at hand');
    expect(detail).toContain('does not say where');
    expect(judged(shown(peer.facts, [low.facts, middle.facts])).verdict).toBe('trusted');
  });
  test('fail/nor is it an alarm where another partner under the same root names what is missing', () => {
    const below = ca(newSub, { subject: 'O=Public CA,CN=R11 below' });
    const peer = leaf(below, { subject: 'CN=b.example', extensions: altNames });
    const other = trustB({ name: 'op-c', domains: ['c.example'], intermediates: [below.facts, newSub.facts] });
    const { reason, detail, findings } = judged(shown(peer.facts, []), [trustB(), other]);
    expect(reason).toBe('missing-intermediate');
    expect(detail).toContain('no certificate of CN=R11 below,O=Public CA, which issued CN=b.example, is at hand');
    expect(detail).toContain('it stands in agreement op-c');
    expect(findings.map(({ code }) => code)).not.toContain('anchor-name');
  });
});

describe('a chain is trusted by nothing', () => {
  test('fail/a whole chain to a root of its own: an alarm', () => {
    const { verdict, reason, detail } = judged(shown(forged.facts, [strangerSub.facts, strangerRoot.facts]));
    expect([verdict, reason]).toEqual(['untrusted', 'anchor-mismatch']);
    expect(detail).toContain('the self-signed CN=Evil Root,O=Evil, which is none of them');
  });
  test('fail/without its root the same chain is incomplete: what is missing may be anybody', () => {
    expect(judged(shown(forged.facts, [strangerSub.facts])).reason).toBe('missing-intermediate');
  });
  test('fail/a chain that ends at the CA of another agreement: an alarm, root or no root', () => {
    const other = agreementWith({
      name: 'op-e',
      domains: ['e.example'],
      anchors: { client: [strangerRoot.facts], server: [] },
    });
    const { reason, findings } = judged(shown(forged.facts, [strangerSub.facts]), [trustB(), other]);
    expect(reason).toBe('anchor-mismatch');
    expect(findings.find(({ code }) => code === 'anchor-name')?.detail).toContain('agreement op-e');
  });
  test('fail/so it is where more bear the name of the CA above that one than can be looked at', () => {
    const twins = [1, 2, 3, 4].map((at) => root({ subject: 'O=Evil,CN=Evil Root', key: sharedKey('p521', `${at}`) }));
    const client = [strangerSub, ...twins].map(({ facts }) => facts);
    const other = agreementWith({ name: 'op-e', domains: ['e.example'], anchors: { client, server: [] } });
    expect(judged(shown(forged.facts, []), [trustB(), other]).reason).toBe('anchor-mismatch');
  });
  test('fail/the name of an anchor with another key', () => {
    const twin = root({ subject: 'O=Public CA,CN=Root X1' });
    const below = ca(twin, { subject: 'O=Public CA,CN=R11' });
    const fake = leaf(below, { subject: 'CN=b.example', extensions: altNames });
    expect(judged(shown(fake.facts, [below.facts, twin.facts])).verdict).toBe('untrusted');
  });
  test('fail/a self-signed leaf that comes again in its chain', () => {
    const self = selfSignedLeaf({ subject: 'CN=b.example', extensions: altNames }).facts;
    expect(judged(shown(self, [self])).verdict).toBe('untrusted');
  });
  test('fail/an intermediate of the chain that is revoked', () => {
    const list = crl(publicRoot, { revoked: [{ serial: newSub.facts.serialOctets }] }).facts;
    const agreement = trustB({ revocation: 'soft', crls: [list] });
    expect(judged(shown(renewed.facts, [newSub.facts]), [agreement]).reason).toBe('revoked');
  });
  test('fail/hard: an intermediate of the chain of which nothing is known', () => {
    const list = crl(newSub).facts;
    const agreement = trustB({ revocation: 'hard', crls: [list] });
    expect(judged(shown(renewed.facts, [newSub.facts]), [agreement]).reason).toBe('rev-unknown');
    const both = trustB({ revocation: 'hard', crls: [list, crl(publicRoot).facts] });
    expect(judged(shown(renewed.facts, [newSub.facts]), [both]).verdict).toBe('trusted');
  });
});

describe('P-2 anchors are counted for the role that the peer plays', () => {
  test.each([
    ['in', {}, 'accepts one anchor for a TLS client'],
    ['out', out, 'accepts 2 anchors for a TLS server'],
  ] as const)('fail/%s', (_, over, text) => {
    const server = [publicRoot.facts, root({ subject: 'CN=Another' }).facts];
    const agreement = trustB({ anchors: { client: [publicRoot.facts], server } });
    const { detail } = judged(shown(forged.facts, [strangerSub.facts, strangerRoot.facts], over), [agreement]);
    expect(detail).toContain(text);
  });
});

describe('the first line says which list did not count, and why', () => {
  test('fail/a list that ran out', () => {
    const old = crl(publicRoot, { thisUpdate: NOW - 9e9, nextUpdate: NOW - 1e9 }).facts;
    const peer = leaf(publicRoot, { subject: 'CN=b.example', extensions: altNames }).facts;
    const { reason, detail } = judged(shown(peer, []), [trustB({ revocation: 'hard', crls: [old] })]);
    expect(reason).toBe('rev-unknown');
    expect(detail).toMatch(/no usable CRL of CN=Root X1,O=Public CA: .*\d{4}-\d\d-\d\d/);
  });
});
