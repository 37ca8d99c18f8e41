/** What is refused of real partners says what was found in words, and what can be done about it. */

import { describe, expect, test } from 'vitest';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import type { Evidence } from '../../../../src/trust/evidence/evidence.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import {
  type CertificateSpec,
  ca,
  crl,
  ext,
  extension,
  type Issued,
  leaf,
  makeKey,
  type NameValue,
  NOW,
  root,
  selfSignedLeaf,
} from '../../../support/certificates.js';
import { der } from '../../../support/der.js';
import { presenting, sent } from '../../../support/evidence.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const rootB = root({ subject: 'O=Operator B,CN=B CA' });
const altNames = ext.altNames([{ dns: 'b.example' }]);
const peerOf = (spec: CertificateSpec = {}, issuer = rootB): Issued =>
  leaf(issuer, { ...spec, extensions: { altNames, ...spec.extensions } });
const named = (...names: readonly NameValue[]): Issued => peerOf({ extensions: { altNames: ext.altNames(names) } });

interface Shown {
  readonly peer: Issued;
  /** The TLS stack of the proxy has refused it. */
  readonly unverified?: true;
  readonly chain?: readonly Issued[];
  readonly anchors?: readonly Issued[];
  readonly out?: true;
  readonly over?: Partial<Agreement>;
}

function refusal({
  peer,
  unverified,
  chain = [],
  anchors = [rootB],
  out,
  over,
}: Shown): readonly [code: string, detail: string] {
  const facts = anchors.map((each) => each.facts);
  const agreement = agreementWith({ anchors: { client: facts, server: facts }, ...over });
  const way: Partial<Evidence> = out === undefined ? {} : { direction: 'out', nextHop: 'b.example' };
  const tls = { ...sent(chain.map((each) => each.facts)), ...(unverified ? { verified: false } : {}) };
  const evidence = presenting(peer.facts, tls, way);
  const { verdict, findings } = judgePeer(evidence, snapshotWith([agreement]), NOW);
  expect(verdict).toBe('untrusted');
  return [findings[0]?.code ?? '', findings[0]?.detail ?? ''];
}

const keyOf = (algorithm: Uint8Array, key: Uint8Array): CertificateSpec => ({
  spki: der.seq(algorithm, der.bits(key)),
});
const EC = der.oid('1.2.840.10045.2.1');
const onCurve = (oid: string, ...key: readonly number[]): CertificateSpec =>
  keyOf(der.seq(EC, der.oid(oid)), Uint8Array.from(key));
const signedWith = (oid: string): CertificateSpec => {
  const algorithm = der.seq(der.oid(oid));
  return { innerAlgorithm: algorithm, outerAlgorithm: algorithm };
};
const P256 = '1.2.840.10045.3.1.7';

describe('keys and algorithms by their names', () => {
  test.each<[string, CertificateSpec]>([
    ['ML-DSA-65', keyOf(der.seq(der.oid('2.16.840.1.101.3.4.3.18')), new Uint8Array(1952).fill(7))],
    ['SLH-DSA-SHA2-128s', keyOf(der.seq(der.oid('2.16.840.1.101.3.4.3.20')), new Uint8Array(32).fill(7))],
    ['ML-DSA-87', signedWith('2.16.840.1.101.3.4.3.19')],
    ['RSA with SHA3-256', signedWith('2.16.840.1.101.3.4.3.14')],
    ['SM2 with SM3', signedWith('1.2.156.10197.1.501')],
    ['brainpoolP256r1', onCurve('1.3.36.3.3.2.8.1.1.7', 4, ...new Uint8Array(64).fill(9))],
    ['secp256k1', onCurve('1.3.132.0.10', 4, ...new Uint8Array(64).fill(9))],
    ['one by its parameters', keyOf(der.seq(EC, der.seq(der.int(1))), Uint8Array.of(4))],
    ['a compressed one', onCurve(P256, 2, ...makeKey().spki.slice(-64, -32))],
    ['one that OpenSSL does not import', onCurve(P256, 4, ...new Uint8Array(64).fill(9))],
  ])('fail/%s', (found, spec) => {
    const [code, detail] = refusal({ peer: peerOf(spec) });
    expect(code).toBe('weak-key');
    expect(detail).toMatch(new RegExp(`expected .*, found ${found}$`));
  });
});

describe('extensions in words', () => {
  test.each([
    ['1.3.6.1.4.1.11129.2.4.3', /found 1\.3\.6\.1\.4\.1\.11129\.2\.4\.3 \(CT poison: a precertificate/],
    ['2.16.840.1.113730.1.1', /\(nsCertType\)$/],
    ['1.2.3.4', /found 1\.2\.3\.4$/],
  ])('fail/%s, critical', (oid, text) => {
    const [code, detail] = refusal({ peer: peerOf({ add: [extension(oid, der.null(), true)] }) });
    expect([code, detail]).toEqual(['unknown-critical', expect.stringMatching(text)]);
  });

  test('fail/a directory name of name constraints is no hex', () => {
    const sub = ca(rootB, {
      subject: 'O=Operator B,CN=Sub',
      add: [ext.constraints({ permitted: [{ directory: 'O=C' }] })],
    });
    const [, detail] = refusal({ peer: peerOf({ subject: 'O=Operator B,CN=x' }, sub), chain: [sub] });
    expect(detail).toContain('expected a name permitted by directory:O=C (name constraints of CN=Sub,O=Operator B)');
  });
});

/** As public CAs issue it: its names are critical, and there is no subject. */
const nameless = (spec: CertificateSpec = {}, issuer = rootB): Issued =>
  peerOf(
    { subject: '', ...spec, extensions: { altNames: ext.altNames([{ dns: 'b.example' }], true), ...spec.extensions } },
    issuer,
  );
const between = (spec: CertificateSpec, above = rootB): Issued => ca(above, { subject: 'CN=Sub', ...spec });
const below = (...chain: readonly [Issued, ...Issued[]]): Shown => ({ peer: nameless({}, chain[0]), chain });
const policies = (...oids: readonly string[]): CertificateSpec => ({ add: [ext.policies(oids)] });
const explicit = (...more: readonly Uint8Array[]): Issued => between({ add: [ext.policyConstraints(0), ...more] });
const withPolicies = (sub: Issued, spec: CertificateSpec): Shown => ({ peer: nameless(spec, sub), chain: [sub] });

describe('what was compared with what, in both values, of whom', () => {
  const noKeyUsage = { extensions: { keyUsage: ext.keyUsage(['keyEncipherment']) } };
  const short = between({ extensions: { basicConstraints: ext.basicConstraints(true, 0) } });
  const listAt = (uri: string) => crl(rootB, { scope: { names: [{ uri }] } }).facts;
  const hard = (uri: string, add: readonly Uint8Array[] = []): Shown => ({
    peer: nameless({ add }),
    over: { revocation: 'hard', crls: [listAt(uri)] },
  });

  const endedRoot = root({ subject: 'CN=Old', notAfter: NOW - 86_400_000 });
  const listIssuer = ca(rootB, { subject: 'CN=Lists' });
  const indirect = crl(listIssuer, { scope: { indirect: true, names: [{ uri: 'http://b.example/i.crl' }] } }).facts;

  test.each<[string, Shown, string, string]>([
    [
      'a key usage, without a subject',
      { peer: nameless(noKeyUsage) },
      'key-usage',
      'dns:b.example: expected keyUsage digitalSignature, found keyEncipherment',
    ],
    [
      'an issuer whose cA is false',
      below(between({ extensions: { basicConstraints: ext.basicConstraints(false) } })),
      'not-a-ca',
      'CN=Sub: expected basicConstraints with cA, found one without cA',
    ],
    [
      'an issuer without basicConstraints',
      below(between({ extensions: { basicConstraints: undefined } })),
      'not-a-ca',
      'found no basicConstraints',
    ],
    [
      'an issuer of version 1',
      below(between({ bare: true, version: 'absent' })),
      'not-a-ca',
      'found a certificate of version 1',
    ],
    [
      'an anchor that has ended, which is ours to mend',
      { peer: nameless({}, endedRoot), anchors: [endedRoot] },
      'cert-time',
      'anchor CN=Old: expected a time from 2026-05-02T00:00:00.000Z to 2026-05-31T00:00:00.000Z, found 2026-06-01T00:00:00.000Z',
    ],
    [
      'a path length',
      below(ca(short, { subject: 'CN=Too deep' }), short),
      'path-length',
      'CN=Too deep: expected at most 0 further CAs below CN=Sub (pathLenConstraint), found this one beyond them',
    ],
    [
      'a policy that is required of a certificate without one',
      withPolicies(explicit(ext.policies(['1.2.3.4'])), {}),
      'certificate-policy',
      'as CN=Sub asks for (requireExplicitPolicy), found none: dns:b.example has no certificatePolicies, valid above it: 1.2.3.4',
    ],
    [
      'another policy than the one that is required',
      withPolicies(explicit(ext.policies(['1.2.3.4'])), policies('1.2.3.5', '2.23.140.1.2.1')),
      'certificate-policy',
      'found none: dns:b.example has 1.2.3.5; 2.23.140.1.2.1, valid above it: 1.2.3.4',
    ],
    [
      'a CA without policies, which is where they end',
      withPolicies(explicit(), policies('1.2.3.4')),
      'certificate-policy',
      'found none: CN=Sub has no certificatePolicies, valid above it: anyPolicy',
    ],
    [
      'a list of another distribution point',
      hard('http://b.example/1.crl', [ext.crlPoints([{ names: [{ uri: 'http://b.example/2.crl' }] }])]),
      'rev-unknown',
      'expected the list of uri:http://b.example/2.crl, which the certificate names, found that of uri:http://b.example/1.crl',
    ],
    [
      'a list of a distribution point, and a certificate that names none',
      hard('http://b.example/1.crl'),
      'rev-unknown',
      'expected a list for all that its issuer has issued (the certificate names no distribution point), found that of uri:http://b.example/1.crl',
    ],
    [
      'an indirect list, of whose issuer nobody knows whether it is revoked',
      {
        peer: nameless({
          add: [ext.crlPoints([{ names: [{ uri: 'http://b.example/i.crl' }], crlIssuer: 'CN=Lists' }])],
        }),
        over: { revocation: 'hard', intermediates: [listIssuer.facts], crls: [indirect] },
      },
      'rev-unknown',
      'found none that verifies; CN=Lists is no signer here: CN=Lists: expected a revocation status, found no usable CRL of CN=B CA,O=Operator B',
    ],
    [
      'an attribute that reads like two',
      { peer: peerOf({ subject: 'O=B" found "Operator B' }), over: { subject: { organization: ['Operator B'] } } },
      'agreement-attributes',
      String.raw`organization: expected "Operator B", found "B\" found \"Operator B"`,
    ],
  ])('fail/%s', (_, shown, code, text) => {
    expect(refusal(shown)).toEqual([code, expect.stringContaining(text)]);
  });

  test('fail/the last policy is mapped away, where that is forbidden', () => {
    const high = between({ subject: 'CN=High', add: [ext.policies(['1.2.3.4']), ext.policyConstraints(0, 0)] });
    const low = ca(high, {
      subject: 'CN=Low',
      add: [ext.policies(['1.2.3.4']), ext.policyMappings([['1.2.3.4', '1.2.3.5']])],
    });
    const [code, detail] = refusal({ peer: nameless(policies('1.2.3.5'), low), chain: [low, high] });
    expect([code, detail]).toEqual([
      'certificate-policy',
      expect.stringContaining(
        'found none: CN=Low maps the last one to another, and a CA above it forbids that (inhibitPolicyMapping)',
      ),
    ]);
  });
});

describe('purposes of the other role', () => {
  const tlsOnly = ca(rootB, { subject: 'CN=YE1', add: [ext.purposes(['serverAuth'])] });
  const hint = 'the agreement accepts serverAuth in its place with eku: any-role and stack_verification: advisory';

  test('fail/a CA that public CAs keep for servers, above a certificate for both', () => {
    const [code, detail] = refusal({ peer: peerOf({}, tlsOnly), chain: [tlsOnly] });
    expect([code, detail]).toEqual([
      'eku',
      expect.stringContaining(`expected a CA for clientAuth, found extendedKeyUsage serverAuth; ${hint}`),
    ]);
  });
  test('fail/a client certificate on a server', () => {
    const [, detail] = refusal({ peer: peerOf({ extensions: { purposes: ext.purposes(['clientAuth']) } }), out: true });
    expect(detail).toContain('accepts clientAuth in its place with eku: any-role');
  });
  test('fail/no such step where it would not help', () => {
    const [, detail] = refusal({
      peer: peerOf({ extensions: { purposes: ext.purposes(['codeSigning']) } }),
      out: true,
    });
    expect(detail).not.toContain('any-role');
  });
});

describe('what a TLS stack refuses and siptrust would take', () => {
  test.each<[string, RegExp, CertificateSpec, true?]>([
    ['begins in a minute', /begins at .*: the stack knows no skew, .* opened anew/, { notBefore: NOW + 60_000 }],
    ['has ended a minute ago', /ended at .*: the stack knows no skew$/, { notAfter: NOW - 60_000 }],
    [
      'names no purpose of TLS',
      /extendedKeyUsage anyExtendedKeyUsage names no clientAuth, which OpenSSL asks for/,
      { extensions: { purposes: ext.purposes(['2.5.29.37.0']) } },
    ],
    [
      'names none of a server',
      /names no serverAuth, which OpenSSL asks for/,
      { extensions: { purposes: ext.purposes(['2.5.29.37.0', 'clientAuth']) } },
      true,
    ],
    [
      'names another key of its issuer',
      /; CN=leaf \d+,O=Example names another certificate of its issuer, by key identifier .*, than that of CN=B CA,O=Operator B, which OpenSSL asks for$/,
      { extensions: { authorityKey: ext.authorityKey(new Uint8Array(20)) } },
    ],
    [
      'has nothing of that',
      /; siptrust's own path holds: look for its anchor CN=B CA,O=Operator B in ca_list of the proxy, and at verify_depth \(0 CAs between\)$/,
      {},
    ],
  ])('fail/a certificate that %s', (_, text, spec, out) => {
    const way = out === undefined ? {} : { out };
    const shown = { peer: peerOf(spec), unverified: true, ...way } as const;
    expect(refusal(shown)).toEqual(['stack-unverified', expect.stringMatching(text)]);
  });
  test('fail/a certificate that is pinned and stands by itself', () => {
    const peer = selfSignedLeaf({ extensions: { altNames } });
    const over = { pins: [peer.facts.spkiSha256], pinLeaf: true };
    expect(refusal({ peer, anchors: [], unverified: true, over })).toEqual([
      'stack-unverified',
      expect.stringContaining('no stack verifies what stands by itself, and advisory lets siptrust decide'),
    ]);
  });
});

describe('names that do not count', () => {
  test.each<[string, readonly NameValue[], RegExp]>([
    ['wildcard', [{ dns: '*.b.example' }], /wildcard_names: \[b\.example\]/],
    ['wildcard', [{ dns: 'sbc*.b.example' }], /no setting accepts another form than \*\. in front of a whole domain/],
    ['wildcard', [{ dns: '*' }], /no setting accepts another form/],
    ['name-bytes', [{ uri: 'sip://b.example' }], /a SIP URI has no "\/\/" in front of its host/],
    ['name-bytes', [{ dns: 'b\u00fc.example' }], /byte 0xfc at position 2 is in no name: .* xn--/],
    [
      'not-listed',
      [{ dns: 'sbc1.b.example' }],
      /agreement op-b has b\.example: if sbc1\.b\.example is of that network/,
    ],
    ['not-listed', [{ dns: 'sbc1.c.example' }], /^no agreement names sbc1\.c\.example$/],
  ])('fail/%s %j', (code, names, text) => {
    expect(refusal({ peer: named(...names) })).toEqual([code, expect.stringMatching(text)]);
  });
  test('fail/a wildcard in the common name', () => {
    const peer = peerOf({ subject: 'CN=*.b.example', extensions: { altNames: undefined } });
    expect(refusal({ peer })[1]).toContain('no setting accepts one in the common name');
  });
});

describe('a certificate that is to be trusted by itself', () => {
  const selfSigned = selfSignedLeaf({ subject: 'CN=b.example', extensions: { altNames } });
  const asCa = root({ subject: 'CN=b.example', extensions: { altNames } });

  test.each([
    ['self-signed, an end entity', selfSigned, 'not-a-ca'],
    ['self-signed, marked as a CA', asCa, 'cert-type'],
    ['issued by a CA', peerOf(), 'missing-intermediate'],
  ])('fail/under anchors: %s', (_, peer, expected) => {
    const [code, detail] = refusal({ peer, anchors: [peer] });
    expect(code).toBe(expected);
    expect(detail).toContain(
      `it stands under anchors, which are CAs alone: to trust this one certificate, pins: [sha256/`,
    );
    const pinned = { pins: [peer.facts.spkiSha256], pinLeaf: true, anchors: { client: [], server: [] } };
    const agreement = agreementWith({ ...pinned, stackVerification: 'advisory' });
    const evidence = presenting(peer.facts, { verified: false });
    const followed = judgePeer(evidence, snapshotWith([agreement]), NOW);
    expect(followed.verdict).toBe('trusted');
  });
  test('fail/of somebody who only claims the name: no key that could be copied', () => {
    const [code, detail] = refusal({ peer: selfSigned });
    expect(code).toBe('untrusted-chain');
    expect(detail).toContain('has told the key of this one by another way: pins with pin: leaf');
    expect(detail).not.toContain('sha256/');
  });
});

describe('a CA with a new key under its old name', () => {
  const renewed = root({ subject: 'O=Operator B,CN=B CA' });
  const step = /a forgery, or a CA with a new key under its old name \(then the partner tells its new certificate\)$/;
  test.each<[string, string, RegExp, Shown]>([
    [
      'its new root comes along',
      'anchor-mismatch',
      /leads to the self-signed CN=B CA,O=Operator B, which has another key than the anchor of its name: /,
      { peer: peerOf({}, renewed), chain: [renewed] },
    ],
    [
      'and with it another certificate of that root, by a CA that is nowhere',
      'anchor-mismatch',
      /leads to the self-signed CN=B CA,O=Operator B, which has another key than the anchor of its name: /,
      {
        peer: peerOf({}, renewed),
        chain: [renewed, ca(root({ subject: 'CN=Nobody' }), { subject: 'O=Operator B,CN=B CA', key: renewed.key })],
      },
    ],
    [
      'it does not',
      'bad-signature',
      /does not verify with the key of CN=B CA,O=Operator B; it names the key /,
      { peer: peerOf({}, renewed) },
    ],
    [
      'it does not, and nothing names a key',
      'bad-signature',
      /does not verify with the key of CN=B CA,O=Operator B: /,
      { peer: peerOf({ extensions: { altNames, authorityKey: undefined } }, renewed) },
    ],
  ])('fail/%s', (_, code, text, shown) => {
    const [found, detail] = refusal(shown);
    expect(found).toBe(code);
    expect(detail).toMatch(text);
    expect(detail).toMatch(step);
  });
});

describe('a root of somebody else that signed itself with SHA-1, as roots of public CAs do', () => {
  test.each<[string, Parameters<typeof root>[0]]>([
    ['of another name', { subject: 'CN=Public Root', signature: 'sha1' }],
    ['of the name of the anchor', { subject: 'O=Operator B,CN=B CA', signature: 'sha1' }],
  ])('fail/%s: the path is complete, and no CA is missing', (_, spec) => {
    const old = root(spec);
    const [code, detail] = refusal({ peer: peerOf({}, old), chain: [old] });
    expect(code).toBe('anchor-mismatch');
    expect(detail).toContain('accepts one anchor for a TLS client (CN=B CA,O=Operator B); the certificate leads to');
  });
});

describe('a common name alone', () => {
  const peer = peerOf({ subject: 'CN=b.example', extensions: { altNames: undefined } });
  test('fail/of a peer that calls: the agreement that has the name says what would accept it', () => {
    const { agreement, findings } = judgePeer(
      presenting(peer.facts),
      snapshotWith([agreementWith({ anchors: { client: [rootB.facts], server: [rootB.facts] } })]),
      NOW,
    );
    expect(agreement?.name).toBe('op-b');
    expect(findings).toEqual([
      {
        code: 'cn-disabled',
        detail: 'agreement op-b: only the common name names this peer, which counts with cn_fallback: true',
      },
    ]);
  });
  test('fail/of a machine below a domain whose agreement accepts common names: its own name is missing there', () => {
    const machine = peerOf({ subject: 'CN=sbc1.b.example', extensions: { altNames: undefined } });
    expect(refusal({ peer: machine, over: { cnFallback: true } })).toEqual([
      'not-listed',
      expect.stringContaining(
        'agreement op-b has b.example: if sbc1.b.example is of that network, put it under domains',
      ),
    ]);
    expect(refusal({ peer: machine })[0]).toBe('cn-disabled');
  });
  test('fail/of a next hop of another agreement: no name, and no alarm', () => {
    const other = agreementWith({ name: 'op-c', domains: ['c.example'] });
    const snapshot = snapshotWith([agreementWith({}), other]);
    const asked = presenting(peer.facts, {}, { direction: 'out', nextHop: 'c.example' });
    expect(judgePeer(asked, snapshot, NOW).findings[0]?.code).toBe('cn-disabled');
  });
});

describe('each thing is said once', () => {
  test.each<[string, Shown, readonly string[]]>([
    ['a CA that is missing', { peer: peerOf({}, root()) }, ['missing-intermediate', 'untrusted-chain']],
    ['a wildcard', { peer: named({ dns: '*.b.example' }) }, ['wildcard', 'no-sip-id']],
    ['a name of odd bytes', { peer: named({ dns: 'b_.example' }) }, ['name-bytes', 'no-sip-id']],
    ['no name that counts', { peer: named({ ip: Uint8Array.of(192, 0, 2, 1) }) }, ['no-sip-id']],
  ])('fail/%s', (_, { peer }, codes) => {
    const { checks, findings } = judgePeer(presenting(peer.facts), snapshotWith([agreementWith({})]), NOW);
    expect(findings.map(({ code }) => code)).toEqual(codes);
    expect(checks.filter(({ outcome }) => outcome === 'fail')).toHaveLength(1);
  });
});

describe('a status that nobody can know (revocation: hard)', () => {
  const hard = { over: { revocation: 'hard' } } as const;
  test.each<[string, readonly Uint8Array[], RegExp]>([
    [
      'no CRL and no responder',
      [],
      /names neither a CRL nor an OCSP responder: it takes a CRL under crls .*\(revocation: soft does without\)/,
    ],
    [
      'noRevAvail',
      [extension('2.5.29.56', der.null())],
      /publishes no revocation information \(noRevAvail, RFC 9608\)/,
    ],
    [
      'a CRL that was not fetched',
      [ext.crlPoints([{ names: [{ uri: 'http://crl.b.example/b.crl' }] }])],
      /"http:\/\/crl\.b\.example\/b\.crl" of the certificate is fetched where daemon\.revocation has fetch: on and its host in hosts \(/,
    ],
    [
      'a responder',
      [ext.ocspResponder('http://ocsp.b.example')],
      /its OCSP responder "http:\/\/ocsp\.b\.example" is asked where daemon\.revocation has fetch: on and its host in hosts, and no answer that counts is at hand \(siptrustctl crl list says what came of it\)$/,
    ],
    [
      'a responder beside a CRL that nobody fetches',
      [ext.crlPoints([{ names: [{ uri: 'ldap://b.example/cn=b' }] }]), ext.ocspResponder('http://ocsp.b.example')],
      /its OCSP responder "http:\/\/ocsp\.b\.example" is asked where .* no answer that counts is at hand \(siptrustctl crl list/,
    ],
  ])('fail/%s', (_, add, text) => {
    expect(refusal({ peer: peerOf({ add }), ...hard })).toEqual(['rev-unknown', expect.stringMatching(text)]);
  });
  test('fail/a delta alone', () => {
    const over = { revocation: 'hard', crls: [crl(rootB, { base: 5 }).facts] } as const;
    expect(refusal({ peer: peerOf(), over })).toEqual([
      'rev-unknown',
      expect.stringContaining('the CRL at hand is of CN=B CA,O=Operator B, a delta without its complete list; '),
    ]);
  });
});

test('fail/a CA with a new key under its old name: whose key is missing, and what to ask for', () => {
  const [code, detail] = refusal({ peer: leaf(rootB, { signer: makeKey(), extensions: { altNames } }) });
  expect(code).toBe('bad-signature');
  expect(detail).toMatch(/it names the key [0-9a-f]{40} of its issuer, .* a CA with a new key under its old name/);
});
