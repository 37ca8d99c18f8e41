/** Real certificates and CRLs for tests: right ones by default, and wrong ones in exactly the way a test asks for. */

import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { parseCertificate } from '../../src/x509/certificate/certificate.js';
import { EXTENSION } from '../../src/x509/certificate/extensions.js';
import type { CertificateFacts } from '../../src/x509/certificate/facts.js';
import { writePem } from '../../src/x509/der/pem.js';
import { type CrlFacts, parseCrl } from '../../src/x509/revocation/crl.js';
import { der, tlv } from './der.js';

/** The time of all tests that do not test time, and the validity around it. */
export const NOW = Date.UTC(2026, 5, 1);
export const DAY = 86_400_000;

export interface KeyPair {
  readonly privateKey: KeyObject;
  /** SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** SHA-1 of the public key bits (RFC 5280 §4.2.1.2 (1)). */
  readonly identifier: Uint8Array;
}

export type KeyKind =
  | 'p256'
  | 'p384'
  | 'p521'
  | 'secp256k1'
  | 'rsa2048'
  | 'rsa1024'
  | 'rsa2052'
  | 'ed25519'
  | 'ed448'
  | 'dsa';

const GENERATE: Readonly<Record<KeyKind, () => { privateKey: KeyObject; publicKey: KeyObject }>> = {
  p256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p521: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  secp256k1: () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  rsa2048: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  rsa1024: () => generateKeyPairSync('rsa', { modulusLength: 1024 }),
  rsa2052: () => generateKeyPairSync('rsa', { modulusLength: 2052 }),
  ed25519: () => generateKeyPairSync('ed25519'),
  ed448: () => generateKeyPairSync('ed448'),
  dsa: () => generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }),
};

/** A fresh key; EC keys are cheap. */
export function makeKey(kind: KeyKind = 'p256'): KeyPair {
  return keyPair(GENERATE[kind]().privateKey);
}

/** A key that is there already. */
export function keyPair(privateKey: KeyObject): KeyPair {
  const spki = new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
  return { privateKey, spki, identifier: keyIdentifier(spki) };
}

const pool = new Map<string, KeyPair>();

/** A key that is made once and shared: for slow kinds, and where any key does. */
export function sharedKey(kind: KeyKind, name = ''): KeyPair {
  const id = `${kind}/${name}`;
  const known = pool.get(id) ?? makeKey(kind);
  pool.set(id, known);
  return known;
}

function keyIdentifier(spki: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha1').update(spki).digest());
}

const ATTRIBUTES: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  C: '2.5.4.6',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  DC: '0.9.2342.19200300.100.1.25',
  emailAddress: '1.2.840.113549.1.9.1',
};

export type NameSpec = string | Uint8Array;

/** `O=Operator,CN=ca` in the order of the certificate, `+` within a relative name, or a ready element. */
export function makeName(spec: NameSpec, string: (value: string) => Uint8Array = der.utf8): Uint8Array {
  if (typeof spec !== 'string') return spec;
  const rdns = spec === '' ? [] : spec.split(',');
  return der.seq(
    ...rdns.map((rdn) =>
      der.set(
        ...rdn.split('+').map((pair) => {
          const [type = '', value = ''] = pair.split('=');
          const encode = type === 'DC' || type === 'emailAddress' ? der.ia5 : string;
          return der.seq(der.oid(ATTRIBUTES[type] ?? type), encode(value));
        }),
      ),
    ),
  );
}

export type NameValue =
  | { readonly dns: string }
  | { readonly uri: string }
  | { readonly email: string }
  | { readonly ip: readonly number[] | Uint8Array }
  | { readonly directory: NameSpec }
  | { readonly other: string }
  | { readonly rid: string };

export function makeGeneralName(name: NameValue): Uint8Array {
  if ('dns' in name) return tlv(0x82, der.text(name.dns));
  if ('uri' in name) return tlv(0x86, der.text(name.uri));
  if ('email' in name) return tlv(0x81, der.text(name.email));
  if ('ip' in name) return tlv(0x87, Uint8Array.from(name.ip));
  if ('directory' in name) return tlv(0xa4, makeName(name.directory));
  if ('other' in name) return tlv(0xa0, der.oid(name.other), tlv(0xa0, der.utf8('x')));
  return tlv(0x88, der.oid(name.rid).subarray(2));
}

/** One extension from its value. */
export function extension(oid: string, value: Uint8Array, critical = false): Uint8Array {
  return der.seq(der.oid(oid), ...(critical ? [der.bool(true)] : []), der.octets(value));
}

const KEY_USAGE = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
] as const;
type KeyUsageName = (typeof KEY_USAGE)[number];

const PURPOSES: Readonly<Record<string, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  ipsecIKE: '1.3.6.1.5.5.7.3.17',
  sipDomain: '1.3.6.1.5.5.7.3.20',
  any: '2.5.29.37.0',
};

const REASONS = [
  'unused',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
  'aACompromise',
] as const;

export interface PointSpec {
  readonly names?: readonly NameValue[];
  readonly relative?: string;
  readonly reasons?: readonly (typeof REASONS)[number][];
  readonly crlIssuer?: NameSpec;
}

function distributionPointName({ names, relative }: PointSpec): readonly Uint8Array[] {
  if (relative !== undefined) {
    const rdn = makeName(relative).subarray(2);
    return [tlv(0xa0, tlv(0xa1, rdn.subarray(2)))];
  }
  return names === undefined ? [] : [tlv(0xa0, tlv(0xa0, ...names.map(makeGeneralName)))];
}

const reasonBits = (reasons: PointSpec['reasons'], tag: number): readonly Uint8Array[] =>
  reasons === undefined
    ? []
    : [
        der.bitList(
          reasons.map((reason) => REASONS.indexOf(reason)),
          tag,
        ),
      ];

export interface SubtreeSpec {
  readonly permitted?: readonly NameValue[];
  readonly excluded?: readonly NameValue[];
}

/** Extensions by name, ready to stand in a certificate. */
export const ext = {
  basicConstraints: (ca: boolean, pathLength?: number, critical = true): Uint8Array =>
    extension(
      EXTENSION.basicConstraints,
      der.seq(...(ca ? [der.bool(true)] : []), ...(pathLength === undefined ? [] : [der.int(pathLength)])),
      critical,
    ),
  keyUsage: (bits: readonly KeyUsageName[], critical = true): Uint8Array =>
    extension(EXTENSION.keyUsage, der.bitList(bits.map((bit) => KEY_USAGE.indexOf(bit))), critical),
  purposes: (names: readonly string[], critical = false): Uint8Array =>
    extension(EXTENSION.extKeyUsage, der.seq(...names.map((name) => der.oid(PURPOSES[name] ?? name))), critical),
  altNames: (names: readonly NameValue[], critical = false): Uint8Array =>
    extension(EXTENSION.subjectAltName, der.seq(...names.map(makeGeneralName)), critical),
  subjectKey: (identifier: Uint8Array, critical = false): Uint8Array =>
    extension(EXTENSION.subjectKeyIdentifier, der.octets(identifier), critical),
  authorityKey: (identifier: Uint8Array | undefined, critical = false, rest: readonly Uint8Array[] = []): Uint8Array =>
    extension(
      EXTENSION.authorityKeyIdentifier,
      der.seq(...(identifier === undefined ? [] : [tlv(0x80, identifier)]), ...rest),
      critical,
    ),
  constraints: ({ permitted, excluded }: SubtreeSpec, critical = true): Uint8Array => {
    const list = (tag: number, names: readonly NameValue[] | undefined): readonly Uint8Array[] =>
      names === undefined ? [] : [tlv(tag, ...names.map((name) => der.seq(makeGeneralName(name))))];
    return extension(EXTENSION.nameConstraints, der.seq(...list(0xa0, permitted), ...list(0xa1, excluded)), critical);
  },
  policies: (oids: readonly string[], critical = false): Uint8Array =>
    extension(EXTENSION.certificatePolicies, der.seq(...oids.map((oid) => der.seq(der.oid(oid)))), critical),
  policyMappings: (pairs: readonly (readonly [string, string])[], critical = true): Uint8Array =>
    extension(
      EXTENSION.policyMappings,
      der.seq(...pairs.map(([issuer, subject]) => der.seq(der.oid(issuer), der.oid(subject)))),
      critical,
    ),
  policyConstraints: (explicit?: number, mapping?: number, critical = true): Uint8Array =>
    extension(
      EXTENSION.policyConstraints,
      der.seq(
        ...(explicit === undefined ? [] : [tlv(0x80, explicit)]),
        ...(mapping === undefined ? [] : [tlv(0x81, mapping)]),
      ),
      critical,
    ),
  inhibitAnyPolicy: (skip: number, critical = true): Uint8Array =>
    extension(EXTENSION.inhibitAnyPolicy, der.int(skip), critical),
  crlPoints: (points: readonly PointSpec[]): Uint8Array =>
    extension(
      EXTENSION.cRLDistributionPoints,
      der.seq(
        ...points.map((point) =>
          der.seq(
            ...distributionPointName(point),
            ...reasonBits(point.reasons, 0x81),
            ...(point.crlIssuer === undefined ? [] : [tlv(0xa2, makeGeneralName({ directory: point.crlIssuer }))]),
          ),
        ),
      ),
    ),
  authorityInfo: (critical = false): Uint8Array =>
    extension(
      EXTENSION.authorityInfoAccess,
      der.seq(der.seq(der.oid('1.3.6.1.5.5.7.48.2'), makeGeneralName({ uri: 'http://ca.example/ca.crt' }))),
      critical,
    ),
  ocspResponder: (...uris: readonly string[]): Uint8Array =>
    extension(
      EXTENSION.authorityInfoAccess,
      der.seq(...uris.map((uri) => der.seq(der.oid('1.3.6.1.5.5.7.48.1'), makeGeneralName({ uri })))),
    ),
  tnAuthList: (): Uint8Array => extension('1.3.6.1.5.5.7.1.26', der.seq(tlv(0xa0, der.ia5('1234')))),
};

export type SignatureKind = 'sha256' | 'sha384' | 'sha512' | 'sha1' | 'pss-sha256' | 'pss-sha1';

const RSA_OIDS: Readonly<Record<string, string>> = {
  sha1: '1.2.840.113549.1.1.5',
  sha256: '1.2.840.113549.1.1.11',
  sha384: '1.2.840.113549.1.1.12',
  sha512: '1.2.840.113549.1.1.13',
};
const ECDSA_OIDS: Readonly<Record<string, string>> = {
  sha1: '1.2.840.10045.4.1',
  sha256: '1.2.840.10045.4.3.2',
  sha384: '1.2.840.10045.4.3.3',
  sha512: '1.2.840.10045.4.3.4',
};
const DIGEST_OIDS: Readonly<Record<string, string>> = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1' };

interface Signer {
  readonly algorithm: Uint8Array;
  readonly sign: (tbs: Uint8Array) => Uint8Array;
}

function signerOf(key: KeyPair, kind: SignatureKind): Signer {
  const { privateKey } = key;
  const plain = (hash: string | null) => (tbs: Uint8Array) => new Uint8Array(sign(hash, tbs, privateKey));
  const type = privateKey.asymmetricKeyType;
  if (type === 'ed25519') return { algorithm: der.seq(der.oid('1.3.101.112')), sign: plain(null) };
  if (type === 'ed448') return { algorithm: der.seq(der.oid('1.3.101.113')), sign: plain(null) };
  if (type === 'dsa') return { algorithm: der.seq(der.oid('2.16.840.1.101.3.4.3.2')), sign: plain('sha256') };
  if (type === 'ec') return { algorithm: der.seq(der.oid(ECDSA_OIDS[kind] ?? '')), sign: plain(kind) };
  if (!kind.startsWith('pss-')) {
    return { algorithm: der.seq(der.oid(RSA_OIDS[kind] ?? ''), der.null()), sign: plain(kind) };
  }
  const hash = kind.slice(4);
  const saltLength = hash === 'sha1' ? 20 : 32;
  const digest = der.seq(der.oid(DIGEST_OIDS[hash] ?? ''), der.null());
  const parameters = der.seq(
    tlv(0xa0, digest),
    tlv(0xa1, der.seq(der.oid('1.2.840.113549.1.1.8'), digest)),
    tlv(0xa2, der.int(saltLength)),
  );
  return {
    algorithm: der.seq(der.oid('1.2.840.113549.1.1.10'), parameters),
    // 6: RSA_PKCS1_PSS_PADDING
    sign: (tbs) => new Uint8Array(sign(hash, tbs, { key: privateKey, padding: 6, saltLength })),
  };
}

/** Names of the extensions that a certificate bears by default; each can be replaced or left out (undefined). */
export type ExtensionName =
  | 'subjectKey'
  | 'authorityKey'
  | 'basicConstraints'
  | 'keyUsage'
  | 'purposes'
  | 'altNames'
  | 'constraints';

export interface CertificateSpec {
  readonly subject?: NameSpec;
  /** Instead of the parent's subject. */
  readonly issuer?: NameSpec;
  readonly key?: KeyPair;
  /** Instead of the parent's key. */
  readonly signer?: KeyPair;
  readonly notBefore?: number | Uint8Array;
  readonly notAfter?: number | Uint8Array;
  readonly serial?: bigint | Uint8Array;
  /** Number in the version field; undefined leaves it out (v1). */
  readonly version?: number | 'absent';
  readonly extensions?: Readonly<Partial<Record<ExtensionName, Uint8Array | undefined>>>;
  /** More extensions, after the others. */
  readonly add?: readonly Uint8Array[];
  /** No extensions field at all. */
  readonly bare?: boolean;
  readonly signature?: SignatureKind;
  /** AlgorithmIdentifier inside, outside, instead of the right one. */
  readonly innerAlgorithm?: Uint8Array;
  readonly outerAlgorithm?: Uint8Array;
  /** SubjectPublicKeyInfo instead of the key's. */
  readonly spki?: Uint8Array;
  readonly changeTbs?: (tbs: Uint8Array) => Uint8Array;
  readonly changeSignature?: (signature: Uint8Array) => Uint8Array;
}

export interface Issued {
  readonly der: Uint8Array;
  readonly pem: string;
  readonly key: KeyPair;
  readonly subject: Uint8Array;
  readonly serial: Uint8Array;
  /** Parsed on demand: some certificates are made not to be readable. */
  readonly facts: CertificateFacts;
}

type Kind = 'root' | 'ca' | 'leaf';

let counter = 0;

/** The parts of a name that make it its own where a test does not care. */
const freshName = (kind: Kind): string => `O=Example,CN=${kind} ${++counter}`;

function defaultExtensions(
  kind: Kind,
  key: KeyPair,
  parentKey: KeyPair,
): Record<ExtensionName, Uint8Array | undefined> {
  const isCa = kind !== 'leaf';
  return {
    subjectKey: ext.subjectKey(key.identifier),
    authorityKey: kind === 'root' ? undefined : ext.authorityKey(parentKey.identifier),
    basicConstraints: isCa ? ext.basicConstraints(true) : undefined,
    keyUsage: ext.keyUsage(isCa ? ['keyCertSign', 'cRLSign'] : ['digitalSignature']),
    purposes: isCa ? undefined : ext.purposes(['serverAuth', 'clientAuth']),
    altNames: isCa ? undefined : ext.altNames([{ dns: 'peer.example' }]),
    constraints: undefined,
  };
}

function timeOf(value: number | Uint8Array | undefined, otherwise: number): Uint8Array {
  return value instanceof Uint8Array ? value : der.time(new Date(value ?? otherwise));
}

function issue(kind: Kind, parent: Issued | undefined, spec: CertificateSpec): Issued {
  const key = spec.key ?? makeKey();
  const signerKey = spec.signer ?? parent?.key ?? key;
  const subject = makeName(spec.subject ?? freshName(kind));
  const issuer = spec.issuer === undefined ? (parent?.subject ?? subject) : makeName(spec.issuer);
  const { algorithm, sign: signTbs } = signerOf(signerKey, spec.signature ?? 'sha256');
  const serial = spec.serial instanceof Uint8Array ? spec.serial : der.int(spec.serial ?? randomSerial()).subarray(2);
  const known = { ...defaultExtensions(kind, key, signerKey), ...spec.extensions };
  const extensions = [...Object.values(known).filter((value) => value !== undefined), ...(spec.add ?? [])];
  const version = spec.version ?? 2;
  const fields = [
    ...(version === 'absent' ? [] : [tlv(0xa0, der.int(version))]),
    der.intOf(serial),
    spec.innerAlgorithm ?? algorithm,
    issuer,
    der.seq(timeOf(spec.notBefore, NOW - 30 * DAY), timeOf(spec.notAfter, NOW + 365 * DAY)),
    subject,
    spec.spki ?? key.spki,
    ...(spec.bare ? [] : [tlv(0xa3, der.seq(...extensions))]),
  ];
  const tbs = spec.changeTbs?.(der.seq(...fields)) ?? der.seq(...fields);
  const signature = signTbs(tbs);
  const encoded = der.seq(
    tbs,
    spec.outerAlgorithm ?? algorithm,
    der.bits(spec.changeSignature?.(signature) ?? signature),
  );
  let facts: CertificateFacts | undefined;
  return {
    der: encoded,
    pem: writePem(encoded),
    key,
    subject,
    serial,
    get facts() {
      facts ??= parseCertificate(encoded);
      return facts;
    },
  };
}

function randomSerial(): bigint {
  return BigInt(`0x${randomBytes(15).toString('hex')}`) + 1n;
}

/** A self-signed CA. */
export const root = (spec: CertificateSpec = {}): Issued => issue('root', undefined, spec);
/** A CA under another. */
export const ca = (parent: Issued, spec: CertificateSpec = {}): Issued => issue('ca', parent, spec);
/** A TLS peer's certificate for `peer.example`, both roles. */
export const leaf = (parent: Issued, spec: CertificateSpec = {}): Issued => issue('leaf', parent, spec);
/** A TLS peer's certificate signed by itself. */
export const selfSignedLeaf = (spec: CertificateSpec = {}): Issued => issue('leaf', undefined, spec);

export interface RevokedSpec {
  readonly serial: Uint8Array;
  readonly date?: number;
  readonly reason?: number;
  /** certificateIssuer of an indirect list. */
  readonly issuer?: NameSpec;
  readonly add?: readonly Uint8Array[];
}

export interface CrlSpec {
  readonly issuer?: NameSpec;
  readonly signer?: KeyPair;
  readonly thisUpdate?: number | Uint8Array;
  readonly nextUpdate?: number | Uint8Array | 'absent';
  readonly revoked?: readonly RevokedSpec[];
  readonly number?: number | 'absent' | 'critical';
  /** BaseCRLNumber: makes it a delta. */
  readonly base?: number;
  readonly scope?: PointSpec & {
    readonly users?: boolean;
    readonly cas?: boolean;
    readonly attributes?: boolean;
    readonly indirect?: boolean;
  };
  readonly version?: number | 'absent';
  readonly add?: readonly Uint8Array[];
  readonly signature?: SignatureKind;
  readonly changeSignature?: (signature: Uint8Array) => Uint8Array;
}

export interface IssuedCrl {
  readonly der: Uint8Array;
  readonly pem: string;
  readonly facts: CrlFacts;
}

function makeRevoked({ serial, date, reason, issuer, add = [] }: RevokedSpec): Uint8Array {
  const extensions = [
    ...(reason === undefined ? [] : [extension('2.5.29.21', der.enumerated(reason))]),
    ...(issuer === undefined ? [] : [extension('2.5.29.29', der.seq(makeGeneralName({ directory: issuer })), true)]),
    ...add,
  ];
  return der.seq(
    der.intOf(serial),
    der.time(new Date(date ?? NOW - 10 * DAY)),
    ...(extensions.length === 0 ? [] : [der.seq(...extensions)]),
  );
}

function makeScope(scope: NonNullable<CrlSpec['scope']>): Uint8Array {
  const flag = (tag: number, value: boolean | undefined): readonly Uint8Array[] => (value ? [tlv(tag, 0xff)] : []);
  return extension(
    EXTENSION.issuingDistributionPoint,
    der.seq(
      ...distributionPointName(scope),
      ...flag(0x81, scope.users),
      ...flag(0x82, scope.cas),
      ...reasonBits(scope.reasons, 0x83),
      ...flag(0x84, scope.indirect),
      ...flag(0x85, scope.attributes),
    ),
    true,
  );
}

/** A CRL of this CA; complete, current and empty by default. */
export function crl(signer: Issued, spec: CrlSpec = {}): IssuedCrl {
  const key = spec.signer ?? signer.key;
  const { algorithm, sign: signTbs } = signerOf(key, spec.signature ?? 'sha256');
  const version = spec.version ?? 1;
  const { number = 7 } = spec;
  const extensions = [
    ext.authorityKey(key.identifier),
    ...(number === 'absent'
      ? []
      : [extension(EXTENSION.cRLNumber, der.int(number === 'critical' ? 7 : number), number === 'critical')]),
    ...(spec.base === undefined ? [] : [extension(EXTENSION.deltaCRLIndicator, der.int(spec.base), true)]),
    ...(spec.scope === undefined ? [] : [makeScope(spec.scope)]),
    ...(spec.add ?? []),
  ];
  const revoked = (spec.revoked ?? []).map(makeRevoked);
  const next = spec.nextUpdate;
  const tbs = der.seq(
    ...(version === 'absent' ? [] : [der.int(version)]),
    algorithm,
    spec.issuer === undefined ? signer.subject : makeName(spec.issuer),
    timeOf(spec.thisUpdate, NOW - DAY),
    ...(next === 'absent' ? [] : [timeOf(next, NOW + 7 * DAY)]),
    ...(revoked.length === 0 ? [] : [tlv(0x30, new Uint8Array(Buffer.concat(revoked)))]),
    ...(version === 'absent' ? [] : [tlv(0xa0, der.seq(...extensions))]),
  );
  const signature = signTbs(tbs);
  const encoded = der.seq(tbs, algorithm, der.bits(spec.changeSignature?.(signature) ?? signature));
  let facts: CrlFacts | undefined;
  return {
    der: encoded,
    pem: writePem(encoded, 'X509 CRL'),
    get facts() {
      facts ??= parseCrl(encoded);
      return facts;
    },
  };
}
