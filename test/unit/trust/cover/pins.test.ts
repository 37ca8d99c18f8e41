import { describe, expect, test } from 'vitest';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import type { Evidence } from '../../../../src/trust/evidence/evidence.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import type { CertificateFacts } from '../../../../src/x509/certificate/facts.js';
import { DAY, ext, leaf, NOW, root, selfSignedLeaf } from '../../../support/certificates.js';
import { presenting } from '../../../support/evidence.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const rootB = root({ subject: 'O=Operator B,CN=B CA' });
const other = root({ subject: 'O=Other,CN=Other CA' });
const altNames = (...names: string[]) => ({ extensions: { altNames: ext.altNames(names.map((dns) => ({ dns }))) } });
const peer = leaf(rootB, altNames('b.example')).facts;
const next = leaf(rootB, altNames('b.example')).facts;
const pin = (facts: CertificateFacts) => `sha256/${facts.spkiSha256}`;

const trust = (over: Partial<Agreement> = {}) =>
  agreementWith({ anchors: { client: [rootB.facts], server: [rootB.facts] }, ...over });
const trustC = (over: Partial<Agreement> = {}) => trust({ name: 'op-c', domains: ['c.example'], ...over });

interface Case {
  readonly leaf?: CertificateFacts;
  readonly verified?: boolean;
  readonly agreements?: readonly Agreement[];
  /** Keys approved, by agreement. */
  readonly approved?: Readonly<Record<string, readonly string[]>>;
  readonly over?: Partial<Evidence>;
}

function judged({ leaf: certificate = peer, verified = true, agreements = [trust()], approved = {}, over = {} }: Case) {
  const evidence = presenting(certificate, { verified }, over);
  const pins = new Map(Object.entries(approved).map(([name, keys]) => [name, new Set(keys)]));
  return judgePeer(evidence, snapshotWith(agreements), NOW, { approved: pins });
}

const said = (row: Case) => {
  const { verdict, assurance, findings, observes = [] } = judged(row);
  return { verdict, assurance, reason: findings[0]?.code, observes };
};

const trusted = { verdict: 'trusted', reason: 'agreement-covers' };
const certificate = { ...trusted, assurance: 'tls-certificate' };
const pinned = { ...trusted, assurance: 'tls-pinned' };
const mismatch = { verdict: 'untrusted', assurance: 'none', reason: 'pin-mismatch' };
const expired = leaf(rootB, { ...altNames('b.example'), notBefore: NOW - 9 * DAY, notAfter: NOW - DAY }).facts;
const both = leaf(rootB, altNames('b.example', 'c.example')).facts;
const selfSigned = selfSignedLeaf({ subject: 'CN=b.example', ...altNames('b.example') }).facts;
const markedAsCa = selfSignedLeaf({
  subject: 'CN=b.example',
  extensions: {
    ...altNames('b.example').extensions,
    ...{ basicConstraints: ext.basicConstraints(true), keyUsage: undefined, purposes: undefined },
  },
}).facts;
const leafPinned = { pinned: true, pinLeaf: true, stackVerification: 'advisory' } as const;

describe('pins: what is trusted, and which certificates may be put before the operator', () => {
  const cases: Readonly<Record<string, [Case, object]>> = {
    'ok/without pins, a trusted certificate is observed': [{}, { ...certificate, observes: ['op-b'] }],
    'ok/an approved key says so in the assurance': [
      { approved: { 'op-b': [peer.spkiSha256] } },
      { ...pinned, observes: ['op-b'] },
    ],
    'ok/pinned, and the key is approved': [
      { agreements: [trust({ pinned: true })], approved: { 'op-b': [peer.spkiSha256] } },
      { ...pinned, observes: ['op-b'] },
    ],
    'ok/pinned, and the key stands in pins': [
      { agreements: [trust({ pinned: true, pins: [peer.spkiSha256] })] },
      { ...pinned, observes: ['op-b'] },
    ],
    'fail/pinned, and nothing is approved': [
      { agreements: [trust({ pinned: true })] },
      { ...mismatch, observes: ['op-b'] },
    ],
    'fail/pinned, and another key is approved': [
      { agreements: [trust({ pinned: true })], approved: { 'op-b': [next.spkiSha256] } },
      { ...mismatch, observes: ['op-b'] },
    ],
    'fail/pinned, and the key is approved for another agreement': [
      { agreements: [trust({ pinned: true }), trustC()], approved: { 'op-c': [peer.spkiSha256] } },
      { ...mismatch, observes: ['op-b'] },
    ],
    'fail/pinned, outbound: what goes there is stripped': [
      { agreements: [trust({ pinned: true })], over: { direction: 'out', nextHop: 'b.example' } },
      { ...mismatch, observes: ['op-b'] },
    ],
    'fail/pinned, outbound, require_tls: nothing goes there': [
      { agreements: [trust({ pinned: true, requireTls: true })], over: { direction: 'out', nextHop: 'b.example' } },
      { ...mismatch, verdict: 'reject', observes: ['op-b'] },
    ],
    'fail/pins alone are the whole list: an approval adds nothing to it': [
      { agreements: [trust({ pins: [next.spkiSha256] })], approved: { 'op-b': [peer.spkiSha256] } },
      { ...mismatch, observes: [] },
    ],
    'fail/an approved key does not make up for an expired certificate': [
      { leaf: expired, agreements: [trust({ pinned: true })], approved: { 'op-b': [expired.spkiSha256] } },
      { verdict: 'untrusted', assurance: 'none', reason: 'cert-time', observes: [] },
    ],
    'fail/an expired certificate is not put before the operator': [
      { leaf: expired, agreements: [trust({ pinned: true })] },
      { verdict: 'untrusted', assurance: 'none', reason: 'cert-time', observes: [] },
    ],
    'fail/T-14 nor is a stranger that names the partner': [
      { leaf: leaf(other, altNames('b.example')).facts, agreements: [trust({ pinned: true })] },
      { verdict: 'untrusted', assurance: 'none', reason: 'missing-intermediate', observes: [] },
    ],
    'fail/nor is one that the stack refused': [
      { verified: false, agreements: [trust({ pinned: true })] },
      { verdict: 'untrusted', assurance: 'none', reason: 'pin-mismatch', observes: [] },
    ],
    'fail/nor is one that no agreement names': [
      { leaf: leaf(rootB, altNames('x.example')).facts },
      { verdict: 'untrusted', assurance: 'none', reason: 'not-listed', observes: [] },
    ],
    'fail/T-17 a self-signed certificate is not its own anchor by an approval': [
      { leaf: selfSigned, agreements: [trust(leafPinned)], approved: { 'op-b': [selfSigned.spkiSha256] } },
      { verdict: 'untrusted', assurance: 'none', reason: 'untrusted-chain', observes: [] },
    ],
    'ok/T-17 but by a pin of the policy': [
      { leaf: selfSigned, agreements: [trust({ ...leafPinned, pins: [selfSigned.spkiSha256] })] },
      { ...pinned, observes: ['op-b'] },
    ],
    'ok/a pinned one that is marked as a CA, as openssl req -x509 makes it': [
      { leaf: markedAsCa, agreements: [trust({ ...leafPinned, pins: [markedAsCa.spkiSha256] })] },
      { ...pinned, observes: ['op-b'] },
    ],
    'fail/a CA that is no anchor of the agreement and not pinned as a leaf': [
      { leaf: markedAsCa, agreements: [trust({ stackVerification: 'advisory' })] },
      { verdict: 'untrusted', assurance: 'none', reason: 'untrusted-chain', observes: [] },
    ],
    'fail/a monitored agreement observes, and trusts as little as before': [
      { agreements: [trust({ enforcement: 'monitor' })] },
      { verdict: 'untrusted', assurance: 'none', reason: 'monitor-only', observes: ['op-b'] },
    ],
    'ok/T-44 two agreements, both hold': [
      { leaf: both, agreements: [trust(), trustC()] },
      { ...certificate, reason: 'agreement-covers', observes: ['op-b', 'op-c'] },
    ],
    'ok/T-44 two agreements, the key is approved for one: the weaker assurance counts': [
      { leaf: both, agreements: [trust(), trustC()], approved: { 'op-b': [both.spkiSha256] } },
      { ...certificate, observes: ['op-b', 'op-c'] },
    ],
    'fail/T-44 two agreements, one waits for an approval: both observe': [
      { leaf: both, agreements: [trust(), trustC({ pinned: true })] },
      { verdict: 'untrusted', assurance: 'none', reason: 'pin-mismatch', observes: ['op-b', 'op-c'] },
    ],
    'fail/T-44 two agreements, one does not hold: neither observes': [
      { leaf: both, agreements: [trust(), trustC({ pins: ['other'] })] },
      { verdict: 'untrusted', assurance: 'none', reason: 'pin-mismatch', observes: [] },
    ],
    'ok/T-44 two agreements, one is switched off: the other alone observes': [
      { leaf: both, agreements: [trust(), trustC({ enabled: false })] },
      { ...certificate, reason: 'agreement-covers', observes: ['op-b'] },
    ],
  };
  for (const [name, [row, expected]] of Object.entries(cases)) {
    test(name, () => expect(said(row)).toEqual(expected));
  }

  test('ok/the detail says how to approve, and only where that would be enough', () => {
    const held = judged({ agreements: [trust({ pinned: true })] });
    expect(held.findings[0]?.detail).toBe(
      `agreement op-b, pinned: expected a pin of the policy (none at all) or an approved one (none at all), found ${pin(peer)}` +
        `; to approve it: siptrustctl pin approve op-b ${pin(peer)}`,
    );
    const refused = judged({ verified: false, agreements: [trust({ pinned: true, pins: [next.spkiSha256] })] });
    expect(refused.findings.map(({ code }) => code)).toEqual(['pin-mismatch', 'stack-unverified']);
    expect(refused.findings[0]?.detail).toBe(
      `agreement op-b, pinned: expected a pin of the policy (${pin(next)}) or an approved one (none at all), found ${pin(peer)}`,
    );
  });

  test('fail/with stack_verification: advisory, that the stack did not verify it is no reason', () => {
    const refused = judged({
      ...{ leaf: expired, verified: false },
      agreements: [trust({ stackVerification: 'advisory' })],
    });
    expect(refused.findings.map(({ code }) => code)).toEqual(['cert-time']);
  });

  test('fail/words about a certificate hold no key (assurance tls-attributes)', () => {
    const attributes = { subject: '/CN=b.example', issuer: '/O=Operator B/CN=B CA', san: 'b.example' };
    const judge = (over: Partial<Agreement>) =>
      judgePeer(
        presenting(undefined, { verified: true, attributes }),
        snapshotWith([trust({ issuer: { organization: ['Operator B'] }, ...over })]),
        NOW,
      );
    expect(judge({})).toMatchObject({ verdict: 'trusted', assurance: 'tls-attributes' });
    expect(judge({}).observes).toBeUndefined();
    expect(judge({ pinned: true })).toMatchObject({ verdict: 'untrusted', findings: [{ code: 'no-cert-facts' }] });
  });
});
