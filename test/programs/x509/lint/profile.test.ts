import { afterAll, describe, expect, test } from 'vitest';
import { type CertificateKind, lintCertificate } from '../../../../src/x509/lint/profile.js';
import { leaf, makeName, NOW, root } from '../../../support/certificates.js';
import { tlv } from '../../../support/der.js';
import { CertificateMaker, type CertificateRequest, rawSubjectAltName } from '../../../support/openssl-certificate.js';

const maker = new CertificateMaker();
afterAll(() => maker.close());

const DAY = 86_400_000;
/** The certificates are made now and end in a year; the check is asked for tomorrow. */
const TOMORROW = Date.now() + DAY;

/** A TLS entity and a CA with nothing to complain about, line by line, so that a case changes one. */
const ENTITY = {
  basic: 'basicConstraints=critical,CA:FALSE',
  usage: 'keyUsage=critical,digitalSignature',
  eku: 'extendedKeyUsage=serverAuth,clientAuth,1.3.6.1.5.5.7.3.20',
  san: 'subjectAltName=DNS:sbc.b.example',
  crl: 'crlDistributionPoints=URI:http://crl.b.example/ca.crl',
  skid: 'subjectKeyIdentifier=hash',
  akid: 'authorityKeyIdentifier=keyid:always',
};
const CA = {
  basic: 'basicConstraints=critical,CA:TRUE,pathlen:0',
  usage: 'keyUsage=critical,keyCertSign,cRLSign',
  crl: 'crlDistributionPoints=URI:http://crl.b.example/root.crl',
  skid: 'subjectKeyIdentifier=hash',
  akid: 'authorityKeyIdentifier=keyid:always',
};

type Lines = Readonly<Record<string, string | undefined>>;

interface Case {
  readonly name: string;
  readonly lines?: Lines;
  readonly request?: CertificateRequest;
  readonly now?: number;
  /** `severity rule`, each as often as it is found, errors first. */
  readonly expected: readonly string[];
  readonly says?: RegExp;
}

const RSA1024 = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'];
const RSA2048 = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'];
const P384 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'];
const P521 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-521'];
const ED25519 = ['-algorithm', 'ED25519'];

const ENTITIES: readonly Case[] = [
  { name: 'P-256', expected: [] },
  { name: 'P-384', request: { key: P384 }, expected: [] },
  { name: 'RSA 2048', request: { key: RSA2048 }, expected: [] },
  { name: 'domainComponents', request: { subject: '/DC=example/DC=b/CN=sbc' }, expected: [] },
  { name: 'anyExtendedKeyUsage', lines: { eku: 'extendedKeyUsage=anyExtendedKeyUsage' }, expected: [] },
  { name: 'no extendedKeyUsage', lines: { eku: undefined }, expected: [] },
  {
    name: 'URI and dNSName of one domain',
    lines: { san: 'subjectAltName=URI:sip:b.example,DNS:b.example' },
    expected: [],
  },
  { name: 'P-521', request: { key: P521 }, expected: ['info key-outside-profile'] },
  {
    name: 'keyUsage with trailing zero bits',
    lines: { usage: 'keyUsage=critical,DER:03020080' },
    expected: ['warning key-usage-encoding'],
  },
  {
    name: 'cA FALSE written out',
    lines: { basic: 'basicConstraints=critical,DER:3003010100' },
    expected: ['warning default-encoded'],
  },
  { name: 'Ed25519', request: { key: ED25519 }, expected: ['info key-outside-profile'] },
  { name: 'RSA 1024', request: { key: RSA1024 }, expected: ['error weak-key'], says: /1024/ },
  { name: 'SHA-1', request: { digest: 'sha1' }, expected: ['error signature-algorithm'] },
  { name: 'SHA-224', request: { digest: 'sha224' }, expected: ['error signature-algorithm'] },
  { name: 'SHA-384', request: { digest: 'sha384' }, expected: [] },
  { name: 'expired', now: TOMORROW + 366 * DAY, expected: ['error cert-time'] },
  { name: 'not yet valid', now: TOMORROW - 3 * DAY, expected: ['error cert-time'] },
  { name: 'near its end', now: TOMORROW + 340 * DAY, expected: ['warning expires-soon'] },
  { name: 'CN without O', request: { subject: '/CN=sbc' }, expected: ['warning subject-shape'] },
  { name: 'O without CN', request: { subject: '/O=Operator B' }, expected: ['warning subject-shape'] },
  { name: 'a CA', lines: { basic: 'basicConstraints=critical,CA:TRUE' }, expected: ['error entity-is-ca'] },
  {
    name: 'a security gateway',
    lines: { eku: 'extendedKeyUsage=ipsecIKE' },
    expected: [
      'error certificate-type',
      'error eku-none',
      'warning eku-client',
      'warning eku-server',
      'info eku-sip-domain',
    ],
  },
  {
    name: 'a STIR certificate',
    lines: { stir: '1.3.6.1.5.5.7.1.26=DER:300aa008160631323334ffff' },
    expected: ['error certificate-type'],
  },
  { name: 'no keyUsage', lines: { usage: undefined }, expected: ['warning key-usage-absent'] },
  {
    name: 'keyUsage not critical',
    lines: { usage: 'keyUsage=digitalSignature' },
    expected: ['warning key-usage-criticality'],
  },
  {
    name: 'keyUsage without digitalSignature',
    lines: { usage: 'keyUsage=critical,keyEncipherment' },
    expected: ['error key-usage-signature'],
    says: /found keyEncipherment/,
  },
  {
    name: 'keyCertSign without cA',
    lines: { usage: 'keyUsage=critical,digitalSignature,keyCertSign' },
    expected: ['warning key-usage'],
  },
  {
    name: 'critical extendedKeyUsage',
    lines: { eku: 'extendedKeyUsage=critical,serverAuth,clientAuth,1.3.6.1.5.5.7.3.20' },
    expected: ['warning eku-criticality'],
  },
  {
    name: 'F14 serverAuth only',
    lines: { eku: 'extendedKeyUsage=serverAuth' },
    expected: ['warning eku-client', 'info eku-sip-domain'],
    says: /no longer issue clientAuth/,
  },
  {
    name: 'clientAuth only',
    lines: { eku: 'extendedKeyUsage=clientAuth' },
    expected: ['warning eku-server', 'info eku-sip-domain'],
  },
  {
    name: 'F8 sipDomain only',
    lines: { eku: 'extendedKeyUsage=1.3.6.1.5.5.7.3.20' },
    expected: ['warning eku-client', 'warning eku-server'],
  },
  {
    name: 'serverAuth and clientAuth',
    lines: { eku: 'extendedKeyUsage=serverAuth,clientAuth' },
    expected: ['info eku-sip-domain'],
  },
  {
    name: 'codeSigning',
    lines: { eku: 'extendedKeyUsage=codeSigning' },
    expected: ['error eku-none', 'warning eku-client', 'warning eku-server', 'info eku-sip-domain'],
  },
  { name: 'no cRLDistributionPoints', lines: { crl: undefined }, expected: ['warning crl-distribution-absent'] },
  {
    name: 'critical cRLDistributionPoints',
    lines: { crl: 'crlDistributionPoints=critical,URI:http://crl.b.example/ca.crl' },
    expected: ['warning crl-distribution-criticality'],
  },
  {
    name: 'https for the CRL',
    lines: { crl: 'crlDistributionPoints=URI:https://crl.b.example/ca.crl' },
    expected: ['warning crl-distribution-scheme'],
  },
  {
    name: 'ldap and http for the CRL',
    lines: { crl: 'crlDistributionPoints=URI:ldap://b.example/cn=ca,URI:http://b.example/ca.crl' },
    expected: [],
  },
  { name: 'no SAN, no usable CN', lines: { san: undefined }, expected: ['error no-sip-identity'] },
  {
    name: 'no SAN, CN is a domain',
    lines: { san: undefined },
    request: { subject: '/O=Operator B/CN=b.example' },
    expected: ['warning identity-in-common-name'],
  },
  {
    name: 'T-24 wildcard only',
    lines: { san: 'subjectAltName=DNS:*.b.example' },
    expected: ['error no-sip-identity', 'warning refused-name'],
  },
  {
    name: 'wildcard beside a name',
    lines: { san: 'subjectAltName=DNS:b.example,DNS:*.b.example' },
    expected: ['warning refused-name'],
    says: /wildcard/,
  },
  {
    name: 'T-32 NUL',
    lines: {
      san: rawSubjectAltName([
        [2, Buffer.from('b.example\0x')],
        [2, Buffer.from('b.example')],
      ]),
    },
    expected: ['warning bad-extension', 'warning refused-name'],
    says: /\\x00/,
  },
  {
    name: 'T-28 sips',
    lines: { san: 'subjectAltName=URI:sips:b.example' },
    expected: ['error no-sip-identity'],
    says: /"sips"/,
  },
  {
    name: 'F7 a URI hides dNSNames',
    lines: { san: 'subjectAltName=URI:sip:b.example,DNS:b.example,DNS:c.example' },
    expected: ['warning dns-names-hidden'],
    says: /"c.example" does not count/,
  },
  { name: 'URI only', lines: { san: 'subjectAltName=URI:sip:b.example' }, expected: ['info no-dns-name'] },
  {
    name: 'no authorityKeyIdentifier',
    lines: { akid: undefined },
    expected: ['warning bad-extension'],
    says: /authorityKeyIdentifier/,
  },
];

const CAS: readonly Case[] = [
  { name: 'issued by another', expected: [] },
  {
    name: 'self-signed, no path length, no CRL',
    request: { issued: false },
    lines: { basic: 'basicConstraints=critical,CA:TRUE', crl: undefined },
    expected: [],
  },
  {
    name: 'self-signed with SHA-1',
    request: { issued: false, digest: 'sha1' },
    expected: ['warning anchor-signature-algorithm'],
  },
  { name: 'issued with SHA-1', request: { digest: 'sha1' }, expected: ['error signature-algorithm'] },
  { name: 'RSA 1024', request: { key: RSA1024 }, expected: ['error weak-key'] },
  {
    name: 'no basicConstraints',
    lines: { basic: undefined, usage: undefined },
    expected: ['error not-a-ca', 'warning key-usage', 'warning key-usage-absent'],
  },
  {
    name: 'cA FALSE',
    lines: { basic: 'basicConstraints=critical,CA:FALSE', usage: 'keyUsage=critical,cRLSign' },
    expected: ['error not-a-ca', 'error key-usage'],
  },
  {
    name: 'basicConstraints not critical',
    lines: { basic: 'basicConstraints=CA:TRUE,pathlen:0' },
    expected: ['warning bad-extension'],
  },
  {
    name: 'no keyUsage',
    lines: { usage: undefined },
    expected: ['warning key-usage', 'warning key-usage-absent'],
  },
  {
    name: 'keyUsage not critical',
    lines: { usage: 'keyUsage=keyCertSign,cRLSign' },
    expected: ['warning key-usage-criticality'],
  },
  {
    name: 'no keyCertSign',
    lines: { basic: 'basicConstraints=critical,CA:TRUE', usage: 'keyUsage=critical,cRLSign' },
    expected: ['error key-usage', 'warning ca-path-length'],
  },
  { name: 'no cRLSign', lines: { usage: 'keyUsage=critical,keyCertSign' }, expected: ['warning ca-crl-sign'] },
  {
    name: 'no path length',
    lines: { basic: 'basicConstraints=critical,CA:TRUE' },
    expected: ['warning ca-path-length'],
  },
  { name: 'no cRLDistributionPoints', lines: { crl: undefined }, expected: ['warning crl-distribution-absent'] },
  { name: 'extendedKeyUsage of both roles', lines: { eku: 'extendedKeyUsage=serverAuth,clientAuth' }, expected: [] },
  {
    name: 'extendedKeyUsage of one role',
    lines: { eku: 'extendedKeyUsage=serverAuth' },
    expected: ['info ca-eku-role'],
  },
  {
    name: 'extendedKeyUsage without a TLS role',
    lines: { eku: 'extendedKeyUsage=emailProtection' },
    expected: ['error ca-eku-none'],
    says: /found emailProtection/,
  },
  {
    name: 'extendedKeyUsage for SIP domains alone',
    lines: { eku: 'extendedKeyUsage=1.3.6.1.5.5.7.3.20' },
    expected: ['info ca-eku-role', 'info ca-eku-role'],
  },
  {
    name: 'no subjectKeyIdentifier',
    lines: { skid: 'subjectKeyIdentifier=none' },
    expected: ['warning bad-extension'],
  },
  {
    name: 'F9 nameConstraints on dNSName',
    lines: { nc: 'nameConstraints=critical,permitted;DNS:b.example' },
    expected: ['info name-constraints-dns-only'],
  },
  {
    name: 'F9 nameConstraints on URI',
    lines: { nc: 'nameConstraints=critical,permitted;URI:.b.example' },
    expected: ['warning name-constraints-uri'],
  },
  {
    name: 'F9 nameConstraints on both',
    lines: { nc: 'nameConstraints=critical,permitted;DNS:b.example,permitted;URI:.b.example' },
    expected: ['warning name-constraints-uri'],
  },
  {
    name: 'nameConstraints not critical',
    lines: { nc: 'nameConstraints=permitted;dirName:dn' },
    expected: ['warning name-constraints-criticality'],
  },
  {
    name: 'unknown critical extension',
    lines: { odd: '1.2.3.4=critical,DER:0500' },
    expected: ['error unknown-critical'],
  },
  { name: 'expired', now: TOMORROW + 366 * DAY, expected: ['error cert-time'] },
];

describe.each<readonly [CertificateKind, Lines, CertificateRequest, readonly Case[]]>([
  ['tls-entity', ENTITY, { issued: true }, ENTITIES],
  ['tls-ca', CA, { issued: true, subject: '/O=Operator B/CN=Sub CA' }, CAS],
])('lintCertificate as %s', (kind, base, defaults, cases) => {
  for (const { name, lines = {}, request = {}, now = TOMORROW, expected, says } of cases) {
    test(`${expected.length === 0 ? 'ok' : 'fail'}/${name}`, () => {
      const extensions = Object.values({ ...base, ...lines }).filter((line) => line !== undefined);
      const facts = maker.make({ ...defaults, ...request, extensions });
      const found = lintCertificate(facts, kind, now);
      expect(found.map(({ severity, rule }) => `${severity} ${rule}`)).toEqual(expected);
      if (says) expect(found.map(({ text }) => text).join('\n')).toMatch(says);
      for (const { clause, text } of found) {
        expect(clause).toMatch(/^(TS \d\d\.\d{3}|RFC \d{4}) §/);
        expect(text).toMatch(/^[\x20-\x7e§]+$/);
      }
    });
  }
});

test('fail/a string type of old has its name', () => {
  const bmp = (value: string) => tlv(0x1e, new Uint8Array(Buffer.from(value, 'utf16le').swap16()));
  const { facts } = leaf(root(), { subject: makeName('O=Operator B,CN=sbc', bmp) });
  const found = lintCertificate(facts, 'tls-entity', NOW).filter(({ rule }) => rule === 'name-string-type');
  expect(found.map(({ text }) => text)).toEqual([
    'expected UTF8String or PrintableString in subject, found O as BMPString',
    'expected UTF8String or PrintableString in subject, found CN as BMPString',
  ]);
});
