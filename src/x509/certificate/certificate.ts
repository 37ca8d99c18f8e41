/**
 * Certificates: DER -> CertificateFacts (RFC 5280 §4.1), or an error that says which field is wrong.
 *
 * Reading is about form: whatever has two readings, or none, is refused here (not DER, a field twice, an extension
 * twice or with a value that its type does not have). What a readable certificate may not say (serial 0, a CA without
 * keyCertSign, ...) is the business of path.ts, which knows what the certificate is used for.
 */

import { createHash } from 'node:crypto';
import type { ReasonCode } from '../../reasons.js';
import { entryAt } from '../../typed.js';
import { type DerReader, hex, MalformedDer, readTime, TAG } from '../der/index.js';
import { EXTENSION, EXTENSION_NAMES, type ExtensionValues, readExtension } from './extensions.js';
import type { CertificateFacts, Extension, PublicKeyFacts } from './facts.js';
import { readName } from './name.js';
import { readAlgorithm, readSigned, sameAlgorithmInside, wholeOctets } from './signed.js';

/** The bytes are no X.509 certificate in DER. */
export class MalformedCertificate extends Error {
  override readonly name = 'MalformedCertificate';
  constructor(
    /** `bad-extension` where the certificate reads but one of its extensions does not. */
    readonly code: Extract<ReasonCode, 'malformed-cert' | 'bad-extension'>,
    readonly field: string,
    readonly expected: string,
    readonly found: string,
    options?: ErrorOptions,
  ) {
    super(`${field}: expected ${expected}, found ${found}`, options);
  }
}

/** Largest certificate that is read: far above any in use, far below what could hold up the process. */
export const MAX_CERTIFICATE_OCTETS = 256 * 1024;

/** Longest serial number that is read. RFC 5280 §4.1.2.2 allows 20 octets, which a strict check asks for. */
const MOST_SERIAL_OCTETS = 256;

/** Reads one certificate. Throws MalformedCertificate. */
export function parseCertificate(der: Uint8Array): CertificateFacts {
  let code: MalformedCertificate['code'] = 'malformed-cert';
  try {
    if (der.length > MAX_CERTIFICATE_OCTETS) {
      throw new MalformedDer('certificate', `at most ${MAX_CERTIFICATE_OCTETS} octets`, `${der.length}`);
    }
    // The facts outlive the caller's buffer (and must not change with it).
    return readCertificate(new Uint8Array(der), () => {
      code = 'bad-extension';
    });
  } catch (cause) {
    if (!(cause instanceof MalformedDer)) throw cause;
    throw new MalformedCertificate(code, cause.field, cause.expected, cause.found, { cause });
  }
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }. */
function readCertificate(der: Uint8Array, extensionsReached: () => void): CertificateFacts {
  const { tbs, tbsReader, algorithmDer, signatureAlgorithm, signature } = readSigned(
    der,
    'certificate',
    'tbsCertificate',
  );

  const version = readVersion(tbsReader);
  const serialOctets = tbsReader.integer('serialNumber');
  if (serialOctets.length > MOST_SERIAL_OCTETS) {
    throw new MalformedDer('serialNumber', `at most ${MOST_SERIAL_OCTETS} octets`, `${serialOctets.length}`);
  }
  sameAlgorithmInside(tbsReader, algorithmDer);
  const issuer = readName(tbsReader, 'issuer');
  const validity = tbsReader.sequence('validity');
  const notBefore = readTime(validity, 'notBefore');
  const notAfter = readTime(validity, 'notAfter');
  validity.finish('validity');
  const subject = readName(tbsReader, 'subject');
  const publicKey = readPublicKey(tbsReader);
  const issuerId = tbsReader.peek() === 0x81 && tbsReader.bits('issuerUniqueID', 0x81) !== undefined;
  const subjectId = tbsReader.peek() === 0x82 && tbsReader.bits('subjectUniqueID', 0x82) !== undefined;
  if ((issuerId || subjectId) && version === 1) {
    throw new MalformedDer('version', '2 or 3 with a unique identifier', '1');
  }
  const extensions: Extension[] = [];
  const values: ExtensionValues = {};
  if (!tbsReader.done) {
    const wrapper = tbsReader.sequence('extensions', 0xa3);
    tbsReader.finish('tbsCertificate');
    extensionsReached();
    if (version !== 3) throw new MalformedDer('version', '3 with extensions', `${version}`);
    readExtensions(wrapper, extensions, values);
  }
  return Object.freeze({
    der,
    sha256: createHash('sha256').update(der).digest('hex'),
    spkiSha256: publicKey.id,
    version,
    serial: integerHex(serialOctets),
    serialOctets,
    subject: subject.attributes,
    issuer: issuer.attributes,
    subjectText: subject.text,
    issuerText: issuer.text,
    subjectDer: subject.der,
    issuerDer: issuer.der,
    subjectKeys: subject.keys,
    issuerKeys: issuer.keys,
    notBefore: notBefore.time,
    notAfter: notAfter.time,
    generalizedTimes: Object.freeze({ notBefore: notBefore.generalized, notAfter: notAfter.generalized }),
    selfIssued: subject.keys.text === issuer.keys.text,
    publicKey,
    signatureAlgorithm,
    signature,
    tbs,
    uniqueIds: Object.freeze({ issuer: issuerId, subject: subjectId }),
    extensions: Object.freeze(extensions),
    ...extensionFacts(values),
  });
}

/** What each extension says, by the name that it has in the facts. */
function extensionFacts(values: ExtensionValues) {
  const basicConstraints = values[EXTENSION.basicConstraints];
  const policies = values[EXTENSION.certificatePolicies];
  return {
    subjectAltNames: values[EXTENSION.subjectAltName],
    extendedKeyUsage: values[EXTENSION.extKeyUsage],
    keyUsage: values[EXTENSION.keyUsage],
    basicConstraints,
    isCa: basicConstraints?.ca ?? false,
    nameConstraints: values[EXTENSION.nameConstraints],
    policies: policies?.map(({ policy }) => policy),
    policyQualifiers: policies?.flatMap(({ qualifiers }) => qualifiers),
    policyMappings: values[EXTENSION.policyMappings],
    policyConstraints: values[EXTENSION.policyConstraints],
    inhibitAnyPolicy: values[EXTENSION.inhibitAnyPolicy],
    authorityKeyIdentifier: values[EXTENSION.authorityKeyIdentifier],
    subjectKeyIdentifier: values[EXTENSION.subjectKeyIdentifier],
    crlDistributionPoints: values[EXTENSION.cRLDistributionPoints],
    authorityInfoAccess: values[EXTENSION.authorityInfoAccess],
  };
}

/** [0] EXPLICIT Version DEFAULT v1. */
function readVersion(tbs: DerReader): 1 | 2 | 3 {
  if (tbs.peek() !== 0xa0) return 1;
  const wrapper = tbs.sequence('version', 0xa0);
  const value = wrapper.count('version');
  wrapper.finish('version');
  // v1 is the default and therefore never written (X.690 §11.5).
  if (value !== 1 && value !== 2) throw new MalformedDer('version', '1 (v2) or 2 (v3)', `${value}`);
  return value === 1 ? 2 : 3;
}

function readPublicKey(tbs: DerReader): PublicKeyFacts {
  const field = 'subjectPublicKeyInfo';
  const content = tbs.sequence(field);
  const der = tbs.element();
  const algorithm = readAlgorithm(content.sequence(field), field);
  const key = wholeOctets(content, field);
  content.finish(field);
  return Object.freeze({ der, algorithm, key, id: createHash('sha256').update(der).digest('base64') });
}

/** [3] EXPLICIT Extensions: at least one, none twice (RFC 5280 §4.2). */
function readExtensions(wrapper: DerReader, extensions: Extension[], values: ExtensionValues): void {
  const items = wrapper.sequence('extensions');
  wrapper.finish('extensions');
  if (items.done) throw new MalformedDer('extensions', 'at least one extension', 'an empty list');
  const seen = new Set<string>();
  while (!items.done) {
    const item = items.sequence('extension');
    const oid = item.oid('extension');
    const name = EXTENSION_NAMES[oid] ?? oid;
    // An encoded DEFAULT FALSE: tolerated for the reason given at basicConstraints.
    const critical = item.peek() === TAG.boolean ? item.boolean(name) : false;
    const value = item.next(TAG.octetString, name).content();
    item.finish(name);
    if (seen.has(oid)) throw new MalformedDer(name, 'one extension of a kind', 'two');
    seen.add(oid);
    readExtension(values, oid, value);
    extensions.push(Object.freeze({ oid, critical, value }));
  }
}

/** Hex of an INTEGER's content octets: no sign octet, `-` in front of a negative number. */
export function integerHex(octets: Uint8Array): string {
  const text = hex(octets);
  if (entryAt(octets, 0) < 0x80) return text.length > 2 && text.startsWith('00') ? text.slice(2) : text;
  const magnitude = (1n << BigInt(8 * octets.length)) - BigInt(`0x${text}`);
  return `-${magnitude.toString(16).padStart(2, '0')}`;
}
