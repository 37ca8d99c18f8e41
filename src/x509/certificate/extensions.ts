/** The extensions siptrust understands (RFC 5280 §4.2): one row each, from OID to reader. */

import { isKeyOf } from '../../typed.js';
import { DerReader, MalformedDer, TAG } from '../der/index.js';
import type {
  AccessDescription,
  AlternativeName,
  AuthorityKeyIdentifier,
  BasicConstraints,
  DistributionPoint,
  DistributionPointName,
  KeyUsageBit,
  NameConstraints,
  NameSubtree,
  PolicyConstraints,
  PolicyMapping,
  RevocationReason,
} from './facts.js';
import { readGeneralName, readGeneralNames } from './general-name.js';

/** OIDs by the names of RFC 5280. */
export const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  issuerAltName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  cRLNumber: '2.5.29.20',
  deltaCRLIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  certificateIssuer: '2.5.29.29',
  nameConstraints: '2.5.29.30',
  cRLDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extKeyUsage: '2.5.29.37',
  freshestCRL: '2.5.29.46',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  subjectInfoAccess: '1.3.6.1.5.5.7.1.11',
} as const;

const KEY_USAGE_BITS: readonly KeyUsageBit[] = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
];

/** As bits of ReasonFlags (RFC 5280 §4.2.1.13). */
export const REASON_BITS: readonly RevocationReason[] = [
  'unused',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
  'aACompromise',
];

/** Reads the whole of an extension value as one element. */
type ReadValue<T> = (reader: DerReader, field: string) => T;

const list =
  <T>(read: ReadValue<T>): ReadValue<readonly T[]> =>
  (reader, field) => {
    const items = reader.sequence(field);
    const out: T[] = [];
    while (!items.done) out.push(read(items, field));
    return Object.freeze(out);
  };

/** SIZE (1..MAX): the list must hold something. */
const filled =
  <T>(read: ReadValue<T>): ReadValue<readonly T[]> =>
  (reader, field) => {
    const items = list(read)(reader, field);
    if (items.length === 0) throw new MalformedDer(field, 'at least one item', 'an empty SEQUENCE');
    return items;
  };

const oid: ReadValue<string> = (reader, field) => reader.oid(field);

const basicConstraints: ReadValue<BasicConstraints> = (reader, field) => {
  const content = reader.sequence(field);
  // An encoded DEFAULT FALSE is not DER (X.690 §11.5) but is met in deployed certificates and reads one way only.
  const ca = content.peek() === TAG.boolean ? content.boolean(field) : false;
  const pathLength = content.peek() === TAG.integer ? content.count(field) : undefined;
  content.finish(field);
  return Object.freeze({ ca, pathLength });
};

const subtrees = (content: DerReader, field: string): readonly NameSubtree[] => {
  const out: NameSubtree[] = [];
  while (!content.done) {
    const item = content.sequence(field);
    const base = readGeneralName(item, field);
    const minimum = item.peek() === 0x80 ? item.count(field, 0x80) : 0;
    const maximum = item.peek() === 0x81 ? item.count(field, 0x81) : undefined;
    item.finish(field);
    out.push(Object.freeze({ base, minimum, maximum }));
  }
  if (out.length === 0) throw new MalformedDer(field, 'at least one subtree', 'an empty list');
  return Object.freeze(out);
};

const nameConstraints: ReadValue<NameConstraints> = (reader, field) => {
  const content = reader.sequence(field);
  const permitted = content.optional(0xa0, field) ? subtrees(content.inside(), field) : undefined;
  const excluded = content.optional(0xa1, field) ? subtrees(content.inside(), field) : undefined;
  content.finish(field);
  return Object.freeze({ permitted, excluded });
};

interface PolicyInformation {
  readonly policy: string;
  /** OIDs of the qualifiers; what they say is for people (RFC 5280 §4.2.1.4). */
  readonly qualifiers: readonly string[];
}

const policyQualifier: ReadValue<string> = (reader, field) => {
  const content = reader.sequence(field);
  const id = content.oid(field);
  content.any(field);
  content.finish(field);
  return id;
};

const policyInformation: ReadValue<PolicyInformation> = (reader, field) => {
  const content = reader.sequence(field);
  const policy = content.oid(field);
  const qualifiers = content.done ? [] : filled(policyQualifier)(content, field);
  content.finish(field);
  return Object.freeze({ policy, qualifiers });
};

const policyMapping: ReadValue<PolicyMapping> = (reader, field) => {
  const content = reader.sequence(field);
  const mapping = { issuer: content.oid(field), subject: content.oid(field) };
  content.finish(field);
  return Object.freeze(mapping);
};

const policyConstraints: ReadValue<PolicyConstraints> = (reader, field) => {
  const content = reader.sequence(field);
  const requireExplicitPolicy = content.peek() === 0x80 ? content.count(field, 0x80) : undefined;
  const inhibitPolicyMapping = content.peek() === 0x81 ? content.count(field, 0x81) : undefined;
  content.finish(field);
  return Object.freeze({ requireExplicitPolicy, inhibitPolicyMapping });
};

/** GeneralNames ::= SEQUENCE SIZE (1..MAX). */
function someNames(content: DerReader, field: string): readonly AlternativeName[] {
  const names = readGeneralNames(content, field);
  if (names.length === 0) throw new MalformedDer(field, 'at least one name', 'none');
  return names;
}

const authorityKeyIdentifier: ReadValue<AuthorityKeyIdentifier> = (reader, field) => {
  const content = reader.sequence(field);
  const keyIdentifier = content.optional(0x80, field) ? content.content() : undefined;
  const issuer = content.optional(0xa1, field) ? someNames(content.inside(), field) : undefined;
  const serial = content.peek() === 0x82 ? content.integer(field, 0x82) : undefined;
  content.finish(field);
  return Object.freeze({ keyIdentifier, issuer, serial });
};

/**
 * DistributionPointName inside its context tag [0] (also of a CRL's issuingDistributionPoint).
 * @throws {MalformedDer}
 */
export function readDistributionPointName(content: DerReader, field: string): DistributionPointName {
  const tag = content.any(field);
  let name: DistributionPointName;
  if (tag === 0xa0) {
    name = { full: someNames(content.inside(), field), relative: undefined };
  } else if (tag === 0xa1) {
    const relative = Uint8Array.from(content.element());
    relative[0] = TAG.set;
    name = { full: undefined, relative };
  } else throw new MalformedDer(field, 'fullName or nameRelativeToCRLIssuer', `tag 0x${tag.toString(16)}`);
  content.finish(field);
  return Object.freeze(name);
}

/** ReasonFlags under a context tag. */
export function readReasons(content: DerReader, field: string, tag: number): ReadonlySet<RevocationReason> {
  return content.namedBits(field, REASON_BITS, tag);
}

const distributionPoint: ReadValue<DistributionPoint> = (reader, field) => {
  const content = reader.sequence(field);
  const name = content.optional(0xa0, field) ? readDistributionPointName(content.inside(), field) : undefined;
  const reasons = content.peek() === 0x81 ? readReasons(content, field, 0x81) : undefined;
  const crlIssuer = content.optional(0xa2, field) ? someNames(content.inside(), field) : undefined;
  content.finish(field);
  return Object.freeze({ name, reasons, crlIssuer });
};

const accessDescription: ReadValue<AccessDescription> = (reader, field) => {
  const content = reader.sequence(field);
  const description = { method: content.oid(field), location: readGeneralName(content, field) };
  content.finish(field);
  return Object.freeze(description);
};

const generalNames: ReadValue<ReturnType<typeof readGeneralNames>> = (reader, field) =>
  readGeneralNames(reader.sequence(field), field);

/** The table: how the value of each extension is read. A critical extension that is not here is unknown. */
const readers = {
  [EXTENSION.subjectKeyIdentifier]: (reader: DerReader, field: string): Uint8Array =>
    reader.next(TAG.octetString, field).content(),
  [EXTENSION.keyUsage]: (reader: DerReader, field: string): ReadonlySet<KeyUsageBit> =>
    reader.namedBits(field, KEY_USAGE_BITS),
  [EXTENSION.subjectAltName]: generalNames,
  [EXTENSION.issuerAltName]: (reader: DerReader, field: string) => someNames(reader.sequence(field), field),
  [EXTENSION.basicConstraints]: basicConstraints,
  [EXTENSION.nameConstraints]: nameConstraints,
  [EXTENSION.cRLDistributionPoints]: filled(distributionPoint),
  [EXTENSION.freshestCRL]: filled(distributionPoint),
  [EXTENSION.certificatePolicies]: filled(policyInformation),
  [EXTENSION.policyMappings]: filled(policyMapping),
  [EXTENSION.authorityKeyIdentifier]: authorityKeyIdentifier,
  [EXTENSION.policyConstraints]: policyConstraints,
  [EXTENSION.extKeyUsage]: filled(oid),
  [EXTENSION.inhibitAnyPolicy]: (reader: DerReader, field: string): number => reader.count(field),
  [EXTENSION.authorityInfoAccess]: filled(accessDescription),
  [EXTENSION.subjectInfoAccess]: filled(accessDescription),
} as const;

type Readers = typeof readers;

/** Names of the extensions by OID, for messages. */
export const EXTENSION_NAMES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(EXTENSION).map(([name, id]) => [id, name]),
);

/** Extensions that the path check does not understand, in words: where one is critical, that is why nobody is trusted. */
const UNREAD: Readonly<Record<string, string>> = {
  '1.3.6.1.4.1.11129.2.4.3': 'CT poison: a precertificate (RFC 6962 §3.1), and not the certificate that the CA issued',
  '1.3.6.1.5.5.7.1.3': 'qcStatements',
  '1.3.6.1.5.5.7.1.7': 'ipAddrBlocks',
  '1.3.6.1.5.5.7.1.8': 'autonomousSysIds',
  '1.3.6.1.5.5.7.1.14': 'proxyCertInfo: a proxy certificate (RFC 3820)',
  '1.3.6.1.5.5.7.1.24': 'tlsFeature',
  '1.3.6.1.5.5.7.1.26': 'TNAuthList: a STIR certificate (RFC 8226)',
  '1.3.6.1.5.5.7.48.1.5': 'ocsp-nocheck',
  '2.5.29.9': 'subjectDirectoryAttributes',
  '2.5.29.16': 'privateKeyUsagePeriod',
  '2.5.29.56': 'noRevAvail',
  '2.16.840.1.113730.1.1': 'nsCertType',
  '1.3.6.1.4.1.311.21.7': 'certificate template of Microsoft',
  '1.3.6.1.4.1.311.21.10': 'application policies of Microsoft',
};

/** An extension for people: its OID, and what it is where that is known. */
export function extensionText(id: string): string {
  const name = EXTENSION_NAMES[id] ?? UNREAD[id];
  return name === undefined ? id : `${id} (${name})`;
}

/** The values of all known extensions of one certificate, by OID. */
export type ExtensionValues = { [Oid in keyof Readers]?: ReturnType<Readers[Oid]> };

/** Whether the path check understands this extension (RFC 5280 §6.1.4 (o), §6.1.5 (f)). */
export function isKnownExtension(id: string): boolean {
  return Object.hasOwn(readers, id);
}

/** Reads one extension value to its end and stores it; an unknown extension is left alone. */
export function readExtension(values: ExtensionValues, id: string, value: Uint8Array): void {
  if (!isKeyOf(readers, id)) return;
  const field = EXTENSION_NAMES[id] ?? id;
  const reader = new DerReader(value);
  Object.assign(values, { [id]: readers[id](reader, field) });
  reader.finish(field);
}
