/** One CRL beside the one before it: may it take its place, and does it say anything else? */

import type { DistributionPointName } from '../certificate/index.js';
import { DerReader, hex, instant, sameOctets, TAG } from '../der/index.js';
import type { CrlFacts, IssuingDistributionPoint } from './crl.js';

/** Milliseconds; see PathInput. */
export interface CrlTimes {
  readonly at: number;
  readonly skew: number;
  readonly grace: number;
}

/**
 * Why a list that was fetched is no complete list of one of these issuers; undefined: it is. Its signature is not looked
 * at here.
 */
export function whyForeign(crl: CrlFacts, issuers: ReadonlySet<string>, { at, skew }: CrlTimes): string | undefined {
  const { thisUpdate } = crl;
  if (!issuers.has(crl.issuerKeys.text)) {
    return `expected a CRL of the issuer of the certificate, found one of ${crl.issuerText || '(empty name)'}`;
  }
  if (crl.baseCrlNumber !== undefined) return 'expected a complete CRL, found a delta';
  // It would keep all others away until its time has come.
  return thisUpdate > at + skew ? `expected thisUpdate before ${instant(at)}, found ${instant(thisUpdate)}` : undefined;
}

/** Why a list clears nobody now, though what it lists is revoked; undefined: it may be used in full. */
export function whyClearsNobody(
  { nextUpdate, unknownCritical }: CrlFacts,
  { at, grace }: CrlTimes,
): string | undefined {
  if (unknownCritical !== undefined) {
    return `expected critical extensions that are understood, found ${unknownCritical}`;
  }
  if (nextUpdate === undefined) return 'expected nextUpdate (RFC 5280 §5.1.2.5), found none';
  return nextUpdate + grace <= at
    ? `expected nextUpdate after ${instant(at)}, found ${instant(nextUpdate)}`
    : undefined;
}

/**
 * Why a list must not take the place of the one that is held: a server that goes back in time would clear what has been
 * revoked since. One that has run out is nothing to protect, unless it is the newer one all the same.
 */
export function whyOlder(crl: CrlFacts, held: CrlFacts, at: number): string | undefined {
  if (crl.thisUpdate < held.thisUpdate) {
    return `expected a CRL of ${instant(held.thisUpdate)} or later, found one of ${instant(crl.thisUpdate)}`;
  }
  if ((held.nextUpdate ?? 0) <= at || crl.crlNumber === undefined || held.crlNumber === undefined) return undefined;
  const [found, least] = [numberOf(crl.crlNumber), numberOf(held.crlNumber)];
  return found < least ? `expected CRL number ${least} or greater, found ${found}` : undefined;
}

/**
 * Why a list must not take the place of the one that is held: it speaks of less. Of several lists of one CA, one for each
 * part of its certificates, a server that sends the wrong one would clear what the right one lists, and leave the others
 * undetermined. A list that has run out is nothing to protect.
 */
export function whyNarrower(crl: CrlFacts, held: CrlFacts, at: number): string | undefined {
  const found = crl.issuingDistributionPoint;
  if (found === undefined || (held.nextUpdate ?? 0) <= at) return undefined;
  const before = held.issuingDistributionPoint;
  const restrictions = restrictionsOf(before);
  return restrictionsOf(found).every((each) => restrictions.includes(each)) &&
    (found.indirectCrl || !before?.indirectCrl)
    ? undefined
    : 'expected a CRL of the scope of the one before (issuingDistributionPoint), found one of another';
}

/** What a scope leaves out, each in a text of its own (RFC 5280 §5.2.5). */
function restrictionsOf(scope: IssuingDistributionPoint | undefined): readonly string[] {
  if (scope === undefined) return [];
  const { name, onlySomeReasons: reasons } = scope;
  return [
    ...(scope.onlyContainsUserCerts ? ['users'] : []),
    ...(scope.onlyContainsCaCerts ? ['authorities'] : []),
    ...(scope.onlyContainsAttributeCerts ? ['attributes'] : []),
    ...(reasons === undefined ? [] : [`reasons ${[...reasons].sort().join(' ')}`]),
    ...(name === undefined ? [] : [`name ${nameText(name)}`]),
  ];
}

function nameText({ full, relative }: DistributionPointName): string {
  return relative === undefined
    ? (full ?? []).map(({ type, bytes }) => `${type}:${hex(bytes)}`).join(' ')
    : hex(relative);
}

/** Whether two lists revoke the same certificates of the same scope: no verdict changes when one follows the other. */
export function saysTheSame(a: CrlFacts, b: CrlFacts): boolean {
  const scope = ({ issuingDistributionPoint }: CrlFacts): Uint8Array => issuingDistributionPoint?.value ?? NOTHING;
  return (
    a.issuerKeys.text === b.issuerKeys.text &&
    a.entryCount === b.entryCount &&
    sameOctets(scope(a), scope(b)) &&
    sameOctets(revokedCertificates(a), revokedCertificates(b))
  );
}

const NOTHING = new Uint8Array();

/** The content octets of revokedCertificates; none: the list is empty. */
function revokedCertificates({ tbs }: CrlFacts): Uint8Array {
  const content = new DerReader(tbs).sequence('tbsCertList');
  content.optional(TAG.integer, 'version');
  for (const field of ['signature', 'issuer', 'thisUpdate']) content.any(field);
  if (!content.optional(TAG.utcTime, 'nextUpdate')) content.optional(TAG.generalizedTime, 'nextUpdate');
  return content.optional(TAG.sequence, 'revokedCertificates') ? content.content() : NOTHING;
}

function numberOf(octets: Uint8Array): bigint {
  return BigInt(`0x${hex(octets)}`);
}
