/** Fields and extensions that other suites use to tell validators apart (x509-limbo, Frankencert, PKITS, OpenSSL's own). */

import { DerReader } from '../../../../../src/x509/der/der.js';
import { type CertificateSpec, ca, DAY, ext, extension, leaf, NOW, root } from '../../../../support/certificates.js';
import { der, tlv } from '../../../../support/der.js';
import { describeRecords, type RecordCase, type RecordRow } from '../../../../support/records.js';

type Place = 'root' | 'ca' | 'leaf';

/** root -> ca -> leaf, changed at one place. */
const chain =
  (place: Place, spec: CertificateSpec, more: Partial<RecordCase> = {}) =>
  (): RecordCase => {
    const r = root(place === 'root' ? spec : {});
    const a = ca(r, place === 'ca' ? spec : {});
    return { leaf: leaf(a, place === 'leaf' ? spec : {}), via: [a], anchors: [r], ...more };
  };

const add = (...items: Uint8Array[]): CertificateSpec => ({ add: items });
const replace = (extensions: CertificateSpec['extensions']): CertificateSpec => ({ extensions: extensions ?? {} });
const text = (value: string): Uint8Array => der.text(value);
const utc = (value: string): Uint8Array => tlv(0x17, text(value));
const generalized = (value: string): Uint8Array => tlv(0x18, text(value));

const EXTENSION = {
  keyUsage: '2.5.29.15',
  altNames: '2.5.29.17',
  issuerAltNames: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  constraints: '2.5.29.30',
  points: '2.5.29.31',
  policies: '2.5.29.32',
  mappings: '2.5.29.33',
  purposes: '2.5.29.37',
  freshest: '2.5.29.46',
  authorityInfo: '1.3.6.1.5.5.7.1.1',
} as const;

const POLICY = '1.2.3.4';
const qualified = (qualifier: string, critical: boolean): Uint8Array =>
  extension(
    EXTENSION.policies,
    der.seq(der.seq(der.oid(POLICY), der.seq(der.seq(der.oid(qualifier), der.ia5('http://cps.example/'))))),
    critical,
  );

const times: readonly RecordRow[] = [
  [
    'ok/99991231235959Z: no well-defined end (RFC 5280 §4.1.2.5)',
    chain('leaf', { notAfter: generalized('99991231235959Z') }),
  ],
  ['ok/the last UTCTime, 2049 (RFC 5280 §4.1.2.5)', chain('leaf', { notAfter: utc('491231235959Z') })],
  [
    'ok/the first GeneralizedTime, 2050 (RFC 5280 §4.1.2.5)',
    chain('leaf', { notAfter: generalized('20500101000000Z') }),
  ],
  ['fail/UTCTime 50 is 1950 (RFC 5280 §4.1.2.5.1)', 'cert-time', chain('leaf', { notAfter: utc('500101000000Z') })],
  [
    'fail/GeneralizedTime in 2049 (RFC 5280 §4.1.2.5)',
    'malformed-cert',
    chain('leaf', { notAfter: generalized('20491231235959Z') }),
  ],
  [
    'fail/UTCTime without seconds (RFC 5280 §4.1.2.5.1)',
    'malformed-cert',
    chain('leaf', { notAfter: utc('4912312359Z') }),
  ],
  ['fail/UTCTime without Z', 'malformed-cert', chain('leaf', { notAfter: utc('491231235959') })],
  ['fail/UTCTime with an offset', 'malformed-cert', chain('leaf', { notAfter: utc('491231235959+0000') })],
  ['fail/UTCTime with 60 seconds', 'malformed-cert', chain('leaf', { notAfter: utc('491231235960Z') })],
  ["fail/UTCTime at 24 o'clock", 'malformed-cert', chain('leaf', { notAfter: utc('491231240000Z') })],
  ['fail/UTCTime in month 0', 'malformed-cert', chain('leaf', { notAfter: utc('490031235959Z') })],
  ['fail/UTCTime with a blank', 'malformed-cert', chain('leaf', { notAfter: utc('49 231235959Z') })],
  ['fail/GeneralizedTime without seconds', 'malformed-cert', chain('leaf', { notAfter: generalized('205001010000Z') })],
  [
    'fail/GeneralizedTime with fractions',
    'malformed-cert',
    chain('leaf', { notAfter: generalized('20500101000000.5Z') }),
  ],
  ['fail/an empty time', 'malformed-cert', chain('leaf', { notAfter: utc('') })],
  [
    'fail/a DATE in the place of a time',
    'malformed-cert',
    chain('leaf', { notAfter: tlv(0x0c, text('491231235959Z')) }),
  ],
  ['fail/the end before the beginning', 'cert-time', chain('leaf', { notBefore: NOW + DAY, notAfter: NOW - DAY })],
  ['ok/at notBefore (RFC 5280 §4.1.2.5)', chain('leaf', { notBefore: NOW }, {})],
  ['ok/at notAfter (RFC 5280 §4.1.2.5)', chain('leaf', { notAfter: NOW })],
  ['fail/one second before notBefore', 'cert-time', chain('leaf', { notBefore: NOW + 1000 })],
  ['fail/one second after notAfter', 'cert-time', chain('leaf', { notAfter: NOW - 1000 })],
  ['fail/an expired intermediate', 'cert-time', chain('ca', { notAfter: NOW - 1000 })],
  [
    'fail/an expired anchor: an operator named it, and its end is part of what was named',
    'cert-time',
    chain('root', { notAfter: NOW - 1000 }),
  ],
  ['fail/an anchor that is not valid yet', 'cert-time', chain('root', { notBefore: NOW + 1000 })],
];

const serials: readonly RecordRow[] = [
  ['ok/a serial number of 1', chain('leaf', { serial: 1n })],
  ['ok/20 octets, the first below 0x80 (RFC 5280 §4.1.2.2)', chain('leaf', { serial: (1n << 158n) + 1n })],
  ['ok/20 octets and a sign octet, as many CAs count', chain('leaf', { serial: (1n << 159n) + 1n })],
  ['fail/21 octets (RFC 5280 §4.1.2.2)', 'malformed-cert', chain('leaf', { serial: 1n << 160n })],
  ['fail/21 octets of an intermediate (RFC 5280 §4.1.2.2)', 'malformed-cert', chain('ca', { serial: 1n << 160n })],
  ['fail/0 (RFC 5280 §4.1.2.2)', 'malformed-cert', chain('leaf', { serial: 0n })],
  ['fail/a negative one (RFC 5280 §4.1.2.2)', 'malformed-cert', chain('leaf', { serial: -1n })],
  ['fail/an empty INTEGER (X.690 §8.3.1)', 'malformed-cert', chain('leaf', { serial: new Uint8Array(0) })],
  ['fail/a padded INTEGER (X.690 §8.3.2)', 'malformed-cert', chain('leaf', { serial: Uint8Array.of(0, 1) })],
];

const versions: readonly RecordRow[] = [
  ['fail/version 1 with extensions (RFC 5280 §4.1)', 'bad-extension', chain('leaf', { version: 'absent' })],
  ['fail/version 2 with extensions (RFC 5280 §4.1)', 'bad-extension', chain('leaf', { version: 1 })],
  ['fail/version 1 written out (X.690 §11.5)', 'malformed-cert', chain('leaf', { version: 0, bare: true })],
  ['fail/version 4', 'malformed-cert', chain('leaf', { version: 3 })],
  ['fail/a negative version', 'malformed-cert', chain('leaf', { version: -1 })],
  ['fail/version 1 of the leaf', 'malformed-cert', chain('leaf', { version: 'absent', bare: true })],
  ['fail/version 3 without extensions', 'bad-extension', chain('leaf', { bare: true })],
];

const critical = extension('1.3.6.1.4.1.55738.666.1', der.null(), true);

const extensions: readonly RecordRow[] = [
  [
    'fail/an unknown critical extension of the leaf (RFC 5280 §6.1.5 (f))',
    'unknown-critical',
    chain('leaf', add(critical)),
  ],
  [
    'fail/an unknown critical extension of an intermediate (RFC 5280 §6.1.4 (o))',
    'unknown-critical',
    chain('ca', add(critical)),
  ],
  ['fail/an unknown critical extension of the anchor (RFC 5937 §2)', 'unknown-critical', chain('root', add(critical))],
  [
    'fail/the certificate transparency poison (RFC 6962 §3.1)',
    'unknown-critical',
    chain('leaf', add(extension('1.3.6.1.4.1.11129.2.4.3', der.null(), true))),
  ],
  [
    'fail/a critical extension of the Netscape past',
    'unknown-critical',
    chain('leaf', add(extension('2.16.840.1.113730.1.1', der.bitList([1]), true))),
  ],
  ['fail/subjectAltName twice', 'bad-extension', chain('leaf', add(ext.altNames([{ dns: 'other.example' }])))],
  ['fail/basicConstraints twice', 'bad-extension', chain('ca', add(ext.basicConstraints(true)))],
  [
    'fail/basicConstraints with trailing octets',
    'bad-extension',
    chain(
      'ca',
      replace({
        basicConstraints: extension(EXTENSION.basicConstraints, der.concat(der.seq(der.bool(true)), der.null()), true),
      }),
    ),
  ],
  [
    'fail/cA TRUE as 0x01 (X.690 §11.1)',
    'bad-extension',
    chain('ca', replace({ basicConstraints: extension(EXTENSION.basicConstraints, der.seq(tlv(1, 1)), true) })),
  ],
  [
    'fail/an empty value of basicConstraints',
    'bad-extension',
    chain('ca', replace({ basicConstraints: extension(EXTENSION.basicConstraints, new Uint8Array(0), true) })),
  ],
  [
    'fail/a pathLenConstraint of 2^40',
    'bad-extension',
    chain(
      'ca',
      replace({
        basicConstraints: extension(EXTENSION.basicConstraints, der.seq(der.bool(true), der.int(2 ** 40)), true),
      }),
    ),
  ],
  [
    'fail/keyUsage that is no BIT STRING',
    'bad-extension',
    chain('leaf', replace({ keyUsage: extension(EXTENSION.keyUsage, tlv(4, 0x80), true) })),
  ],
  [
    'fail/keyUsage of an intermediate without bits (RFC 5280 §4.2.1.3)',
    'key-usage',
    chain('ca', replace({ keyUsage: ext.keyUsage([]) })),
  ],
  [
    'fail/keyCertSign of an end entity (RFC 5280 §4.2.1.3)',
    'key-usage',
    chain('leaf', replace({ keyUsage: ext.keyUsage(['digitalSignature', 'keyCertSign']) })),
  ],
  [
    'ok/keyUsage that is not critical (RFC 5280 §4.2.1.3: SHOULD)',
    chain('leaf', replace({ keyUsage: ext.keyUsage(['digitalSignature'], false) })),
  ],
  [
    'fail/an empty extendedKeyUsage (RFC 5280 §4.2.1.12)',
    'bad-extension',
    chain('leaf', replace({ purposes: ext.purposes([]) })),
  ],
  [
    'ok/a critical extendedKeyUsage (RFC 5280 §4.2.1.12)',
    chain('leaf', replace({ purposes: ext.purposes(['serverAuth', 'clientAuth'], true) })),
  ],
  [
    'fail/extendedKeyUsage with the same purpose in ASCII',
    'bad-extension',
    chain('leaf', replace({ purposes: extension(EXTENSION.purposes, der.seq(der.ia5('serverAuth'))) })),
  ],
  ['fail/clientAuth only, of a server', 'eku', chain('leaf', replace({ purposes: ext.purposes(['clientAuth']) }))],
  [
    'fail/serverAuth only, of a client (T-39)',
    'eku',
    chain('leaf', replace({ purposes: ext.purposes(['serverAuth']) }), { purpose: 'client' }),
  ],
  ['fail/a CA for OCSP signing only', 'eku', chain('ca', replace({ purposes: ext.purposes(['1.3.6.1.5.5.7.3.9']) }))],
  [
    'fail/a CA as the leaf (T-41)',
    'cert-type',
    chain('leaf', replace({ basicConstraints: ext.basicConstraints(true) })),
  ],
  [
    'ok/a CA as the leaf, for any purpose: the last certificate is no intermediate (RFC 5280 §4.2.1.9)',
    chain('leaf', replace({ basicConstraints: ext.basicConstraints(true), keyUsage: ext.keyUsage(['keyCertSign']) }), {
      purpose: 'any',
    }),
  ],
  [
    'fail/authorityInfoAccess that is empty (RFC 5280 §4.2.2.1)',
    'bad-extension',
    chain('leaf', add(extension(EXTENSION.authorityInfo, der.seq()))),
  ],
  [
    'fail/authorityInfoAccess that is no list',
    'bad-extension',
    chain('leaf', add(extension(EXTENSION.authorityInfo, text('malformed')))),
  ],
  [
    'fail/cRLDistributionPoints without a point (RFC 5280 §4.2.1.13)',
    'bad-extension',
    chain('leaf', add(extension(EXTENSION.points, der.seq()))),
  ],
  [
    'fail/a distribution point of reasons alone (RFC 5280 §4.2.1.13)',
    'bad-extension',
    chain('leaf', add(ext.crlPoints([{ reasons: ['keyCompromise'] }]))),
  ],
  ['fail/an empty distribution point (RFC 5280 §4.2.1.13)', 'bad-extension', chain('leaf', add(ext.crlPoints([{}])))],
  [
    'fail/a distribution point without names (RFC 5280 §4.2.1.6)',
    'bad-extension',
    chain('leaf', add(ext.crlPoints([{ names: [] }]))),
  ],
  [
    'fail/a critical freshestCRL (RFC 5280 §4.2.1.15)',
    'bad-extension',
    chain(
      'leaf',
      add(
        extension(
          EXTENSION.freshest,
          der.seq(der.seq(tlv(0xa0, tlv(0xa0, tlv(0x86, text('http://a.example/')))))),
          true,
        ),
      ),
    ),
  ],
  [
    'fail/an empty issuerAltName (RFC 5280 §4.2.1.7)',
    'bad-extension',
    chain('leaf', add(extension(EXTENSION.issuerAltNames, der.seq()))),
  ],
  ['ok/CPS as policy qualifier (RFC 5280 §4.2.1.4)', chain('leaf', add(qualified('1.3.6.1.5.5.7.2.1', false)))],
  ['ok/CPS as policy qualifier, critical', chain('leaf', add(qualified('1.3.6.1.5.5.7.2.1', true)))],
  ['ok/an unknown policy qualifier', chain('leaf', add(qualified('1.2.3.5', false)))],
  [
    'fail/an unknown policy qualifier, critical (RFC 5280 §4.2.1.4)',
    'unknown-critical',
    chain('leaf', add(qualified('1.2.3.5', true))),
  ],
  [
    'fail/an empty list of policy qualifiers (RFC 5280 §4.2.1.4)',
    'bad-extension',
    chain('leaf', add(extension(EXTENSION.policies, der.seq(der.seq(der.oid(POLICY), der.seq()))))),
  ],
  [
    'fail/certificatePolicies without a policy',
    'bad-extension',
    chain('leaf', add(extension(EXTENSION.policies, der.seq()))),
  ],
  ['fail/one policy twice (RFC 5280 §4.2.1.4)', 'bad-extension', chain('leaf', add(ext.policies([POLICY, POLICY])))],
  [
    'fail/policyMappings without a pair',
    'bad-extension',
    chain('ca', add(extension(EXTENSION.mappings, der.seq(), true))),
  ],
  ['fail/empty policyConstraints (RFC 5280 §4.2.1.11)', 'bad-extension', chain('ca', add(ext.policyConstraints()))],
  [
    'fail/nameConstraints of an end entity (RFC 5280 §4.2.1.10)',
    'bad-extension',
    chain('leaf', add(ext.constraints({ permitted: [{ dns: 'example' }] }))),
  ],
  [
    'fail/nameConstraints with empty lists (RFC 5280 §4.2.1.10)',
    'bad-extension',
    chain('ca', add(ext.constraints({ permitted: [], excluded: [] }))),
  ],
  [
    'fail/nameConstraints with neither list (RFC 5280 §4.2.1.10)',
    'bad-extension',
    chain('ca', add(ext.constraints({}))),
  ],
  ['ok/unique identifiers (RFC 5280 §4.1.2.8: to be parsed)', chain('leaf', { changeTbs: withUniqueId })],
];

/** issuerUniqueID in front of the extensions: the last fields of a TBSCertificate of this length. */
function withUniqueId(tbs: Uint8Array): Uint8Array {
  const fields = childrenOf(tbs);
  return der.seq(...fields.slice(0, -1), tlv(0x81, 0, 1, 2, 3), fields.at(-1) as Uint8Array);
}

function childrenOf(element: Uint8Array): readonly Uint8Array[] {
  const reader = new DerReader(element).sequence('element');
  const children: Uint8Array[] = [];
  while (!reader.done) {
    reader.any('child');
    children.push(reader.element());
  }
  return children;
}

const names: readonly RecordRow[] = [
  [
    'fail/an empty issuer (RFC 5280 §4.1.2.4)',
    'malformed-cert',
    () => {
      const r = root({ subject: '' });
      return { leaf: leaf(r), anchors: [r] };
    },
  ],
  [
    'fail/an empty subject with subjectAltName that is not critical (RFC 5280 §4.2.1.6)',
    'bad-extension',
    chain('leaf', { subject: '' }),
  ],
  [
    'fail/neither subject nor subjectAltName (RFC 5280 §4.1.2.6)',
    'bad-extension',
    chain('leaf', { subject: '', ...replace({ altNames: undefined }) }),
  ],
  ['fail/an empty subject of an intermediate (RFC 5280 §4.1.2.6)', 'malformed-cert', chain('ca', { subject: '' })],
  [
    'fail/a dNSName with NUL (CVE-2009-2408)',
    'bad-extension',
    chain(
      'leaf',
      replace({ altNames: ext.altNames([{ dns: 'peer.example\0.evil.example' }, { dns: 'peer.example' }]) }),
    ),
  ],
  [
    'fail/a dNSName in UTF-8 (RFC 5280 §7.2)',
    'bad-extension',
    chain('leaf', replace({ altNames: ext.altNames([{ dns: Buffer.from('pe\u00e9r.example').toString('latin1') }]) })),
  ],
  [
    'fail/a dNSName of one blank (RFC 5280 §4.2.1.6)',
    'bad-extension',
    chain('leaf', replace({ altNames: ext.altNames([{ dns: ' ' }]) })),
  ],
  [
    'fail/an empty dNSName (RFC 5280 §4.2.1.6)',
    'bad-extension',
    chain('leaf', replace({ altNames: ext.altNames([{ dns: '' }, { dns: 'peer.example' }]) })),
  ],
  [
    'fail/a URI without a scheme (RFC 5280 §4.2.1.6)',
    'bad-extension',
    chain('leaf', replace({ altNames: ext.altNames([{ uri: '/relative' }, { dns: 'peer.example' }]) })),
  ],
  [
    'fail/a URI with a blank (RFC 3986 §2)',
    'bad-extension',
    chain('leaf', replace({ altNames: ext.altNames([{ uri: 'sip:peer.example ' }]) })),
  ],
  [
    'fail/an rfc822Name that is not ASCII (RFC 5280 §4.2.1.6)',
    'bad-extension',
    chain('leaf', replace({ altNames: ext.altNames([{ email: 'a\u00e9@peer.example' }]) })),
  ],
  [
    'fail/an iPAddress of 5 octets (RFC 5280 §4.2.1.6)',
    'bad-extension',
    chain('leaf', replace({ altNames: ext.altNames([{ ip: [1, 2, 3, 4, 5] }]) })),
  ],
  [
    'fail/an iPAddress with a mask (RFC 5280 §4.2.1.6)',
    'bad-extension',
    chain('leaf', replace({ altNames: ext.altNames([{ ip: [10, 0, 0, 0, 255, 0, 0, 0] }]) })),
  ],
  [
    'fail/subjectAltName that is no list',
    'bad-extension',
    chain('leaf', replace({ altNames: extension(EXTENSION.altNames, tlv(0x16, text('peer.example'))) })),
  ],
  [
    'ok/a sips: URI, which names no SIP domain but is a name',
    chain('leaf', replace({ altNames: ext.altNames([{ uri: 'sips:peer.example' }]) })),
  ],
  ['ok/a wildcard dNSName', chain('leaf', replace({ altNames: ext.altNames([{ dns: '*.peer.example' }]) }))],
  [
    'fail/a dNSName with an underscore (RFC 5280 §4.2.1.6: preferred name syntax)',
    'bad-extension',
    chain('leaf', replace({ altNames: ext.altNames([{ dns: '_sip.peer.example' }]) })),
  ],
];

const ORIGIN = '1.2.840.10045.4.3.2';
const wrapped = (change: (encoded: Uint8Array) => Uint8Array) => (): RecordCase => {
  const r = root();
  const end = leaf(r);
  const encoded = change(end.der);
  return { leaf: { pem: pemOf(encoded) }, anchors: [r] };
};
const pemOf = (encoded: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(encoded).toString('base64')}\n-----END CERTIFICATE-----\n`;

const encodings: readonly RecordRow[] = [
  ['ok/as it was issued', wrapped((encoded) => encoded)],
  [
    'fail/trailing octets after the certificate',
    'malformed-cert',
    wrapped((encoded) => der.concat(encoded, Uint8Array.of(0))),
  ],
  [
    'fail/an indefinite length (X.690 §10.1)',
    'malformed-cert',
    wrapped((encoded) => der.concat(Uint8Array.of(0x30, 0x80), encoded.subarray(4), Uint8Array.of(0, 0))),
  ],
  [
    'fail/a length in more octets than needed (X.690 §10.1)',
    'malformed-cert',
    wrapped((encoded) => der.concat(Uint8Array.of(0x30, 0x83, 0), encoded.subarray(2))),
  ],
  [
    'fail/a SET in the place of the SEQUENCE',
    'malformed-cert',
    wrapped((encoded) => Uint8Array.from(encoded, (octet, i) => (i === 0 ? 0x31 : octet))),
  ],
  ['fail/the last octet is missing', 'malformed-cert', wrapped((encoded) => encoded.subarray(0, -1))],
  [
    'fail/a second algorithm outside than inside (RFC 5280 §4.1.1.2)',
    'malformed-cert',
    chain('leaf', { outerAlgorithm: der.seq(der.oid('1.2.840.10045.4.3.3')) }),
  ],
  [
    'fail/NULL parameters outside only (RFC 5280 §4.1.1.2)',
    'malformed-cert',
    chain('leaf', { outerAlgorithm: der.seq(der.oid(ORIGIN), der.null()) }),
  ],
];

describeRecords('times', times);
describeRecords('serial numbers', serials);
describeRecords('versions', versions);
describeRecords('extensions', extensions);
describeRecords('names of certificates', names);
describeRecords('encodings', encodings);
