/** Revocation by CRL (RFC 5280 §6.3.3): what a set of lists says of one certificate. Undetermined is never good. */

import type { Finding } from '../../reasons.js';
import type { CertificateFacts, RevocationReason } from '../certificate/index.js';
import type { CrlFacts } from './crl.js';
import type { CrlEntry } from './crl-entries.js';
import { isSigned, whyUnusable } from './crl-usable.js';
import { findEntry, lookUp, releasedSince } from './delta-crl.js';
import { ALL_REASONS, pointsOf, reasonsOf } from './distribution-points.js';
import { COST, type RevocationContext } from './revocation-context.js';
import { graceFinding, MOST_FINDINGS, revokedText, unknownFinding } from './revocation-findings.js';

/** The outcome for one certificate. `until`: when (ms) what settled it runs out; `findings`: what is worth knowing. */
export type RevocationStatus =
  | { readonly status: 'good'; readonly until: number; readonly findings?: readonly Finding[] }
  | { readonly status: 'revoked'; readonly detail: string }
  /** `findings`: why each list that was looked at did not settle it. */
  | { readonly status: 'unknown'; readonly findings: readonly Finding[] };

/** What two sources say together: revoked by one is revoked, and one that knows is enough. */
export function either(a: RevocationStatus, b: RevocationStatus): RevocationStatus {
  if (a.status === 'revoked' || b.status === 'revoked') return a.status === 'revoked' ? a : b;
  if (a.status === 'good' && b.status === 'good') return a.until >= b.until ? a : b;
  if (a.status === 'good' || b.status === 'good') return a.status === 'good' ? a : b;
  // The first line is often all that is read: it says of both why nothing is known.
  const [first, ...others] = b.findings;
  const [why] = a.findings;
  const both = first && why ? [{ ...first, detail: `${first.detail}; ${why.detail}` }, ...others] : b.findings;
  return { status: 'unknown', findings: [...both, ...a.findings] };
}

/**
 * Judges one certificate by all lists at hand. Only a list that is current, whole and of the right scope clears it; one
 * that lists it revokes it, whatever else is wrong with the list, as long as its issuer signed it: what is known to be
 * revoked stays so (X.509 §7.3 says it of lists with critical extensions that are not understood).
 */
export function revocationStatus(certificate: CertificateFacts, context: RevocationContext): RevocationStatus {
  const { budget } = context;
  const covered = new Set<RevocationReason>();
  const findings: Finding[] = [];
  const remarks: Finding[] = [];
  const lists = byIssuer(context);
  let until = Number.POSITIVE_INFINITY;
  const note = (crl: CrlFacts, why: string): void => {
    const detail = `CRL of ${crl.issuerText}: ${why}`;
    if (findings.length < MOST_FINDINGS && !findings.some((known) => known.detail === detail)) {
      findings.push({ code: 'crl-scope', detail });
    }
  };
  for (const point of pointsOf(certificate)) {
    const wanted = point.crlIssuers ?? [certificate.issuerKeys.text];
    budget.spend('revocation', wanted.length * COST.name);
    const sorted = newestFirst(wanted.flatMap((issuer) => lists.get(issuer) ?? []));
    for (const crl of sorted) {
      budget.spend('revocation', COST.list);
      if (crl.baseCrlNumber !== undefined) {
        // Beside its complete list it is looked at there; that it lists the certificate is enough by itself.
        const entry = listedBy(crl, certificate, context);
        if (entry !== undefined) return { status: 'revoked', detail: revokedText(certificate, crl, entry) };
        continue;
      }
      const reasons = reasonsOf(point, crl.issuingDistributionPoint);
      if (reasons.every((reason) => covered.has(reason))) continue;
      const unusable = whyUnusable(crl, certificate, point, context);
      if (unusable !== undefined) {
        const entry = listedBy(crl, certificate, context);
        if (entry !== undefined) return { status: 'revoked', detail: revokedText(certificate, crl, entry) };
        note(crl, unusable);
        continue;
      }
      const { entry, nextUpdate } = lookUp(crl, certificate, context);
      if (entry?.reason === 'removeFromCRL') {
        note(crl, 'expected removeFromCRL only in a delta CRL (§5.3.1)');
        continue;
      }
      if (entry !== undefined) return { status: 'revoked', detail: revokedText(certificate, crl, entry) };
      const accused = accusedBeside(crl, sorted, certificate, context);
      if (accused !== undefined) return accused;
      for (const reason of reasons) covered.add(reason);
      const end = nextUpdate <= context.at ? nextUpdate + (context.grace ?? 0) : nextUpdate;
      if (end !== nextUpdate) remarks.push(graceFinding(crl, nextUpdate, end));
      until = Math.min(until, end);
      if (ALL_REASONS.every((reason) => covered.has(reason))) {
        return remarks.length === 0 ? { status: 'good', until } : { status: 'good', until, findings: remarks };
      }
    }
  }
  return { status: 'unknown', findings: [unknownFinding(certificate, covered, findings, context), ...findings] };
}

function byIssuer({ crls, budget }: RevocationContext): ReadonlyMap<string, readonly CrlFacts[]> {
  budget.spend('revocation', crls.length * COST.delta);
  const lists = new Map<string, CrlFacts[]>();
  for (const crl of crls) {
    const known = lists.get(crl.issuerKeys.text);
    if (known === undefined) lists.set(crl.issuerKeys.text, [crl]);
    else known.push(crl);
  }
  return lists;
}

/** The entry by which a list that clears nobody revokes a certificate all the same, if its issuer signed the list. */
function listedBy(crl: CrlFacts, certificate: CertificateFacts, context: RevocationContext): CrlEntry | undefined {
  // Attribute certificates have numbers of their own.
  if (crl.issuingDistributionPoint?.onlyContainsAttributeCerts) return undefined;
  const entry =
    crl.baseCrlNumber === undefined ? lookUp(crl, certificate, context, false).entry : findEntry(crl, certificate);
  if (entry === undefined || entry.reason === 'removeFromCRL') return undefined;
  const held = crl.baseCrlNumber !== undefined && entry.reason === 'certificateHold';
  if (held && releasedSince(crl, certificate, context)) return undefined;
  return isSigned(crl, context) ? entry : undefined;
}

/**
 * Of lists with one scope the newest speaks: an older one that has not run out yet (a file beside what was fetched since)
 * knows nothing of what was revoked in between. Of one second the one with the greater number (RFC 5280 §5.2.3).
 */
function newestFirst(crls: readonly CrlFacts[]): readonly CrlFacts[] {
  return crls.length < 2 ? crls : [...crls].sort((a, b) => b.thisUpdate - a.thisUpdate || compareNumbers(b, a));
}

/** By cRLNumber; lists of which one has none are alike. */
function compareNumbers({ crlNumber: a }: CrlFacts, { crlNumber: b }: CrlFacts): number {
  if (a === undefined || b === undefined) return 0;
  // Positive INTEGERs in their shortest form, and what stands for others is at least an order.
  return a.length - b.length || Buffer.compare(a, b);
}

/** A list that is no older than the one which clears the certificate, and lists it: nobody can say that it was released since. */
function accusedBeside(
  clearing: CrlFacts,
  sorted: readonly CrlFacts[],
  certificate: CertificateFacts,
  context: RevocationContext,
): RevocationStatus | undefined {
  for (const crl of sorted) {
    context.budget.spend('revocation', COST.delta);
    if (crl === clearing || crl.thisUpdate !== clearing.thisUpdate || compareNumbers(crl, clearing) < 0) continue;
    const entry = listedBy(crl, certificate, context);
    if (entry !== undefined) return { status: 'revoked', detail: revokedText(certificate, crl, entry) };
  }
  return undefined;
}
