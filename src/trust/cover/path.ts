/** The path from the certificate of a peer to the anchors of an agreement, and what it says of revocation. */

import type { Finding } from '../../reasons.js';
import { type CertificateFacts, certificateName } from '../../x509/certificate/index.js';
import { verifyPath } from '../../x509/path/index.js';
import { checkPinned } from '../../x509/rules/index.js';
import type { Agreement } from '../agreement/index.js';
import type { Trail } from '../verdict/index.js';
import { chainEndFindings } from './chain-end.js';
import { type CoverContext, nextInstant, type PathJudgement, peerRole } from './context.js';
import { judgePinnedLeaf } from './pinned-leaf.js';

/** Whether a path leads from the leaf to an anchor of the agreement; `pinned`: by a pin of the policy. */
export function judgePath(
  agreement: Agreement,
  leaf: CertificateFacts,
  pinned: boolean,
  context: CoverContext,
): PathJudgement {
  if (pinned && agreement.pinLeaf) return judgePinnedLeaf(agreement, leaf, context);
  const { direction, snapshot, now, chain, crls, ocsp, trail } = context;
  const role = peerRole(direction);
  const { skew } = snapshot;
  const anchors = agreement.anchors[role];
  const result = verifyPath({
    leaf,
    intermediates: chain.length === 0 ? agreement.intermediates : [...agreement.intermediates, ...chain],
    anchors,
    crls: [...agreement.crls, ...crls],
    crlGrace: snapshot.crlGrace,
    ocsp,
    ocspRules: snapshot.ocsp,
    at: now,
    purpose: role,
    names: [],
    revocation: agreement.revocation,
    skew,
    ekuPolicy: agreement.eku,
    budget: context.pathBudget,
  });
  const walked = (result.path ?? [leaf]).map(certificateName).join(' <- ');
  const validUntil = nextInstant(now, result.path ?? [leaf], skew, result.ok ? result.validUntil : undefined);
  if (result.ok) {
    trail.pass('path', `${walked}, as TLS ${role}, to an anchor of agreement ${agreement.name}`, 'RFC 5280 §6.1');
    for (const finding of result.findings) trail.note('path', finding.code, finding.detail);
    explainRevocation(agreement, result.findings, trail);
    return { ok: true, path: result.path, validUntil };
  }
  // Of a certificate that names a partner and leads nowhere, where it ends says more (rulebook §6.6, T-14, T-38).
  const nowhere = result.findings[0]?.code === 'untrusted-chain';
  const ends = nowhere ? chainEndFindings(agreement, role, leaf, context) : [];
  const hint = byItselfHint(agreement, role, leaf, result.findings);
  // Its own faults are told first: for those the TLS stack refuses it, and then the proxy hands over no chain.
  const own =
    ends[0]?.code === 'missing-intermediate' ? checkPinned(leaf, role, agreement.eku, { at: now, skew }) : undefined;
  for (const [at, { code, detail }] of [own ?? [], ends, result.findings].flat().entries()) {
    // Where the path ends was told.
    const known = code === 'untrusted-chain' && ends.length > 0;
    trail.fail(known ? undefined : 'path', code, at === 0 ? detail + hint : detail);
  }
  return { ok: false, path: [], validUntil };
}

const NO_CA: readonly Finding['code'][] = ['cert-type', 'not-a-ca', 'untrusted-chain'];

/** A certificate that is to be trusted by itself does not become it under anchors: the next step, where that is what failed. */
function byItselfHint(
  { anchors }: Agreement,
  role: 'client' | 'server',
  leaf: CertificateFacts,
  findings: readonly Finding[],
): string {
  if (!NO_CA.includes(findings[0]?.code ?? 'bad-input')) return '';
  if (anchors[role].some(({ sha256 }) => sha256 === leaf.sha256)) {
    return `; it stands under anchors, which are CAs alone: to trust this one certificate, pins: [sha256/${leaf.spkiSha256}] with pin: leaf and stack_verification: advisory`;
  }
  return leaf.selfIssued
    ? '; if the partner signs its certificates itself, and has told the key of this one by another way: pins with pin: leaf'
    : '';
}

/** What the path says of revocation, also where nobody looked (rulebook §8.3). */
function explainRevocation({ name, revocation }: Agreement, findings: readonly Finding[], trail: Trail): void {
  if (revocation === 'off') trail.skip('revocation', `agreement ${name}: revocation is off`, 'operator policy');
  else if (!findings.some(({ code }) => code === 'rev-unknown')) {
    trail.pass('revocation', `every certificate below the anchor is known not to be revoked`, 'RFC 5280 §6.3');
  }
}
