import { describe, expect, test } from 'vitest';
import { type PortRange, parsePortRange } from '../../../../src/net/address/port-range.js';
import type { Agreement, Interface } from '../../../../src/trust/agreement/agreement.js';
import type { Evidence, TlsEvidence } from '../../../../src/trust/evidence/evidence.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import type { CertificateFacts } from '../../../../src/x509/certificate/facts.js';
import { DAY, ext, leaf, type NameValue, NOW, root } from '../../../support/certificates.js';
import { presenting } from '../../../support/evidence.js';
import { legacyC, ndsSnapshot, overUdp, prefix } from '../../../support/nds.js';
import { agreementWith } from '../../../support/snapshot.js';

const rootB = root({ subject: 'O=Operator B,CN=B CA' });
const rootC = root({ subject: 'O=Operator C,CN=C CA' });
const named = (signer: typeof rootB, ...list: NameValue[]) =>
  leaf(signer, { extensions: { altNames: ext.altNames(list) } }).facts;

/** A TLS connection to the interface, from the prefix of the path. */
function overTls(certificate: CertificateFacts | undefined, tls: Partial<TlsEvidence> = {}): Evidence {
  return presenting(certificate, tls, { sourceAddress: '192.0.2.9', localPort: 5062 });
}

const ports = (...texts: string[]): { sourcePorts: PortRange[]; shared: boolean } => ({
  sourcePorts: texts.map((text) => parsePortRange(text) as PortRange),
  shared: true,
});

interface Row {
  readonly evidence: Evidence;
  readonly iface?: Partial<Interface>;
  readonly agreements?: readonly Agreement[];
  readonly at?: number;
  readonly reason: string;
  readonly assurance?: string;
  readonly agreement?: string;
  readonly per?: string;
}

function judged({ evidence, iface, agreements, at = NOW }: Row) {
  return judgePeer(evidence, ndsSnapshot(iface, agreements), at);
}

const agreementOf = (over: Partial<Agreement>): Agreement =>
  agreementWith({ anchors: { client: [rootB.facts], server: [rootB.facts] }, ...over });

const nested = [
  legacyC({ name: 'wide', domains: ['w.example'], sources: [prefix('10.0.0.0/8'), prefix('2001:db8::/32')] }),
  legacyC({ name: 'narrow', domains: ['n.example'], sources: [prefix('10.1.0.0/16'), prefix('2001:db8:1::/48')] }),
  legacyC({ name: 'host', domains: ['h.example'], sources: [prefix('10.1.2.3'), prefix('2001:db8:1::7')] }),
];

describe('a peer is trusted by its path (TS 33.203 §5.4)', () => {
  const rows: Readonly<Record<string, Row>> = {
    'T-3 socket and source prefix are those of the agreement': { evidence: overUdp(), reason: 'trusted-by-config' },
    'T-3 IPv6': { evidence: overUdp({ sourceAddress: '2001:db8:c::7' }), reason: 'trusted-by-config' },
    'over TCP': { evidence: overUdp({ transport: 'tcp', connectionId: '9' }), reason: 'trusted-by-config' },
    'over SCTP': { evidence: overUdp({ transport: 'sctp' }), reason: 'trusted-by-config' },
    'behind NAT: the source port is any': { evidence: overUdp({ sourcePort: 1 }), reason: 'trusted-by-config' },
    outbound: { evidence: overUdp({ direction: 'out' }), reason: 'trusted-by-config' },
    ...Object.fromEntries(
      (
        [
          ['of the agreement itself', legacyC()],
          ['of one that is off', agreementOf({ enabled: false })],
          ['of one on trial', agreementOf({ enforcement: 'monitor' })],
        ] as const
      ).map(([whose, other]): readonly [string, Row] => [
        `over TLS with a certificate that has a common name alone, ${whose}: a name that counts nothing`,
        {
          evidence: overTls(
            leaf(rootC, { subject: `CN=${other.domains[0]}`, extensions: { altNames: undefined } }).facts,
          ),
          agreements: other.name === 'op-b' ? [legacyC(), other] : [other],
          reason: 'trusted-by-config',
          per: 'connection',
        },
      ]),
    ),
    'the first address of the prefix': {
      evidence: overUdp({ sourceAddress: '192.0.2.0' }),
      reason: 'trusted-by-config',
    },
    'the last one': { evidence: overUdp({ sourceAddress: '192.0.2.15' }), reason: 'trusted-by-config' },
    'IPv4-mapped, as a socket of both families tells it': {
      evidence: overUdp({ sourceAddress: '::ffff:192.0.2.9' }),
      reason: 'trusted-by-config',
    },
    'the widest of nested prefixes': {
      evidence: overUdp({ sourceAddress: '10.200.0.1' }),
      agreements: nested,
      reason: 'trusted-by-config',
      agreement: 'wide',
    },
    'the longest of nested prefixes': {
      evidence: overUdp({ sourceAddress: '10.1.2.4' }),
      agreements: nested,
      reason: 'trusted-by-config',
      agreement: 'narrow',
    },
    'a host in nested prefixes': {
      evidence: overUdp({ sourceAddress: '10.1.2.3' }),
      agreements: nested,
      reason: 'trusted-by-config',
      agreement: 'host',
    },
    'a host in nested prefixes, IPv6': {
      evidence: overUdp({ sourceAddress: '2001:db8:1::7' }),
      agreements: nested,
      reason: 'trusted-by-config',
      agreement: 'host',
    },
    'a shared socket: the address alone, and the verdict says so': {
      evidence: overUdp(),
      iface: { shared: true },
      reason: 'trusted-by-address',
      assurance: 'address',
    },
    'a shared socket, a port that only the gateway writes': {
      evidence: overUdp({ sourcePort: 5062 }),
      iface: ports('5062'),
      reason: 'trusted-by-config',
      per: 'port',
    },
    'the first port of a range': {
      evidence: overUdp({ sourcePort: 20_000 }),
      iface: ports('5062', '20000-20099'),
      reason: 'trusted-by-config',
      per: 'port',
    },
    'the last port of a range': {
      evidence: overUdp({ sourcePort: 20_099, transport: 'tcp' }),
      iface: ports('5062', '20000-20099'),
      reason: 'trusted-by-config',
      per: 'port',
    },
    'TLS with a certificate of a stranger, in a network that is known by path alone': {
      evidence: overTls(named(rootB, { dns: 'b.example' })),
      reason: 'trusted-by-config',
      per: 'connection',
    },
    'TLS without a certificate, in a network that is known by path alone': {
      evidence: overTls(undefined),
      reason: 'trusted-by-config',
      per: 'connection',
    },
  };
  for (const [name, row] of Object.entries(rows)) {
    test(`ok/${name}`, () => {
      const verdict = judged(row);
      expect(verdict).toMatchObject({
        verdict: 'trusted',
        assurance: row.assurance ?? 'za',
        per: row.per ?? 'address',
        findings: [{ code: row.reason }],
      });
      expect(verdict.agreement?.name).toBe(row.agreement ?? 'op-c-legacy');
      expect(verdict.domains).toEqual(verdict.agreement?.domains);
    });
  }
});

describe('a peer is not trusted by its path', () => {
  test('ok/where it came to another socket the detail says to which one its path leads, and of a stranger nothing', () => {
    const detail = (over: Partial<Evidence>) =>
      judgePeer(overUdp({ localPort: 5060, ...over }), ndsSnapshot(), NOW).findings[0]?.detail;
    expect(detail({})).toMatch(
      /port 5060, which is no nds-ip interface; 192\.0\.2\.9 is in a prefix of agreement op-c-legacy, on interface \S+ \(\S+ port 5062\)$/,
    );
    expect(detail({ sourceAddress: '203.0.113.1' })).toMatch(/which is no nds-ip interface$/);
    expect(detail({ sourceAddress: undefined, localAddress: undefined, localPort: undefined })).toBe(
      'transport udp on a socket that the question does not name, which is no nds-ip interface',
    );
  });

  const tls = (over: Partial<Agreement>) => legacyC(over);
  const rows: Readonly<Record<string, Row>> = {
    'T-4 outside of the prefix': { evidence: overUdp({ sourceAddress: '192.0.2.16' }), reason: 'nds-range' },
    'below the prefix': { evidence: overUdp({ sourceAddress: '192.0.1.255' }), reason: 'nds-range' },
    'T-4 implicit trust is off': { evidence: overUdp(), iface: { implicitTrust: false }, reason: 'nds-off' },
    'T-2 the same source on another socket': { evidence: overUdp({ localPort: 5060 }), reason: 'no-tls' },
    'the same port on another address of ours': {
      evidence: overUdp({ localAddress: '198.51.100.2' }),
      reason: 'no-tls',
    },
    'no local address': { evidence: overUdp({ localAddress: undefined }), reason: 'no-tls' },
    'no local port': { evidence: overUdp({ localPort: undefined }), reason: 'no-tls' },
    'no source address': { evidence: overUdp({ sourceAddress: undefined }), reason: 'bad-input' },
    'IPv4 in another notation of IPv6': { evidence: overUdp({ sourceAddress: '::192.0.2.9' }), reason: 'nds-range' },
    'IPv4 translated to IPv6 (64:ff9b::/96)': {
      evidence: overUdp({ sourceAddress: '64:ff9b::192.0.2.9' }),
      reason: 'nds-range',
    },
    'another source port than that of the path': {
      evidence: overUdp({ sourcePort: 5060 }),
      iface: ports('5062'),
      reason: 'nds-port',
      per: 'port',
    },
    'the port below a range': {
      evidence: overUdp({ sourcePort: 19_999 }),
      iface: ports('20000-20099'),
      reason: 'nds-port',
      per: 'port',
    },
    'the port above a range': {
      evidence: overUdp({ sourcePort: 20_100 }),
      iface: ports('20000-20099'),
      reason: 'nds-port',
      per: 'port',
    },
    'no source port was told': {
      evidence: overUdp({ sourcePort: undefined }),
      iface: ports('1-65535'),
      reason: 'nds-port',
      per: 'port',
    },
    'source port 0': { evidence: overUdp({ sourcePort: 0 }), iface: ports('1-65535'), reason: 'nds-port', per: 'port' },
    'the port of the path, the address of another network': {
      evidence: overUdp({ sourcePort: 5062, sourceAddress: '192.0.2.77' }),
      iface: ports('5062'),
      reason: 'nds-range',
      per: 'port',
    },
    'a dedicated socket with ports: the port still counts': {
      evidence: overUdp({ sourcePort: 5060 }),
      iface: { ...ports('5062'), shared: false },
      reason: 'nds-port',
      per: 'port',
    },
    'a disabled agreement': {
      evidence: overUdp(),
      agreements: [tls({ enabled: false })],
      reason: 'agreement-disabled',
    },
    'an agreement that has ended': {
      evidence: overUdp(),
      agreements: [tls({ valid: { from: 0, until: NOW - 1 } })],
      reason: 'agreement-time',
    },
    'an agreement for the other direction': {
      evidence: overUdp(),
      agreements: [tls({ directions: ['out'] })],
      reason: 'agreement-direction',
    },
    'an agreement that is only monitored': {
      evidence: overUdp(),
      agreements: [tls({ enforcement: 'monitor' })],
      reason: 'monitor-only',
    },
    'the narrower network does not hold, the wider one does not step in': {
      evidence: overUdp({ sourceAddress: '10.1.2.4' }),
      agreements: nested.map((each) => (each.name === 'narrow' ? { ...each, enabled: false } : each)),
      reason: 'agreement-disabled',
    },
    'a certificate that claims the partner is judged as such, not outweighed by the address': {
      evidence: overTls(named(rootC, { dns: 'c.example' })),
      reason: 'agreement-mechanism',
      per: 'connection',
    },
    'a certificate over UDP': {
      evidence: overUdp({ tls: overTls(named(rootC, { dns: 'c.example' })).tls }),
      reason: 'bad-input',
    },
  };
  for (const [name, row] of Object.entries(rows)) {
    test(`fail/${name}`, () => {
      const verdict = judged(row);
      expect([verdict.verdict, verdict.findings[0]?.code]).toEqual(['untrusted', row.reason]);
      expect([verdict.assurance, verdict.domains, verdict.per]).toEqual(['none', [], row.per ?? 'address']);
      expect(verdict.checks.some(({ outcome }) => outcome === 'fail')).toBe(true);
    });
  }

  for (const text of [
    'fe80::1%eth0',
    '2001:db8:c::7%1',
    '[2001:db8:c::7',
    '192.0.2.9%lo',
    '192.0.2.9 ',
    ' 192.0.2.9',
    '192.0.2.09',
    '0300.0.2.9',
    '0xc0.0.2.9',
    '192.0.521',
    '3221225993',
    '192.0.2.9:5060',
    '192.0.2.9\0',
    '::ffff:192.0.2.009',
    '::ffff:0xc0000209',
    '1::2::3',
    '',
    '192.0.2.0/28',
  ]) {
    test(`fail/a source address written ${JSON.stringify(text)}`, () => {
      const verdict = judgePeer(overUdp({ sourceAddress: text }), ndsSnapshot(), NOW);
      expect([verdict.verdict, verdict.findings[0]?.code]).toEqual(['untrusted', 'bad-input']);
    });
  }
});

describe('a network that migrates from the path to TLS', () => {
  const until = NOW + DAY;
  const migrating = (over: Partial<Agreement> = {}) =>
    legacyC({
      name: 'op-c',
      mechanism: 'tls',
      anchors: { client: [rootC.facts], server: [rootC.facts] },
      migrationUntil: until,
      ...over,
    });
  const good = named(rootC, { dns: 'c.example' });
  const rows: Readonly<Record<string, Row & { readonly trusted: boolean }>> = {
    'ok/by path, until the migration ends': {
      ...{ evidence: overUdp(), trusted: true, reason: 'trusted-by-config', assurance: 'za' },
    },
    'ok/by path, in the last millisecond': {
      ...{ evidence: overUdp(), at: until, trusted: true, reason: 'trusted-by-config', assurance: 'za' },
    },
    'fail/by path, after its end': { evidence: overUdp(), at: until + 1, trusted: false, reason: 'nds-ended' },
    'ok/by certificate': {
      ...{ evidence: overTls(good), trusted: true, reason: 'agreement-covers', assurance: 'tls-certificate' },
    },
    'ok/by certificate, after the end': {
      ...{ evidence: overTls(good), at: until + 1, trusted: true, reason: 'agreement-covers' },
      assurance: 'tls-certificate',
    },
    'ok/by certificate, from anywhere': {
      evidence: { ...overTls(good), sourceAddress: '203.0.113.9', localPort: 5061 },
      ...{ trusted: true, reason: 'agreement-covers', assurance: 'tls-certificate' },
    },
    'fail/TLS without a certificate is not trusted by its address': {
      ...{ evidence: overTls(undefined), trusted: false, reason: 'nds-tls' },
    },
    'fail/nor with that of a stranger': {
      evidence: overTls(named(rootB, { dns: 'b.example' })),
      ...{ trusted: false, reason: 'nds-tls' },
    },
    'fail/nor with one that names the network and comes from another CA': {
      evidence: overTls(named(rootB, { dns: 'c.example' })),
      ...{ trusted: false, reason: 'missing-intermediate' },
    },
    'fail/nor with one that the stack did not verify': {
      evidence: overTls(good, { verified: false }),
      ...{ trusted: false, reason: 'stack-unverified' },
    },
    'fail/nor where the certificate cannot be read': {
      evidence: overTls(undefined, { certificate: { malformed: 'no DER' } }),
      ...{ trusted: false, reason: 'nds-tls' },
    },
    'fail/by path, from another network': {
      evidence: overUdp({ sourceAddress: '192.0.2.99' }),
      ...{ trusted: false, reason: 'nds-range' },
    },
    'fail/a disabled agreement is so by path and by certificate': {
      evidence: overUdp(),
      agreements: [migrating({ enabled: false })],
      ...{ trusted: false, reason: 'agreement-disabled' },
    },
  };
  for (const [name, row] of Object.entries(rows)) {
    test(name, () => {
      const verdict = judged({ agreements: [migrating()], ...row });
      expect([verdict.verdict, verdict.assurance]).toEqual([
        row.trusted ? 'trusted' : 'untrusted',
        row.assurance ?? 'none',
      ]);
      // What fails for the certificate may outrank it; the reason stands among the others.
      expect(verdict.findings.map(({ code }) => code)).toContain(row.reason);
      expect(verdict.findings.some(({ code }) => code === 'nds-migrating')).toBe(row.assurance === 'za');
    });
  }

  test('ok/a verdict by path ends with the migration, one by certificate does not', () => {
    const agreements = [migrating()];
    expect(judged({ evidence: overUdp(), agreements, reason: '' }).validUntil).toBe(until + 1);
    expect(judged({ evidence: overTls(good), agreements, reason: '' }).validUntil).toBeGreaterThan(until + 1);
  });
});

describe('TLS without encryption (seed §5)', () => {
  const tlsC = legacyC({
    name: 'op-c',
    mechanism: 'tls',
    anchors: { client: [rootC.facts], server: [rootC.facts] },
    interface: undefined,
    sources: [],
  });
  const good = named(rootC, { dns: 'c.example' });
  const plain = (tls: Partial<TlsEvidence> = {}, over: Partial<Evidence> = {}) => ({
    ...overTls(good, { version: 'TLSv1.2', cipher: 'ECDHE-ECDSA-NULL-SHA', ...tls }),
    ...over,
  });
  const allowed = { allowNullEncryption: true };
  const rows: Readonly<Record<string, Row & { readonly trusted?: boolean }>> = {
    'fail/it is refused, with a good certificate': { evidence: plain(), reason: 'null-encryption' },
    'fail/on the interface too, without the setting': { evidence: plain(), iface: {}, reason: 'null-encryption' },
    'fail/with the setting, on another socket': {
      evidence: plain({}, { localPort: 5061 }),
      ...{ iface: allowed, reason: 'null-encryption' },
    },
    'fail/with the setting, a cipher that authenticates nobody': {
      evidence: plain({ cipher: 'AECDH-NULL-SHA' }),
      ...{ iface: allowed, reason: 'null-encryption' },
    },
    'fail/with the setting, from a port that is not of the path': {
      evidence: plain({}, { sourcePort: 40_000 }),
      ...{ iface: { ...allowed, ...ports('5062') }, reason: 'null-encryption' },
    },
    'fail/with the setting, on a socket that others reach': {
      evidence: plain(),
      ...{ iface: { ...allowed, shared: true }, reason: 'null-encryption' },
    },
    'fail/its refusal is not outweighed by the path': {
      evidence: plain({ certificate: undefined, verified: false }),
      agreements: [legacyC()],
      reason: 'null-encryption',
    },
    'fail/with the setting the certificate still has to hold': {
      evidence: plain({ certificate: named(rootB, { dns: 'c.example' }) }),
      ...{ iface: allowed, reason: 'missing-intermediate' },
    },
    'ok/with the setting, by certificate': {
      evidence: plain(),
      iface: allowed,
      reason: 'null-encryption',
      trusted: true,
    },
    'ok/with the setting, TLS 1.3 (RFC 9150)': {
      evidence: plain({ version: 'TLSv1.3', cipher: 'TLS_SHA384_SHA384' }),
      ...{ iface: allowed, reason: 'null-encryption', trusted: true },
    },
    'ok/with the setting, from a port of the path': {
      evidence: plain({}, { sourcePort: 5062 }),
      ...{ iface: { ...allowed, ...ports('5062') }, reason: 'null-encryption', trusted: true },
    },
  };
  for (const [name, row] of Object.entries(rows)) {
    test(name, () => {
      const verdict = judged({ agreements: [tlsC], ...row });
      expect([verdict.verdict, verdict.assurance]).toEqual(
        row.trusted ? ['trusted', 'tls-certificate'] : ['untrusted', 'none'],
      );
      const code = row.trusted ? verdict.findings[1]?.code : verdict.findings[0]?.code;
      expect(code).toBe(row.reason);
    });
  }
});

describe('how long a verdict by path holds', () => {
  test('ok/no longer than the agreement', () => {
    const agreements = [legacyC({ valid: { from: 0, until: NOW + DAY } })];
    expect(judged({ evidence: overUdp(), agreements, reason: '' }).validUntil).toBe(NOW + DAY + 1);
  });
});
