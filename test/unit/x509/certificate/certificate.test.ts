import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MalformedCertificate, parseCertificate } from '../../../../src/x509/certificate/certificate.js';
import {
  type CertificateSpec,
  ca,
  DAY,
  ext,
  extension,
  leaf,
  makeKey,
  NOW,
  root,
} from '../../../support/certificates.js';
import { der, tlv } from '../../../support/der.js';

const issuer = root({ subject: 'C=DE,O=Operator A,CN=TLS CA' });
const made = (spec: CertificateSpec) => leaf(issuer, spec).der;

describe('parseCertificate', () => {
  it('ok/reads what a certificate says', () => {
    const key = makeKey();
    const end = leaf(issuer, {
      key,
      subject: 'O=Operator B+OU=IMS,CN=sbc.b.example',
      serial: 0x80n,
      extensions: {
        altNames: ext.altNames([{ uri: 'sip:b.example' }, { dns: 'b.example' }]),
        basicConstraints: ext.basicConstraints(false),
      },
      add: [
        ext.policies(['1.2.3']),
        ext.crlPoints([{ names: [{ uri: 'http://b.example/1.crl' }] }]),
        ext.authorityInfo(),
      ],
    });
    const facts = parseCertificate(end.der);
    expect(facts).toMatchObject({
      version: 3,
      serial: '80',
      issuerText: 'CN=TLS CA,O=Operator A,C=DE',
      subjectText: 'CN=sbc.b.example,O=Operator B+OU=IMS',
      notBefore: NOW - 30 * DAY,
      notAfter: NOW + 365 * DAY,
      selfIssued: false,
      isCa: false,
      basicConstraints: { ca: false, pathLength: undefined },
      extendedKeyUsage: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'],
      policies: ['1.2.3'],
      nameConstraints: undefined,
      subjectKeyIdentifier: key.identifier,
    });
    expect(facts.subjectAltNames).toEqual([
      { type: 'uri', bytes: der.text('sip:b.example') },
      { type: 'dns', bytes: der.text('b.example') },
    ]);
    expect(facts.keyUsage).toEqual(new Set(['digitalSignature']));
    expect(facts.sha256).toBe(createHash('sha256').update(end.der).digest('hex'));
    expect(facts.spkiSha256).toBe(createHash('sha256').update(key.spki).digest('base64'));
    expect(facts.authorityInfoAccess?.[0]?.method).toBe('1.3.6.1.5.5.7.48.2');
    expect(Object.isFrozen(facts)).toBe(true);
  });

  it('ok/agrees with node:crypto on what both read', () => {
    const end = leaf(issuer, { subject: 'O=B,CN=b' });
    const [ours, theirs] = [end.facts, new X509Certificate(end.der)];
    expect(ours.serial).toBe(theirs.serialNumber.toLowerCase());
    expect(ours.notAfter).toBe(Date.parse(theirs.validTo));
    expect(ours.subjectText.split(',').reverse().join('\n')).toBe(theirs.subject);
    expect(ours.sha256).toBe(theirs.fingerprint256.replaceAll(':', '').toLowerCase());
  });

  it('ok/keeps the facts when the caller changes its buffer', () => {
    const bytes = Uint8Array.from(made({}));
    const facts = parseCertificate(bytes);
    bytes.fill(0);
    expect(createHash('sha256').update(facts.der).digest('hex')).toBe(facts.sha256);
  });

  it.each([
    ['NUL', 'b.example\0.evil.example'],
    ['comma injection', 'a.example, DNS:b.example'],
    ['line break', 'a.example\r\nX: y'],
    ['octets above ASCII', '\u00ff\u00fe'],
    ['nothing', ''],
  ])('ok/keeps the octets of a hostile name as they stand: %s', (_, value) => {
    const { subjectAltNames } = parseCertificate(
      made({ extensions: { altNames: ext.altNames([{ dns: value }, { uri: value }]) } }),
    );
    expect(subjectAltNames?.map(({ bytes }) => Buffer.from(bytes).toString('latin1'))).toEqual([value, value]);
  });

  it('ok/keeps NUL in a common name and shows it escaped', () => {
    const { subject, subjectText } = parseCertificate(made({ subject: 'CN=b.example\0.evil' }));
    expect(subject[0]?.value).toBe('b.example\0.evil');
    expect(subjectText).toBe('CN=b.example\\00.evil');
  });

  it('ok/tells an absent extension from an empty one', () => {
    expect(parseCertificate(made({ extensions: { altNames: undefined } })).subjectAltNames).toBeUndefined();
    expect(parseCertificate(made({ extensions: { altNames: ext.altNames([]) } })).subjectAltNames).toEqual([]);
  });

  it.each([
    [0n, '00'],
    [0x7fn, '7f'],
    [0xffn, 'ff'],
    [-1n, '-01'],
    [-0x80n, '-80'],
    [1n << 159n, `80${'00'.repeat(19)}`],
  ])('ok/writes serial number %s as %s', (serial, text) => {
    expect(parseCertificate(made({ serial })).serial).toBe(text);
  });

  it.each([
    ['1949 as GeneralizedTime', der.generalizedTime(new Date(Date.UTC(1949, 0, 1))), Date.UTC(1949, 0, 1)],
    ['50 as 1950', tlv(0x17, der.text('500101000000Z')), Date.UTC(1950, 0, 1)],
    ['49 as 2049', tlv(0x17, der.text('491231235959Z')), Date.UTC(2049, 11, 31, 23, 59, 59)],
    ['year 9999', tlv(0x18, der.text('99991231235959Z')), Date.UTC(9999, 11, 31, 23, 59, 59)],
    ['29 February of a leap year', tlv(0x17, der.text('240229000000Z')), Date.UTC(2024, 1, 29)],
  ])('ok/reads time: %s', (_, notBefore, expected) => {
    expect(parseCertificate(made({ notBefore })).notBefore).toBe(expected);
  });
});

/** The element at `path` (indexes of nested elements) replaced by what `change` makes of it. */
function change(bytes: Uint8Array, path: readonly number[], make: (element: Uint8Array) => Uint8Array): Uint8Array {
  const [index, ...rest] = path;
  if (index === undefined) return make(bytes);
  const head = bytes[1] as number;
  const start = head < 0x80 ? 2 : 2 + (head & 0x7f);
  const items: Uint8Array[] = [];
  for (let at = start; at < bytes.length; ) {
    const length = bytes[at + 1] as number;
    const octets = length < 0x80 ? 0 : length & 0x7f;
    let size = length < 0x80 ? length : 0;
    for (let i = 0; i < octets; i++) size = size * 256 + (bytes[at + 2 + i] as number);
    items.push(bytes.subarray(at, at + 2 + octets + size));
    at += 2 + octets + size;
  }
  return tlv(bytes[0] as number, ...items.map((item, i) => (i === index ? change(item, rest, make) : item)));
}

const plain = made({});
const at =
  (...path: number[]) =>
  (make: (element: Uint8Array) => Uint8Array) =>
    change(plain, path, make);
/** The same content in a longer form of the length. */
const longForm = (element: Uint8Array) =>
  Uint8Array.from([element[0] as number, 0x81, element[1] as number, ...element.subarray(2)]);
const value = (oid: string, bytes: Uint8Array) => made({ add: [extension(oid, bytes)] });
const SAN = '2.5.29.17';

const malformed: readonly (readonly [name: string, field: string, code: string, der: Uint8Array])[] = [
  ['no octets', 'certificate', 'malformed-cert', new Uint8Array(0)],
  ['text', 'certificate', 'malformed-cert', der.text('-----BEGIN CERTIFICATE-----')],
  ['trailing octets', 'certificate', 'malformed-cert', Uint8Array.from([...plain, 0])],
  ['cut short', 'certificate', 'malformed-cert', plain.subarray(0, plain.length - 1)],
  ['indefinite length', 'certificate', 'malformed-cert', Uint8Array.from([0x30, 0x80, ...plain.subarray(4), 0, 0])],
  ['a length of five octets', 'certificate', 'malformed-cert', Uint8Array.from([0x30, 0x85, 0, 0, 0, 0, 1, 0])],
  [
    'a length with a leading zero octet',
    'certificate',
    'malformed-cert',
    Uint8Array.from([0x30, 0x83, 0, ...plain.subarray(2)]),
  ],
  ['a length longer than needed', 'signature', 'malformed-cert', at(0, 2)(longForm)],
  ['a fourth field', 'certificate', 'malformed-cert', tlv(0x30, plain.subarray(4), der.null())],
  ['a certificate of 300 kB', 'certificate', 'malformed-cert', tlv(0x30, new Uint8Array(300_000))],
  ['version 1 written out', 'version', 'malformed-cert', made({ version: 0 })],
  ['version 4', 'version', 'malformed-cert', made({ version: 3 })],
  ['version 2 with extensions', 'version', 'bad-extension', made({ version: 1 })],
  ['version 1 with extensions', 'version', 'bad-extension', made({ version: 'absent' })],
  ['a serial number in a longer form', 'serialNumber', 'malformed-cert', made({ serial: Uint8Array.of(0, 1) })],
  [
    'a negative serial number in a longer form',
    'serialNumber',
    'malformed-cert',
    made({ serial: Uint8Array.of(0xff, 0x80) }),
  ],
  ['a serial number without octets', 'serialNumber', 'malformed-cert', made({ serial: new Uint8Array(0) })],
  [
    'another algorithm outside than inside',
    'signature',
    'malformed-cert',
    made({ outerAlgorithm: der.seq(der.oid('1.2.840.10045.4.3.3')) }),
  ],
  [
    'parameters outside only',
    'signature',
    'malformed-cert',
    made({ outerAlgorithm: der.seq(der.oid('1.2.840.10045.4.3.2'), der.null()) }),
  ],
  [
    'an OID that ends early',
    'signatureAlgorithm',
    'malformed-cert',
    made({ outerAlgorithm: der.seq(tlv(0x06, 0x2a, 0x86)) }),
  ],
  [
    'an OID with padding',
    'signatureAlgorithm',
    'malformed-cert',
    made({ outerAlgorithm: der.seq(tlv(0x06, 0x2a, 0x80, 0x01)) }),
  ],
  ['an empty OID', 'signatureAlgorithm', 'malformed-cert', made({ outerAlgorithm: der.seq(tlv(0x06)) })],
  ['UTCTime without seconds', 'notBefore', 'malformed-cert', made({ notBefore: tlv(0x17, der.text('2601010000Z')) })],
  [
    'UTCTime with an offset',
    'notBefore',
    'malformed-cert',
    made({ notBefore: tlv(0x17, der.text('260101000000+0100')) }),
  ],
  ['UTCTime without Z', 'notAfter', 'malformed-cert', made({ notAfter: tlv(0x17, der.text('260101000000')) })],
  [
    'GeneralizedTime with fractions',
    'notAfter',
    'malformed-cert',
    made({ notAfter: tlv(0x18, der.text('20260101000000.5Z')) }),
  ],
  ['31 February', 'notAfter', 'malformed-cert', made({ notAfter: tlv(0x17, der.text('260231000000Z')) })],
  [
    '29 February of no leap year',
    'notAfter',
    'malformed-cert',
    made({ notAfter: tlv(0x17, der.text('270229000000Z')) }),
  ],
  ['second 60', 'notAfter', 'malformed-cert', made({ notAfter: tlv(0x17, der.text('260101000060Z')) })],
  ['a time of another type', 'notAfter', 'malformed-cert', made({ notAfter: der.utf8('260101000000Z') })],
  [
    'UTF8String that is no UTF-8',
    'subject',
    'malformed-cert',
    made({ subject: der.seq(der.set(der.seq(der.oid('2.5.4.3'), tlv(0x0c, 0xc3, 0x28)))) }),
  ],
  [
    'BMPString of odd length',
    'subject',
    'malformed-cert',
    made({ subject: der.seq(der.set(der.seq(der.oid('2.5.4.3'), tlv(0x1e, 0)))) }),
  ],
  ['an empty relative name', 'subject', 'malformed-cert', made({ subject: der.seq(der.set()) })],
  [
    'an attribute with two values',
    'subject',
    'malformed-cert',
    made({ subject: der.seq(der.set(der.seq(der.oid('2.5.4.3'), der.utf8('a'), der.utf8('b')))) }),
  ],
  [
    'unused bits of the signature',
    'signatureValue',
    'malformed-cert',
    change(plain, [2], (e) => e.map((o, i) => (i === 2 ? 1 : i === e.length - 1 ? o & 0xfe : o))),
  ],
  [
    'a key with unused bits',
    'subjectPublicKeyInfo',
    'malformed-cert',
    made({ spki: der.seq(der.seq(der.oid('1.2.3')), tlv(0x03, 1, 2)) }),
  ],
  [
    'no extensions in the field for them',
    'extensions',
    'bad-extension',
    made({
      extensions: {
        subjectKey: undefined,
        authorityKey: undefined,
        keyUsage: undefined,
        purposes: undefined,
        altNames: undefined,
      },
    }),
  ],
  ['an extension twice', 'subjectAltName', 'bad-extension', made({ add: [ext.altNames([{ dns: 'b.example' }])] })],
  [
    'an unknown extension twice',
    '1.2.3',
    'bad-extension',
    made({ add: [extension('1.2.3', der.null()), extension('1.2.3', der.null())] }),
  ],
  [
    'critical that is neither true nor false',
    '1.2.3',
    'bad-extension',
    made({ add: [der.seq(der.oid('1.2.3'), tlv(0x01, 1), der.octets(der.null()))] }),
  ],
  [
    'subjectAltName in ASCII',
    'subjectAltName',
    'bad-extension',
    made({ extensions: { altNames: extension(SAN, der.text('example.com')) } }),
  ],
  [
    'trailing octets of an extension',
    'subjectAltName',
    'bad-extension',
    made({
      extensions: { altNames: extension(SAN, der.concat(der.seq(tlv(0x82, der.text('a.example'))), der.null())) },
    }),
  ],
  [
    'a GeneralName of no kind',
    'subjectAltName',
    'bad-extension',
    made({ extensions: { altNames: extension(SAN, der.seq(tlv(0x89, 1))) } }),
  ],
  [
    'a constructed dNSName',
    'subjectAltName',
    'bad-extension',
    made({ extensions: { altNames: extension(SAN, der.seq(tlv(0xa2, der.ia5('a.example')))) } }),
  ],
  ['cA that is neither true nor false', 'basicConstraints', 'bad-extension', value('2.5.29.19', der.seq(tlv(0x01, 1)))],
  [
    'a negative pathLenConstraint',
    'basicConstraints',
    'bad-extension',
    value('2.5.29.19', der.seq(der.bool(true), der.int(-1))),
  ],
  [
    'keyUsage with unused bits set',
    'keyUsage',
    'bad-extension',
    made({ extensions: { keyUsage: extension('2.5.29.15', tlv(0x03, 7, 0x81)) } }),
  ],
  ['an empty extKeyUsage', 'extKeyUsage', 'bad-extension', made({ extensions: { purposes: ext.purposes([]) } })],
  ['an empty authorityInfoAccess', 'authorityInfoAccess', 'bad-extension', value('1.3.6.1.5.5.7.1.1', der.seq())],
  [
    'authorityInfoAccess in ASCII',
    'authorityInfoAccess',
    'bad-extension',
    value('1.3.6.1.5.5.7.1.1', der.text('malformed')),
  ],
  ['an empty list of permitted subtrees', 'nameConstraints', 'bad-extension', value('2.5.29.30', der.seq(tlv(0xa0)))],
  ['an empty certificatePolicies', 'certificatePolicies', 'bad-extension', value('2.5.29.32', der.seq())],
];

describe('what is no certificate', () => {
  it.each(malformed)('fail/%s', (_, field, code, bytes) => {
    let thrown: unknown;
    try {
      parseCertificate(bytes);
    } catch (cause) {
      thrown = cause;
    }
    expect(thrown).toBeInstanceOf(MalformedCertificate);
    const { field: told, code: as, expected, found, message } = thrown as MalformedCertificate;
    expect({ told, as }).toEqual({ told: field, as: code });
    expect(message).toBe(`${field}: expected ${expected}, found ${found}`);
  });

  it('ok/keyUsage with trailing zero bits, which reads one way only (X.690 §11.2.2)', () => {
    const loose = { extensions: { keyUsage: extension('2.5.29.15', tlv(0x03, 0, 0x80)) } };
    expect([...(parseCertificate(made(loose)).keyUsage ?? [])]).toEqual(['digitalSignature']);
  });

  it('ok/an encoded DEFAULT FALSE, which reads one way only', () => {
    const facts = parseCertificate(
      made({ add: [der.seq(der.oid('2.5.29.19'), der.bool(false), der.octets(der.seq(der.bool(false))))] }),
    );
    expect(facts.basicConstraints?.ca).toBe(false);
  });

  it('ok/a version 1 certificate without extensions', () => {
    expect(parseCertificate(made({ version: 'absent', bare: true })).version).toBe(1);
  });
});

describe('names compare as RFC 5280 §7.1 says', () => {
  const keys = (subject: CertificateSpec['subject'] & (string | Uint8Array)) =>
    ca(issuer, { subject }).facts.subjectKeys.text;
  const cn = (string: Uint8Array) => der.seq(der.set(der.seq(der.oid('2.5.4.3'), string)));

  it.each([
    ['case', keys('CN=Operator A'), keys('CN=OPERATOR a'), true],
    ['outer and inner spaces', keys('CN=Operator A'), keys('CN=  Operator    A '), true],
    ['types of strings', keys(cn(der.printable('Operator A'))), keys(cn(der.utf8('Operator A'))), true],
    ['compatibility forms', keys(cn(der.utf8('\ufb01ne'))), keys(cn(der.utf8('fine'))), true],
    ['case beyond ASCII', keys(cn(der.utf8('\u00c4'))), keys(cn(der.utf8('\u00e4'))), true],
    ['order of attributes in a relative name', keys('O=A+CN=b'), keys('CN=b+O=A'), true],
    ['order of relative names', keys('O=A,CN=b'), keys('CN=b,O=A'), false],
    ['relative names are not merged', keys('O=A,CN=b'), keys('O=A+CN=b'), false],
    ['attribute types', keys('O=A'), keys('OU=A'), false],
    ['a longer name', keys('O=A'), keys('O=A,CN=b'), false],
    ['separators within a value', keys(cn(der.utf8('a\n2.5.4.3=b'))), keys('CN=a,CN=b'), false],
    ['what is no string by its octets', keys(cn(tlv(0x03, 0, 1))), keys(cn(tlv(0x03, 0, 2))), false],
  ])('%s', (_, a, b, same) => {
    expect(a === b).toBe(same);
  });
});
