/** A complete list with the delta lists beside it (RFC 5280 §5.2.4, §6.3.3 (c)): which entry speaks of a certificate. */

import type { CertificateFacts } from '../certificate/index.js';
import { sameOctets } from '../der/index.js';
import type { CrlFacts } from './crl.js';
import type { CrlEntry } from './crl-entries.js';
import { isSigned, outOfTime, unfit } from './crl-usable.js';
import { COST, type RevocationContext } from './revocation-context.js';

/** §6.3.3 (c), (i)-(k): the newest delta that fits, then the complete list. `timely`: whether deltas must be current. */
export function lookUp(
  crl: CrlFacts,
  certificate: CertificateFacts,
  context: RevocationContext,
  timely = true,
): { entry: CrlEntry | undefined; nextUpdate: number } {
  context.budget.spend('revocation', context.crls.length * COST.delta);
  const deltas = context.crls
    .filter(
      (delta) =>
        isDeltaOf(delta, crl) &&
        !(timely && (outOfTime(delta, context) !== undefined || unfit(delta, context) !== undefined)),
    )
    .sort((a, b) => compareNumbers(b.crlNumber, a.crlNumber));
  const newest = deltas.find((delta) => isSigned(delta, context));
  if (newest === undefined) return { entry: findEntry(crl, certificate), nextUpdate: crl.nextUpdate ?? 0 };
  const nextUpdate = Math.min(crl.nextUpdate ?? 0, newest.nextUpdate ?? 0);
  const entry = findEntry(newest, certificate);
  if (entry?.reason !== 'removeFromCRL') return { entry: entry ?? findEntry(crl, certificate), nextUpdate };
  // §5.3.1: it takes off what was on hold and nothing else: what any list before it says of a lost key stays.
  const before = [...deltas, crl]
    .filter((list) => list !== newest)
    .map((list) => ({ list, entry: findEntry(list, certificate) }));
  const lost = before.find(
    ({ list, entry: said }) => said !== undefined && !RELEASED.has(said.reason) && isSigned(list, context),
  );
  return { entry: lost?.entry, nextUpdate };
}

/** Whether a newer delta of the same issuer takes the certificate off hold (§5.3.1). */
export function releasedSince(delta: CrlFacts, certificate: CertificateFacts, context: RevocationContext): boolean {
  return context.crls.some(
    (other) =>
      other.baseCrlNumber !== undefined &&
      other.issuerKeys.text === delta.issuerKeys.text &&
      compareNumbers(other.crlNumber, delta.crlNumber) > 0 &&
      findEntry(other, certificate)?.reason === 'removeFromCRL' &&
      isSigned(other, context),
  );
}

/** What a certificate comes off a list from. */
const RELEASED: ReadonlySet<string> = new Set(['certificateHold', 'removeFromCRL']);

export const findEntry = ({ entries, issuerKeys }: CrlFacts, certificate: CertificateFacts): CrlEntry | undefined =>
  entries.find(certificate.serialOctets, certificate.issuerKeys.text, issuerKeys.text);

/** §5.2.4, §6.3.3 (c): same issuer, scope and key; the complete list is no older than the delta's base. */
function isDeltaOf(delta: CrlFacts, crl: CrlFacts): boolean {
  const same = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
    a === undefined || b === undefined ? a === b : sameOctets(a, b);
  return (
    delta.baseCrlNumber !== undefined &&
    delta.crlNumber !== undefined &&
    crl.crlNumber !== undefined &&
    delta.issuerKeys.text === crl.issuerKeys.text &&
    same(delta.issuingDistributionPoint?.value, crl.issuingDistributionPoint?.value) &&
    same(delta.authorityKeyIdentifier, crl.authorityKeyIdentifier) &&
    compareNumbers(crl.crlNumber, delta.baseCrlNumber) >= 0 &&
    compareNumbers(crl.crlNumber, delta.crlNumber) < 0
  );
}

/** Compares two CRL numbers (content octets of an INTEGER); both are positive where CAs conform. */
function compareNumbers(a: Uint8Array | undefined, b: Uint8Array | undefined): number {
  const [left, right] = [significant(a), significant(b)];
  return left.length - right.length || Buffer.compare(left, right);
}

function significant(octets: Uint8Array = new Uint8Array()): Uint8Array {
  const first = octets.findIndex((octet) => octet !== 0);
  return first < 0 ? octets.subarray(octets.length) : octets.subarray(first);
}
