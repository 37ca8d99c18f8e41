/** Which CA can have signed a list: asked when a policy is checked, long before a verdict needs the list. */

import { Budget, type CertificateFacts, signatureVerifies } from '../certificate/index.js';
import type { CrlFacts } from './crl.js';

/** Longer lists are only held against the names: hashing them would hold up a reload. */
const MOST_HASHED_OCTETS = 2 ** 20;

/** Why none of these CAs has signed a list (RFC 5280 §6.3.3 (f), (g)); undefined: one has, or may have. */
export function whyUnsigned(crl: CrlFacts, authorities: readonly CertificateFacts[]): string | undefined {
  const named = authorities.filter(({ subjectKeys }) => subjectKeys.text === crl.issuerKeys.text);
  if (named.length === 0) return `none of them is named ${crl.issuerText || '(empty name)'}`;
  const able = named.filter(maySignLists);
  if (able.length === 0) return barredText(crl);
  if (crl.der.length > MOST_HASHED_OCTETS) return undefined;
  const budget = new Budget(Number.POSITIVE_INFINITY);
  return able.some(({ publicKey }) => signatureVerifies(crl, publicKey, budget))
    ? undefined
    : `the signature does not verify with the key of ${crl.issuerText}`;
}

/** §6.3.3 (f): where keyUsage is present, and only there. */
export function maySignLists({ keyUsage }: CertificateFacts): boolean {
  return keyUsage === undefined || keyUsage.has('cRLSign');
}

/** In words: the issuer may not. */
export function barredText({ issuerText }: CrlFacts): string {
  return `the key of ${issuerText} may not sign lists (keyUsage without cRLSign)`;
}
