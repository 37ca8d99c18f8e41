import { weakAlgorithm } from './algorithms.js';
import type { Budget } from './budget.js';
import type { CertificateFacts } from './facts.js';
import { keyIdentifiersAgree } from './key-identifiers.js';
import { signatureVerifies } from './signature.js';

/**
 * Whether its own key signed it. Roots of old have a signature by SHA-1 that nobody relies on, and that is not verified
 * here: of those the names tell, and key identifiers where there are any.
 */
export function isSelfSigned(certificate: CertificateFacts, budget: Budget): boolean {
  if (!certificate.selfIssued) return false;
  if (weakAlgorithm(certificate.signatureAlgorithm) !== undefined) return keyIdentifiersAgree(certificate, certificate);
  return signatureVerifies(certificate, certificate.publicKey, budget);
}
