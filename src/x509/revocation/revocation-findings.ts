/** What is said of a revocation status: what revoked a certificate, and what was missing to clear it. */

import { quoted } from '../../printable.js';
import type { Finding } from '../../reasons.js';
import { type CertificateFacts, certificateName, type RevocationReason } from '../certificate/index.js';
import { instant } from '../der/index.js';
import type { CrlFacts } from './crl.js';
import type { CrlEntry } from './crl-entries.js';
import { ALL_REASONS } from './distribution-points.js';
import { crlLocations, ocspLocations } from './locations.js';
import type { RevocationContext } from './revocation-context.js';

/** Findings of one certificate that are told: there can be as many as distribution points times lists. */
export const MOST_FINDINGS = 8;

/** A list past its end that the policy lets count for a while. */
export function graceFinding({ issuerText }: CrlFacts, nextUpdate: number, until: number): Finding {
  const detail = `CRL of ${issuerText}: should have been replaced at ${instant(nextUpdate)}`;
  return { code: 'crl-grace', detail: `${detail}, counts until ${instant(until)} (defaults.crl_grace)` };
}

/** What is missing, and in the same line why what is at hand does not count: it is often all that is read. */
export function unknownFinding(
  certificate: CertificateFacts,
  covered: ReadonlySet<RevocationReason>,
  findings: readonly Finding[],
  { crls }: RevocationContext,
): Finding {
  const who = certificateName(certificate);
  const missing = ALL_REASONS.filter((reason) => !covered.has(reason));
  const what =
    covered.size === 0
      ? `no usable CRL of ${certificate.issuerText || '(empty name)'}`
      : `no usable CRL for the reasons ${missing.join(', ')}`;
  const detail = `${who}: expected a revocation status, found ${what}: ${whyNone(certificate, findings, crls, covered.size > 0)}`;
  return { code: 'rev-unknown', detail };
}

function whyNone(
  certificate: CertificateFacts,
  findings: readonly Finding[],
  crls: readonly CrlFacts[],
  partly: boolean,
): string {
  const [first, second] = findings;
  if (first !== undefined) return second === undefined ? first.detail : `${first.detail}; ${second.detail}`;
  if (partly) return 'what is at hand speaks of other reasons alone';
  const others = [...new Set(crls.slice(0, MOST_FINDINGS).map(({ issuerText }) => issuerText))];
  const atHand =
    others.length === 0
      ? 'there is no CRL at hand'
      : `the ${crls.length === 1 ? 'CRL' : `${crls.length} CRLs`} at hand ${crls.length === 1 ? 'is' : 'are'} of ${shownOf(others)}`;
  const delta = crls.some(({ issuerKeys }) => issuerKeys.text === certificate.issuerKeys.text);
  return `${atHand}${delta ? ', a delta without its complete list' : ''}${whereElse(certificate)}`;
}

const shownOf = ([first, second, ...more]: readonly string[]): string =>
  more.length > 0 ? `${first}, ${second} and others` : [first, second].filter(Boolean).join(' and ');

const FETCHED = 'where daemon.revocation has fetch: on and its host in hosts';

/** What the certificate says of where its status can be had, as far as that is a reason why there is none. */
function whereElse(certificate: CertificateFacts): string {
  const urls = crlLocations(certificate).map(({ url }) => url);
  // Beside a list that is fetched (RFC 5280 §4.2.1.13 wants one by http: or ldap:) the others do not matter.
  const url = urls.find((each) => /^http:/i.test(each));
  if (url !== undefined)
    return `; ${quoted(url)} of the certificate is fetched ${FETCHED} (siptrustctl crl list says what came of it)`;
  const [responder] = ocspLocations(certificate);
  if (responder !== undefined) {
    return `; its OCSP responder ${quoted(responder)} is asked ${FETCHED}, and no answer that counts is at hand (siptrustctl crl list says what came of it)`;
  }
  const [odd] = urls;
  if (odd !== undefined) return `, and ${quoted(odd)} of the certificate is not fetched (http: alone is)`;
  const none = certificate.extensions.some(({ oid }) => oid === NO_REVOCATION_AVAILABLE);
  const says = none
    ? 'the certificate says that its CA publishes no revocation information (noRevAvail, RFC 9608)'
    : 'the certificate names neither a CRL nor an OCSP responder';
  return `; ${says}: it takes a CRL under crls of the agreement (revocation: soft does without)`;
}

/** RFC 9608 §2: a CA that says of itself that nobody can know is no status; it is for the agreement to accept that. */
const NO_REVOCATION_AVAILABLE = '2.5.29.56';

/** Which certificate, when, why, by which list of whom. */
export function revokedText(
  certificate: CertificateFacts,
  crl: CrlFacts,
  { revocationDate, reason }: CrlEntry,
): string {
  return `${certificateName(certificate)}: serial ${certificate.serial} revoked ${instant(revocationDate)} (${reason}), by the CRL of ${instant(crl.thisUpdate)} of ${crl.issuerText}`;
}
