/** Certificates, lists and targets of an agreement, as people see them, and how their ends stand. */

import type { StaticTarget } from '../../trust/agreement/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { instant } from '../../x509/der/index.js';
import type { CrlFacts } from '../../x509/revocation/index.js';

/** A CA certificate: who, which, until when. */
export function showAuthority({ subjectText, sha256, notAfter }: CertificateFacts) {
  return { subject: subjectText, sha256, not_after: instant(notAfter) };
}

/** A CRL: whose, from when to when, how many entries. */
export function showCrl({ issuerText, thisUpdate, nextUpdate, entryCount }: CrlFacts) {
  return {
    issuer: issuerText,
    this_update: instant(thisUpdate),
    next_update: instant(nextUpdate),
    entries: entryCount,
  };
}

/** `192.0.2.7:5061`, IPv6 in brackets (RFC 5952 §6). */
export function showTarget({ address, port }: StaticTarget): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** One digit for each certificate: valid at `now`, ended, or not yet begun. */
export function certificateEnds(certificates: readonly CertificateFacts[], now: number): string {
  let ends = '';
  for (const { notBefore, notAfter } of certificates) ends += Number(notAfter < now) + 2 * Number(notBefore > now);
  return ends;
}

/** One digit for each list: whether the next one should have come by `now`. */
export function crlEnds(crls: readonly CrlFacts[], now: number): string {
  return crls.map(({ nextUpdate }) => Number((nextUpdate ?? 0) < now)).join('');
}
