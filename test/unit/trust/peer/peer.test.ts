import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import type { Snapshot } from '../../../../src/trust/agreement/snapshot.js';
import type { Evidence } from '../../../../src/trust/evidence/evidence.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import type { CertificateFacts } from '../../../../src/x509/certificate/facts.js';
import { sipIdentities } from '../../../../src/x509/identity/identity.js';
import {
  ca,
  DAY,
  ext,
  leaf,
  makeKey,
  type NameValue,
  NOW,
  root,
  selfSignedLeaf,
} from '../../../support/certificates.js';
import { evidenceWith, presenting, sent, tlsWith } from '../../../support/evidence.js';
import { ndsSnapshot } from '../../../support/nds.js';
import { runs } from '../../../support/runs.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const rootB = root({ subject: 'O=Operator B,CN=B CA' });
const subB = ca(rootB, { subject: 'O=Operator B,CN=B Sub CA' });
const rootC = root({ subject: 'O=Operator C,CN=C CA' });

const names = (...list: NameValue[]) => ({ extensions: { altNames: ext.altNames(list) } });
const peerB = leaf(rootB, { subject: 'O=Operator B,CN=b.example', ...names({ dns: 'b.example' }) });

const trustB = (over: Partial<Agreement> = {}) =>
  agreementWith({ anchors: { client: [rootB.facts], server: [rootB.facts] }, ...over });
const trustC = (over: Partial<Agreement> = {}) =>
  agreementWith({
    name: 'op-c',
    domains: ['c.example'],
    anchors: { client: [rootC.facts], server: [rootC.facts] },
    asserts: { domains: ['c.example'], numbers: 'any', transit: false },
    ...over,
  });

/** The peer sent the root of another CA with its certificate. */
const sentChain = sent([rootC.facts]);
const out = (nextHop: string | undefined): Partial<Evidence> => ({ direction: 'out', nextHop });

interface Row {
  readonly evidence: Evidence;
  readonly agreements?: readonly Agreement[];
  readonly at?: number;
  readonly verdict?: 'untrusted' | 'reject';
  readonly reason: string;
  readonly assurance?: string;
  readonly snapshot?: Partial<Snapshot>;
}

function judged({ evidence, agreements = [trustB()], at = NOW, snapshot = {} }: Omit<Row, 'reason'>) {
  return judgePeer(evidence, snapshotWith(agreements, snapshot), at);
}

const withNames = (...list: NameValue[]) => leaf(rootB, names(...list)).facts;
const withPurposes = (...purposes: string[]) =>
  leaf(rootB, { extensions: { altNames: ext.altNames([{ dns: 'b.example' }]), purposes: ext.purposes(purposes) } })
    .facts;
const onlyCn = leaf(rootB, { subject: 'O=Operator B,CN=b.example', extensions: { altNames: undefined } }).facts;
const selfSigned = selfSignedLeaf({ subject: 'CN=b.example', ...names({ dns: 'b.example' }) }).facts;
const expired = leaf(rootB, { ...names({ dns: 'b.example' }), notBefore: NOW - 60 * DAY, notAfter: NOW - DAY }).facts;
const early = leaf(rootB, { ...names({ dns: 'b.example' }), notBefore: NOW + DAY }).facts;
const weak = leaf(rootB, { ...names({ dns: 'b.example' }), signature: 'sha1' }).facts;

describe('a peer is trusted', () => {
  const rows: Readonly<Record<string, Row>> = {
    'a listed name under the anchor of its agreement': {
      evidence: presenting(peerB.facts),
      reason: 'agreement-covers',
    },
    'by way of an intermediate that the agreement names': {
      evidence: presenting(leaf(subB, names({ dns: 'b.example' })).facts),
      agreements: [trustB({ intermediates: [subB.facts] })],
      reason: 'agreement-covers',
    },
    'T-29 URI SAN in capitals, with port and parameter': {
      evidence: presenting(withNames({ uri: 'SIP:B.EXAMPLE:5061;transport=tls' })),
      reason: 'agreement-covers',
    },
    'T-31 common name where the agreement accepts it': {
      evidence: presenting(onlyCn),
      agreements: [trustB({ cnFallback: true })],
      reason: 'agreement-covers',
    },
    'T-18 expired within the tolerance': {
      evidence: presenting(expired),
      at: NOW - DAY + 200_000,
      reason: 'agreement-covers',
    },
    'in the first and last millisecond of its agreement': {
      evidence: presenting(peerB.facts),
      agreements: [trustB({ valid: { from: NOW, until: NOW } })],
      reason: 'agreement-covers',
    },
    'T-40 sipDomain with rfc5924': {
      evidence: presenting(withPurposes('sipDomain')),
      agreements: [trustB({ eku: 'rfc5924' })],
      reason: 'agreement-covers',
    },
    'T-17 self-signed, pinned, by advisory stack verification': {
      evidence: presenting(selfSigned, { verified: false }),
      agreements: [trustB({ pins: [selfSigned.spkiSha256], pinLeaf: true, stackVerification: 'advisory' })],
      reason: 'agreement-covers',
      assurance: 'tls-pinned',
    },
    'unverified by the stack, where the agreement lets siptrust decide': {
      evidence: presenting(peerB.facts, { verified: false }),
      agreements: [trustB({ stackVerification: 'advisory' })],
      reason: 'agreement-covers',
    },
    'subject and issuer as the agreement asks': {
      evidence: presenting(peerB.facts),
      agreements: [trustB({ subject: { organization: ['Operator B'] }, issuer: { commonName: ['B CA'] } })],
      reason: 'agreement-covers',
    },
    'outbound, the next hop is its identity': {
      evidence: presenting(peerB.facts, {}, out('b.example')),
      reason: 'agreement-covers',
    },
    'outbound, the next hop as a URI with a trailing dot': {
      evidence: presenting(peerB.facts, {}, out('B.Example.')),
      reason: 'agreement-covers',
    },
    'O-6 outbound to an address that the agreement names as its target': {
      evidence: presenting(peerB.facts, {}, out('sip:192.0.2.7:5071;transport=tls')),
      agreements: [trustB({ targets: [{ address: '192.0.2.7', port: 5071 }] })],
      reason: 'agreement-covers',
    },
    'O-6 outbound to such an IPv6 address, at the port of TLS': {
      evidence: presenting(peerB.facts, {}, out('[2001:DB8::7]')),
      agreements: [trustB({ domains: ['x.example', 'b.example'], targets: [{ address: '2001:db8::7', port: 5061 }] })],
      reason: 'agreement-covers',
    },
    'revocation unknown and soft is told beside the trust (T-20)': {
      evidence: presenting(peerB.facts),
      agreements: [trustB({ revocation: 'soft' })],
      reason: 'agreement-covers',
    },
  };
  for (const [name, row] of Object.entries(rows)) {
    test(`ok/${name}`, () => {
      const verdict = judged(row);
      expect([verdict.verdict, verdict.findings[0]?.code]).toEqual(['trusted', row.reason]);
      expect(verdict.assurance).toBe(row.assurance ?? 'tls-certificate');
      expect(verdict.domains).toEqual(['b.example']);
    });
  }
});

describe('a partner whose TLS is not good enough is told by its name, and trusted with nothing', () => {
  const old = { version: 'TLSv1.2', cipher: 'ECDHE-RSA-AES256-SHA384' };
  const words = { subject: '/CN=b.example', issuer: '/O=Operator B/CN=B CA', san: 'b.example' };
  const rows: Readonly<Record<string, Evidence>> = {
    'by its certificate': presenting(peerB.facts, old),
    'by words about it': presenting(undefined, { ...old, verified: true, attributes: words }),
    'without encryption': presenting(peerB.facts, { ...old, cipher: 'ECDHE-RSA-NULL-SHA' }),
  };
  for (const [name, evidence] of Object.entries(rows)) {
    test(`fail/${name}`, () => {
      const verdict = judged({ evidence });
      expect(verdict).toMatchObject({ verdict: 'untrusted', assurance: 'none', domains: [], action: 'continue' });
      expect(verdict.agreement?.name).toBe('op-b');
      expect(verdict.findings).toHaveLength(1);
    });
  }
  test('fail/somebody whom no agreement names', () =>
    expect(judged({ evidence: presenting(peerB.facts, old), agreements: [trustC()] }).agreement).toBeUndefined());
  test('fail/one that is only monitored is a stranger, as without the agreement', () =>
    expect(
      judged({ evidence: presenting(peerB.facts, old), agreements: [trustB({ enforcement: 'monitor' })] }),
    ).toMatchObject({ verdict: 'untrusted', would: { verdict: 'untrusted' } }));
});

describe('a peer is not trusted', () => {
  const rows: Readonly<Record<string, Row>> = {
    'T-1 TCP': { evidence: evidenceWith({ transport: 'tcp', tls: undefined }), reason: 'no-tls' },
    'T-1 UDP': { evidence: evidenceWith({ transport: 'udp', tls: undefined }), reason: 'no-tls' },
    'a certificate over TCP contradicts itself': {
      evidence: presenting(peerB.facts, {}, { transport: 'tcp' }),
      reason: 'bad-input',
    },
    'T-6 no certificate': { evidence: evidenceWith(), reason: 'no-client-cert' },
    'T-47 verified, but nothing to judge': {
      evidence: presenting(undefined, { verified: true }),
      reason: 'no-cert-facts',
    },
    'T-7 TLS 1.1': {
      evidence: presenting(peerB.facts, { version: 'TLSv1.1', cipher: 'ECDHE-RSA-AES128-SHA' }),
      reason: 'tls-profile',
    },
    'a certificate that cannot be read': {
      evidence: presenting({ malformed: 'no DER' } as unknown as CertificateFacts),
      reason: 'malformed-cert',
    },
    'T-11 not listed': { evidence: presenting(peerB.facts), agreements: [trustC()], reason: 'not-listed' },
    'T-14 right name, other CA': {
      evidence: presenting(leaf(rootC, names({ dns: 'b.example' })).facts, sentChain),
      reason: 'anchor-mismatch',
    },
    'T-14 right name, a CA that nobody has': {
      evidence: presenting(leaf(rootC, names({ dns: 'b.example' })).facts),
      reason: 'missing-intermediate',
    },
    'T-38 the anchor of one partner does not vouch for another': {
      evidence: presenting(leaf(rootC, names({ uri: 'sip:b.example' })).facts),
      agreements: [trustB(), trustC()],
      reason: 'anchor-mismatch',
    },
    'T-15 right CA, other name': { evidence: presenting(withNames({ dns: 'x.example' })), reason: 'not-listed' },
    'T-16 self-signed': { evidence: presenting(selfSigned, { verified: false }), reason: 'untrusted-chain' },
    'T-17 self-signed and pinned, but the stack must have verified it': {
      evidence: presenting(selfSigned, { verified: false }),
      agreements: [trustB({ pins: [selfSigned.spkiSha256], pinLeaf: true })],
      reason: 'stack-unverified',
    },
    'T-18 expired': { evidence: presenting(expired), reason: 'cert-time' },
    'T-18 not yet valid': { evidence: presenting(early), reason: 'cert-time' },
    'T-20 revocation unknown and hard': {
      evidence: presenting(peerB.facts),
      agreements: [trustB({ revocation: 'hard' })],
      reason: 'rev-unknown',
    },
    'T-24 wildcard': { evidence: presenting(withNames({ dns: '*.b.example' })), reason: 'wildcard' },
    'T-25 a name below the listed one': {
      evidence: presenting(withNames({ dns: 'sbc.b.example' })),
      reason: 'not-listed',
    },
    'T-26 a URI name leaves the DNS name out': {
      evidence: presenting(withNames({ uri: 'sip:other.example' }, { dns: 'b.example' })),
      reason: 'not-listed',
    },
    'T-28 sips: names nobody': { evidence: presenting(withNames({ uri: 'sips:b.example' })), reason: 'no-sip-id' },
    'T-31 common name': { evidence: presenting(onlyCn), reason: 'cn-disabled' },
    'T-34 two common names, with or without cn_fallback': {
      evidence: presenting(
        leaf(rootB, { subject: 'CN=c.example,CN=b.example', extensions: { altNames: undefined } }).facts,
      ),
      agreements: [trustB({ cnFallback: true })],
      reason: 'cn-ambiguous',
    },
    'T-32 NUL in a name': { evidence: presenting(withNames({ dns: 'b.example\0.evil' })), reason: 'name-bytes' },
    'T-33 two names in one': {
      evidence: presenting(withNames({ dns: 'a.evil, DNS:b.example' })),
      reason: 'name-bytes',
    },
    'T-39 serverAuth alone, as client': { evidence: presenting(withPurposes('serverAuth')), reason: 'eku' },
    'T-40 sipDomain alone, eku: tls': { evidence: presenting(withPurposes('sipDomain')), reason: 'eku' },
    'T-41 a CA as peer': {
      evidence: presenting(ca(rootB, names({ dns: 'b.example' })).facts),
      reason: 'cert-type',
    },
    'T-42 the intermediate is no CA': {
      evidence: presenting(leaf(peerB, names({ dns: 'b.example' })).facts),
      agreements: [trustB({ intermediates: [peerB.facts] })],
      reason: 'not-a-ca',
    },
    'T-43 SHA-1': { evidence: presenting(weak), reason: 'weak-key' },
    'T-44 two agreements, one does not hold': {
      evidence: presenting(withNames({ dns: 'b.example' }, { dns: 'c.example' })),
      agreements: [trustB(), trustC()],
      reason: 'anchor-mismatch',
    },
    'the stack did not verify it': {
      evidence: presenting(peerB.facts, { verified: false }),
      reason: 'stack-unverified',
    },
    'the agreement is switched off': {
      evidence: presenting(peerB.facts),
      agreements: [trustB({ enabled: false })],
      reason: 'agreement-disabled',
    },
    'the agreement has ended': {
      evidence: presenting(peerB.facts),
      agreements: [trustB({ valid: { from: 0, until: NOW - 1 } })],
      reason: 'agreement-time',
    },
    'the agreement is for the other direction': {
      evidence: presenting(peerB.facts),
      agreements: [trustB({ directions: ['out'] })],
      reason: 'agreement-direction',
    },
    'the agreement is for another mechanism': {
      evidence: presenting(peerB.facts),
      agreements: [trustB({ mechanism: 'nds-ip' })],
      reason: 'agreement-mechanism',
    },
    'the agreement is only monitored': {
      evidence: presenting(peerB.facts),
      agreements: [trustB({ enforcement: 'monitor' })],
      reason: 'monitor-only',
    },
    'another organization': {
      evidence: presenting(peerB.facts),
      agreements: [trustB({ subject: { organization: ['Operator X'] } })],
      reason: 'agreement-attributes',
    },
    'another key than the pinned one': {
      evidence: presenting(peerB.facts),
      agreements: [trustB({ pins: [selfSigned.spkiSha256] })],
      reason: 'pin-mismatch',
    },
    'T-37 the next hop is an address': {
      evidence: presenting(peerB.facts, {}, out('sip:[2001:db8::1]:5061')),
      reason: 'ip-literal',
    },
    'O-6 the next hop is an address of another agreement': {
      evidence: presenting(peerB.facts, {}, out('sip:192.0.2.9:5061')),
      agreements: [trustB(), trustC({ targets: [{ address: '192.0.2.9', port: 5061 }] })],
      reason: 'name-mismatch',
    },
    'O-6 the next hop is another port of the address': {
      evidence: presenting(peerB.facts, {}, out('sip:192.0.2.7:5062')),
      agreements: [trustB({ targets: [{ address: '192.0.2.7', port: 5061 }] })],
      reason: 'ip-literal',
    },
    'outbound without next_hop': { evidence: presenting(peerB.facts, {}, out(undefined)), reason: 'bad-input' },
    'T-49 outbound, the server names another domain': {
      evidence: presenting(withNames({ dns: 'evil.example' }), {}, out('b.example')),
      reason: 'name-mismatch',
    },
    'T-26 outbound, the DNS name beside a URI name does not count': {
      evidence: presenting(withNames({ uri: 'sip:other.example' }, { dns: 'b.example' }), {}, out('b.example')),
      reason: 'name-mismatch',
    },
    'T-48 the connection to one partner, for the domain of another under the same CA': {
      evidence: presenting(peerB.facts, {}, out('c.example')),
      agreements: [trustB(), trustB({ name: 'op-c', domains: ['c.example'] })],
      reason: 'name-mismatch',
    },
    'T-48 the same, where the other has a CA of its own': {
      evidence: presenting(peerB.facts, sentChain, out('c.example')),
      agreements: [trustB(), trustC()],
      reason: 'name-mismatch',
    },
    'T-14 outbound, other CA': {
      evidence: presenting(leaf(rootC, names({ dns: 'b.example' })).facts, sentChain, out('b.example')),
      verdict: 'reject',
      reason: 'anchor-mismatch',
    },
    'outbound, nobody listed it': {
      evidence: presenting(peerB.facts, {}, out('b.example')),
      agreements: [],
      reason: 'not-listed',
    },
  };
  for (const [name, row] of Object.entries(rows)) {
    test(`fail/${name}`, () => {
      const verdict = judged(row);
      expect([verdict.verdict, verdict.findings[0]?.code]).toEqual([row.verdict ?? 'untrusted', row.reason]);
      expect(verdict.assurance).toBe('none');
      expect(verdict.action).toBe(row.verdict === 'reject' ? 'close' : 'continue');
      expect(verdict.checks.some(({ outcome }) => outcome === 'fail')).toBe(true);
    });
  }
});

describe('two agreements on one certificate (T-44)', () => {
  test('ok/what remains is what both allow', () => {
    const both = withNames({ dns: 'b.example' }, { dns: 'c.example' });
    const shared = { client: [rootB.facts], server: [rootB.facts] };
    const verdict = judgePeer(
      presenting(both),
      snapshotWith([
        trustB({ asserts: { domains: ['b.example', 'x.example'], numbers: 'any', transit: true }, privacy: 'rfc3325' }),
        trustC({ anchors: shared, asserts: { domains: ['x.example'], numbers: ['+49'], transit: false } }),
      ]),
      NOW,
    );
    expect(verdict.verdict).toBe('trusted');
    expect(verdict.agreement).toMatchObject({
      asserts: { domains: ['x.example'], numbers: ['+49'], transit: false },
      privacy: 'strict33203',
    });
    expect(verdict.findings.map(({ code }) => code)).toContain('ambiguous-peer');
  });
});

describe('how long a verdict holds', () => {
  const until = (agreements: readonly Agreement[], at = NOW) =>
    judgePeer(presenting(peerB.facts), snapshotWith(agreements), at).validUntil;
  test('ok/T-46 no longer than the certificate', () =>
    expect(until([trustB()])).toBe(peerB.facts.notAfter + 300_000 + 1));
  test('ok/no longer than the agreement', () =>
    expect(until([trustB({ valid: { from: 0, until: NOW + 5000 } })])).toBe(NOW + 5001));
  test('ok/untrusted only until the agreement begins', () =>
    expect(until([trustB({ valid: { from: NOW + 5000, until: NOW + 9000 } })])).toBe(NOW + 5000));
});

describe('whatever the evidence, trust has its ground', () => {
  const key = makeKey();
  /** Each part is right most of the time, or trust as a whole would hardly ever be seen. */
  const mostly = <T>(right: T, ...wrong: T[]) =>
    fc.oneof({ weight: 8, arbitrary: fc.constant(right) }, { weight: 2, arbitrary: fc.constantFrom(...wrong) });
  const nameArb = mostly<NameValue[]>(
    [{ dns: 'b.example' }],
    [{ uri: 'sip:b.example' }],
    [{ dns: 'b.example' }, { dns: 'c.example' }],
    [{ uri: 'sips:b.example' }],
    [{ dns: '*.b.example' }],
    [{ dns: 'x.example' }],
    [{ email: 'a@b.example' }],
    [{ dns: 'b.example\0' }],
  );
  const purposes = mostly(['clientAuth', 'serverAuth'], ['clientAuth'], ['serverAuth'], ['sipDomain'], ['any']);
  const certificates = fc
    .record({
      signer: mostly(rootB, rootC, subB, peerB),
      san: nameArb,
      purposes,
      notAfter: mostly(NOW + DAY, NOW - DAY),
      self: mostly(false, true),
    })
    .map(({ signer, san, purposes: eku, notAfter, self }) => {
      const spec = {
        key,
        notBefore: NOW - 60 * DAY,
        notAfter,
        extensions: { altNames: ext.altNames(san), purposes: ext.purposes(eku) },
      };
      return (self ? selfSignedLeaf(spec) : leaf(signer, spec)).facts;
    });
  const agreements = fc.record({
    enabled: mostly(true, false),
    from: mostly(0, NOW + DAY),
    until: mostly(NOW + 2 * DAY, NOW - DAY),
    directions: mostly<('in' | 'out')[]>(['in', 'out'], ['in'], ['out'], []),
    stackVerification: fc.constantFrom<'required' | 'advisory'>('required', 'advisory'),
    pinned: fc.boolean(),
    nds: fc.boolean(),
  });
  const evidences = fc.record({
    direction: fc.constantFrom<'in' | 'out'>('in', 'out'),
    transport: mostly<'tls' | 'tcp' | 'udp' | 'wss'>('tls', 'tcp', 'udp', 'wss'),
    sourceAddress: fc.constantFrom('192.0.2.9', '192.0.2.99', 'junk', undefined),
    localPort: fc.constantFrom(5061, 5062, undefined),
    verified: fc.boolean(),
    version: mostly<string | undefined>('TLSv1.3', 'TLSv1.2', 'TLSv1.1', undefined),
    nextHop: mostly<string | undefined>('b.example', 'c.example', '192.0.2.9', '', undefined),
    hasCertificate: mostly(true, false),
  });

  test('ok/a trusted verdict implies agreement, time, domain, verified certificate, or socket and prefix', () => {
    const trusted = { za: 0, tls: 0 };
    fc.assert(
      fc.property(certificates, agreements, evidences, fc.boolean(), (certificate, terms, seen, implicitTrust) => {
        const b = trustB({
          enabled: terms.enabled,
          valid: { from: terms.from, until: terms.until },
          directions: terms.directions,
          stackVerification: terms.stackVerification,
          ...(terms.pinned ? { pins: [certificate.spkiSha256], pinLeaf: true } : {}),
        });
        const nds = ndsSnapshot({ implicitTrust });
        const legacy = nds.agreements.at(0);
        if (legacy === undefined) throw new Error('expected an agreement');
        const snapshot = snapshotWith([b, legacy], { interfaces: nds.interfaces, sources: nds.sources });
        const evidence = evidenceWith({
          ...seen,
          tls: seen.hasCertificate
            ? tlsWith(certificate, { verified: seen.verified, version: seen.version })
            : undefined,
        });
        const verdict = judgePeer(evidence, snapshot, NOW);
        if (verdict.verdict !== 'trusted') return;
        trusted[verdict.assurance === 'za' ? 'za' : 'tls'] += 1;
        const { agreement } = verdict;
        expect(agreement?.enabled).toBe(true);
        expect(agreement?.directions).toContain(evidence.direction);
        expect(NOW).toBeGreaterThanOrEqual(agreement?.valid.from ?? Number.NaN);
        expect(NOW).toBeLessThanOrEqual(agreement?.valid.until ?? Number.NaN);
        if (verdict.assurance === 'za') {
          expect(implicitTrust).toBe(true);
          expect(evidence.localPort).toBe(5062);
          expect(evidence.sourceAddress).toBe('192.0.2.9');
          return;
        }
        expect(['tls', 'wss']).toContain(evidence.transport);
        expect(evidence.tls?.certificate).toBe(certificate);
        expect(evidence.tls?.verified === true || agreement?.stackVerification === 'advisory').toBe(true);
        const identities = sipIdentities(certificate, { cnFallback: false }).names;
        expect(verdict.domains.length).toBeGreaterThan(0);
        for (const domain of verdict.domains) {
          expect(identities).toContain(domain);
          expect(agreement?.domains).toContain(domain);
        }
        if (evidence.direction === 'out') expect(verdict.domains).toEqual([evidence.nextHop]);
      }),
      { numRuns: runs(3_000) },
    );
    // A property that never sees trust would hold for nothing.
    expect(Math.min(trusted.za, trusted.tls)).toBeGreaterThan(20);
  });
});
