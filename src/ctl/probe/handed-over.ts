/** What a proxy hands over of a partner's chain: what its TLS stack has put together and verified, and of no other one anything. */

import {
  Budget,
  type CertificateFacts,
  isSelfSigned,
  keyIdentifiersAgree,
  signatureVerifies,
} from '../../x509/certificate/index.js';
import { type Role, rolePurpose } from '../../x509/rules/index.js';

/**
 * The certificates above the leaf as OpenSSL puts them together: from ca_list before what was sent (X509_V_FLAG_TRUSTED_FIRST),
 * so that what one root has signed for another is not among them where both are in ca_list.
 */
export function verifiedChain(
  leaf: CertificateFacts,
  sent: readonly CertificateFacts[],
  authorities: readonly CertificateFacts[],
): readonly CertificateFacts[] {
  const budget = new Budget(Number.POSITIVE_INFINITY);
  const chain = [leaf];
  for (const current of chain) {
    if (isSelfSigned(current, budget)) break;
    const above = [...authorities, ...sent].find(
      (each) =>
        !chain.includes(each) &&
        each.subjectKeys.text === current.issuerKeys.text &&
        keyIdentifiersAgree(current, each) &&
        signatureVerifies(current, each.publicKey, budget),
    );
    if (above !== undefined) chain.push(above);
  }
  return chain.slice(1);
}

/** Whether OpenSSL takes the certificates for this role: each that names purposes has to name this one (anyExtendedKeyUsage is none). */
export function servesRole(certificates: readonly CertificateFacts[], role: Role): boolean {
  return certificates.every(({ extendedKeyUsage }) => extendedKeyUsage?.includes(rolePurpose(role)) ?? true);
}
