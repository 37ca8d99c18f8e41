/**
 * A pinned certificate that stands as its own anchor (`pin: leaf`). No path is judged, but all that a path would say of
 * the certificate itself is: its time, its key, its use, and whether it is revoked (rulebook T-17, §8.3).
 */

import {
  type Budget,
  BudgetExhausted,
  type CertificateFacts,
  certificateName,
  signatureVerifies,
} from '../../x509/certificate/index.js';
import { either, ocspStatus, type RevocationStatus, revocationStatus } from '../../x509/revocation/index.js';
import { checkPinned } from '../../x509/rules/index.js';
import type { Agreement } from '../agreement/index.js';
import { type CoverContext, nextInstant, type PathJudgement, peerRole } from './context.js';

/** Whether a certificate with a pinned key stands as its own anchor (pin: leaf). */
export function judgePinnedLeaf(agreement: Agreement, leaf: CertificateFacts, context: CoverContext): PathJudgement {
  const { direction, snapshot, now, trail } = context;
  const { skew } = snapshot;
  const validUntil = nextInstant(now, [leaf], skew);
  const broken = checkPinned(leaf, peerRole(direction), agreement.eku, { at: now, skew });
  if (broken !== undefined) {
    trail.fail('path', broken.code, `pinned certificate ${broken.detail}`);
    return { ok: false, path: [], validUntil };
  }
  trail.pass('path', `${certificateName(leaf)} is pinned and its own anchor (pin: leaf)`, 'operator policy');
  return revocationHolds(agreement, leaf, validUntil, context);
}

function revocationHolds(
  agreement: Agreement,
  leaf: CertificateFacts,
  validUntil: number,
  context: CoverContext,
): PathJudgement {
  const { trail } = context;
  const { name, revocation, crls } = agreement;
  if (revocation === 'off') {
    trail.skip('revocation', `agreement ${name}: revocation is off`, 'operator policy');
    return { ok: true, path: [leaf], validUntil };
  }
  const status = statusWithin(agreement, leaf, [...crls, ...context.crls], context);
  if (status.status === 'revoked') {
    trail.fail('revocation', 'revoked', status.detail);
    return { ok: false, path: [], validUntil };
  }
  if (status.status === 'good') {
    trail.pass('revocation', 'the pinned certificate is known not to be revoked', 'RFC 5280 §6.3');
    for (const { code, detail } of status.findings ?? []) trail.note('revocation', code, detail);
    return { ok: true, path: [leaf], validUntil: Math.min(validUntil, status.until) };
  }
  for (const { code, detail } of status.findings) {
    if (revocation === 'hard') trail.fail('revocation', code, detail);
    else trail.note('revocation', code, detail);
  }
  const ok = revocation !== 'hard';
  return { ok, path: ok ? [leaf] : [], validUntil };
}

/** Within the budget of one verification; what takes more is not known. */
function statusWithin(
  agreement: Agreement,
  leaf: CertificateFacts,
  crls: CoverContext['crls'],
  context: CoverContext,
): RevocationStatus {
  const budget = context.pathBudget;
  try {
    return statusOf(leaf, crls, issuersOf(agreement, leaf, context, budget), context, budget);
  } catch (cause) {
    if (!(cause instanceof BudgetExhausted)) throw cause;
    const detail = `${certificateName(leaf)}: its revocation status took ${cause.message}`;
    return { status: 'unknown', findings: [{ code: 'rev-unknown', detail }] };
  }
}

function statusOf(
  leaf: CertificateFacts,
  crls: CoverContext['crls'],
  issuers: readonly CertificateFacts[],
  { snapshot, now, ocsp }: CoverContext,
  budget: Budget,
): RevocationStatus {
  // Whole seconds count (RFC 5280 §4.1.2.5).
  const at = Math.floor(now / 1000) * 1000;
  const { skew } = snapshot;
  const byCrl = (certificate: CertificateFacts): RevocationStatus =>
    revocationStatus(certificate, {
      ...{ crls, at, skew, budget, grace: snapshot.crlGrace, strict: false, tls: true },
      signers: (issuer) =>
        issuers.filter(({ subjectKeys }) => subjectKeys.text === issuer).map((each) => ({ certificate: each })),
    });
  const answer = ocsp.get(leaf.sha256);
  const [issuer] = issuers;
  if (answer === undefined || issuer === undefined) return byCrl(leaf);
  return either(
    ocspStatus(leaf, issuer, answer, { ...snapshot.ocsp, at, skew, budget, responderStatus: byCrl }),
    byCrl(leaf),
  );
}

/** Whose lists count: the keys that signed the certificate, from wherever their certificates came. */
function issuersOf(
  { anchors, intermediates }: Agreement,
  leaf: CertificateFacts,
  { chain }: Pick<CoverContext, 'chain'>,
  budget: Budget,
): readonly CertificateFacts[] {
  const known = [...anchors.client, ...anchors.server, ...intermediates, ...chain, leaf];
  return [...new Map(known.map((each) => [each.sha256, each])).values()].filter(
    ({ subjectKeys, publicKey }) =>
      subjectKeys.text === leaf.issuerKeys.text && signatureVerifies(leaf, publicKey, budget),
  );
}
