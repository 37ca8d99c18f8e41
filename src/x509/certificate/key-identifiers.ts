/** Key identifiers (RFC 5280 §4.2.1.1, §4.2.1.2): hints which of several keys of one name signed. */

import { hex, sameOctets } from '../der/index.js';
import type { CertificateFacts } from './facts.js';

/** What it comes to that a name is at hand and its key did not sign. */
export const OTHER_KEY =
  'a forgery, or a CA with a new key under its old name (then the partner tells its new certificate)';

/** The two identifiers in words, unless they agree: one name, two keys. */
export function keyIdentifiersDiffer(
  { authorityKeyIdentifier: above }: CertificateFacts,
  issuer: CertificateFacts,
): string {
  const [named, own] = [above?.keyIdentifier, issuer.subjectKeyIdentifier];
  if (named === undefined || own === undefined) return `: ${OTHER_KEY}`;
  if (sameOctets(named, own)) return '';
  return `; it names the key ${hex(named)} of its issuer, the one at hand has ${hex(own)}: ${OTHER_KEY}`;
}

/**
 * Whether the identifiers of the issuer's key, where both sides give them, agree (§4.2.1.1). They order the search; a
 * strict check also holds them against the issuer, as OpenSSL does.
 */
export function keyIdentifiersAgree(
  { authorityKeyIdentifier: above }: CertificateFacts,
  issuer: CertificateFacts,
): boolean {
  if (above?.keyIdentifier !== undefined && issuer.subjectKeyIdentifier !== undefined) {
    return sameOctets(above.keyIdentifier, issuer.subjectKeyIdentifier);
  }
  return above?.serial === undefined || sameOctets(above.serial, issuer.serialOctets);
}
