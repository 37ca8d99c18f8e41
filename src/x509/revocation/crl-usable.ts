/** Whether a list may speak of a certificate: its times, form, scope and signature (RFC 5280 §6.3.3 (b), (f), (g)). */

import { shortened } from '../../printable.js';
import {
  type CertificateFacts,
  certificateName,
  type DistributionPointName,
  EXTENSION,
  signatureVerifies,
  weakAlgorithm,
} from '../certificate/index.js';
import { instant, MalformedDer } from '../der/index.js';
import type { CrlFacts } from './crl.js';
import { barredText, maySignLists } from './crl-signer.js';
import { comparableNames, isPlain, type Point, pointText } from './distribution-points.js';
import { COST, type RevocationContext } from './revocation-context.js';

/** Why a complete list cannot be used for this certificate at this point; undefined: it can. */
export function whyUnusable(
  crl: CrlFacts,
  certificate: CertificateFacts,
  point: Point,
  context: RevocationContext,
): string | undefined {
  return (
    outOfTime(crl, context) ??
    unfit(crl, context) ??
    outOfScope(crl, certificate, point, context) ??
    unsignedText(crl, context)
  );
}

/** Rulebook K-2. */
export function outOfTime(
  { thisUpdate, nextUpdate }: CrlFacts,
  { at, skew, grace = 0 }: RevocationContext,
): string | undefined {
  const now = instant(at);
  if (nextUpdate === undefined) return 'expected nextUpdate (§5.1.2.5), found none';
  if (thisUpdate > at + skew) return `expected thisUpdate before ${now}, found ${instant(thisUpdate)}`;
  return nextUpdate + grace <= at ? `expected nextUpdate after ${now}, found ${instant(nextUpdate)}` : undefined;
}

/** §5.2, §5.3: critical extensions; with `strict` also what §5 demands of the form. */
export function unfit(crl: CrlFacts, { strict, tls }: RevocationContext): string | undefined {
  if (crl.unknownCritical !== undefined)
    return `expected critical extensions that are understood, found ${crl.unknownCritical}`;
  if (!strict) return undefined;
  if (crl.version === 1) return 'expected version 2 (§5.1.2.1), found 1';
  const number = crl.extensions.find(({ oid }) => oid === EXTENSION.cRLNumber);
  if (number === undefined || number.critical) return 'expected a non-critical cRLNumber (§5.2.3)';
  // Of two octets: an empty SEQUENCE.
  if (crl.issuingDistributionPoint?.value.length === 2)
    return 'expected issuingDistributionPoint not to be empty (§5.2.5)';
  if (!tls) return undefined;
  if (crl.earlyGeneralizedTime) return 'expected UTCTime before 2050 (§5.1.2.4), found GeneralizedTime';
  return crl.oddity === undefined ? undefined : `expected entries as RFC 5280 §5.3 has them, found ${crl.oddity}`;
}

/** §6.3.3 (b): does the list speak of this certificate at all? */
function outOfScope(
  crl: CrlFacts,
  certificate: CertificateFacts,
  point: Point,
  { strict, tls, budget }: RevocationContext,
): string | undefined {
  const scope = crl.issuingDistributionPoint;
  // (b)(1)
  if (point.crlIssuers !== undefined && !scope?.indirectCrl)
    return 'expected an indirect CRL, as the distribution point names a CRL issuer';
  if (scope === undefined) return undefined;
  // (b)(2)(ii)-(iv)
  if (scope.onlyContainsAttributeCerts) return 'it lists attribute certificates only';
  if (scope.onlyContainsUserCerts && certificate.isCa) return 'it lists end-entity certificates only, and this is a CA';
  if (scope.onlyContainsCaCerts && !certificate.isCa) return 'it lists CA certificates only, and this is an end entity';
  // CABF §7.2.2.1: a list that is indirect without need, or located by other names, says something else than it seems to.
  if (strict && tls) {
    if (scope.indirectCrl && point.crlIssuers === undefined)
      return 'it is indirect, and the certificate does not name its issuer';
    if (!isPlain(scope.name) || !point.plain) return 'expected URIs or directory names of the distribution point';
  }
  // (b)(2)(i)
  if (scope.name === undefined) return undefined;
  try {
    budget.spend('revocation', (scope.name.full?.length ?? 1) * COST.name);
    const listed = comparableNames(scope.name, crl.issuerKeys.text);
    const wanted = point.names ?? new Set((point.crlIssuers ?? []).map((text) => `directory:${text}`));
    return [...listed].some((name) => wanted.has(name)) ? undefined : otherPoint(scope.name, certificate);
  } catch (cause) {
    if (cause instanceof MalformedDer) return cause.message;
    throw cause;
  }
}

function otherPoint(found: DistributionPointName, { crlDistributionPoints = [] }: CertificateFacts): string {
  const [wanted] = crlDistributionPoints.flatMap(({ name }) => name ?? []);
  const expected =
    wanted === undefined
      ? 'a list for all that its issuer has issued (the certificate names no distribution point)'
      : `the list of ${pointText(wanted)}, which the certificate names`;
  return `expected ${expected}, found that of ${pointText(found)}`;
}

/** §6.3.3 (f), (g): whether a CA signed the list whose path leads to the same anchor and whose key may sign lists. */
export function isSigned(crl: CrlFacts, context: RevocationContext): boolean {
  return unsignedText(crl, context) === undefined;
}

/** Letters of why a signer is none: that can be for a list whose signer is none, and so on. */
const MOST_FAULT = 200;

/** Each signer may cost a search for its path: they are gone through once, for the reason too. */
function unsignedText(crl: CrlFacts, { signers, budget }: RevocationContext): string | undefined {
  let barred = false;
  let able = false;
  let unfit = '';
  for (const { certificate, fault } of signers(crl.issuerKeys.text)) {
    // Whether it has signed the list would take hashing all of it, for who counts for nothing.
    if (fault !== undefined)
      unfit ||= `; ${certificateName(certificate)} is no signer here: ${shortened(fault, MOST_FAULT)}`;
    else if (!maySignLists(certificate)) barred = true;
    else if (signatureVerifies(crl, certificate.publicKey, budget)) return undefined;
    else able = true;
  }
  if (barred && !able) return barredText(crl);
  return (
    weakAlgorithm(crl.signatureAlgorithm) ??
    `expected a signature by its issuer under the same anchor, found none that verifies${unfit}`
  );
}
