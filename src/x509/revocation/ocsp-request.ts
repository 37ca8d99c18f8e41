/** OCSP requests (RFC 6960 §4.1): the CertID of a certificate, and the DER of a question about it. */

import { createHash } from 'node:crypto';
import type { CertificateFacts } from '../certificate/index.js';
import { sameOctets, TAG } from '../der/index.js';

export const ID_SHA1 = '1.3.14.3.2.26';
/** Hashes by which responders name issuers, for node:crypto. */
const HASHES: ReadonlyMap<string, string> = new Map([
  [ID_SHA1, 'sha1'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);
/** id-pkix-ocsp-nonce (RFC 9654). */
export const OCSP_NONCE = '1.3.6.1.5.5.7.48.1.2';

/** How OCSP names a certificate: by hashes of its issuer, and its serial number (RFC 6960 §4.1.1). */
export interface CertId {
  /** Dotted OID. */
  readonly hashAlgorithm: string;
  readonly issuerNameHash: Uint8Array;
  readonly issuerKeyHash: Uint8Array;
  /** Content octets of the INTEGER. */
  readonly serial: Uint8Array;
}

/**
 * The CertID that siptrust asks by. SHA-1 is the one hash that every responder knows (RFC 5019 §2.1.1); it only names
 * the issuer here: what the answer is worth rests on its signature.
 */
export function certIdOf(certificate: CertificateFacts, issuer: CertificateFacts): CertId {
  return hashedCertId(certificate, issuer, ID_SHA1, 'sha1');
}

/** The same by the hash that a responder has used; undefined: one that names nobody. */
export function certIdBy(
  hashAlgorithm: string,
  certificate: CertificateFacts,
  issuer: CertificateFacts,
): CertId | undefined {
  const hash = HASHES.get(hashAlgorithm);
  return hash === undefined ? undefined : hashedCertId(certificate, issuer, hashAlgorithm, hash);
}

function hashedCertId(
  certificate: CertificateFacts,
  issuer: CertificateFacts,
  hashAlgorithm: string,
  hash: string,
): CertId {
  return {
    hashAlgorithm,
    issuerNameHash: digest(hash, certificate.issuerDer),
    issuerKeyHash: digest(hash, issuer.publicKey.key),
    serial: certificate.serialOctets,
  };
}

/** Whether a response speaks of what was asked (rulebook K-10). */
export function sameCertId(a: CertId, b: CertId): boolean {
  return (
    a.hashAlgorithm === b.hashAlgorithm &&
    sameOctets(a.serial, b.serial) &&
    sameOctets(a.issuerNameHash, b.issuerNameHash) &&
    sameOctets(a.issuerKeyHash, b.issuerKeyHash)
  );
}

/** SHA-1 as RFC 6960 uses it to name issuers and responders. */
export function sha1(octets: Uint8Array): Uint8Array {
  return digest('sha1', octets);
}

function digest(hash: string, octets: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(hash).update(octets).digest());
}

/** DER of an OCSPRequest for one certificate. `nonce`: 1 to 128 octets of random (RFC 9654 §2.1 recommends 32). */
export function writeOcspRequest({ issuerNameHash, issuerKeyHash, serial }: CertId, nonce: Uint8Array): Uint8Array {
  const algorithm = element(TAG.sequence, SHA1_OID, element(TAG.null));
  const certId = element(
    TAG.sequence,
    algorithm,
    element(TAG.octetString, issuerNameHash),
    element(TAG.octetString, issuerKeyHash),
    element(TAG.integer, serial),
  );
  const requests = element(TAG.sequence, element(TAG.sequence, certId));
  const extension = element(TAG.sequence, NONCE_OID, element(TAG.octetString, nonceValue(nonce)));
  const extensions = element(0xa2, element(TAG.sequence, extension));
  return element(TAG.sequence, element(TAG.sequence, requests, extensions));
}

/** The extension value that carries a nonce: an OCTET STRING (RFC 9654 §2.1). */
export function nonceValue(nonce: Uint8Array): Uint8Array {
  return element(TAG.octetString, nonce);
}

const SHA1_OID = Uint8Array.of(TAG.oid, 5, 0x2b, 0x0e, 0x03, 0x02, 0x1a);
const NONCE_OID = Uint8Array.of(TAG.oid, 9, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02);

/** One DER element; a request is far below 64 KiB. */
function element(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  const header =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  const out = new Uint8Array(header.length + length);
  out.set(header);
  let at = header.length;
  for (const part of content) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
