/** One agreement held against what a peer presented, and what is done where it does not hold. */

import { type Agreement, agreementOfName } from '../agreement/index.js';
import { agreementChange, agreementInForce, type CoverContext } from '../cover/index.js';
import { type Outcome, type Trail, untrusted } from '../verdict/index.js';
import type { Presented } from './presented.js';

/**
 * Judges the peer under one agreement. `names`: its names that belong to the agreement; `domains`: the domains of the
 * agreement that they stand for. The failures of `context.trail` must be this agreement's alone.
 */
export function judgeAgreement(
  agreement: Agreement,
  { names, domains }: { readonly names: readonly string[]; readonly domains: readonly string[] },
  presented: Presented,
  context: CoverContext,
): Outcome {
  const { trail, now, snapshot } = context;
  const change = agreementChange(agreement, now);
  if (!agreementInForce(agreement, 'tls', context)) return untrusted(agreement, change);
  if (presented.kind === 'cn' && !agreement.cnFallback) {
    trail.fail(
      'identity',
      'cn-disabled',
      `agreement ${agreement.name}: only the common name names this peer, which counts with cn_fallback: true`,
    );
    return refused(agreement, change, context);
  }
  const cover = presented.cover(agreement, context);
  const validUntil = Math.min(change, cover.validUntil);
  const observed = { observes: cover.pinnable ? [agreement.name] : [], proven: cover.proven };
  if (!cover.ok) return { ...refused(agreement, validUntil, context), ...observed };
  // Only the names of the agreement stand: its anchors may not vouch for others (rulebook §6.6).
  const dropped = presented.names.filter(
    (name) => !names.includes(name) && agreementOfName(name, snapshot) === undefined,
  );
  if (dropped.length > 0) {
    trail.skip('identity', `${dropped.join(', ')} dropped: not in agreement ${agreement.name}`, 'TS 33.203 §6.5');
  }
  const grant = trail.grant('agreement-covers', `agreement ${agreement.name} covers ${names.join(', ')}`);
  return { grant, assurance: cover.assurance, agreement, domains, action: 'continue', validUntil, ...observed };
}

/**
 * What a peer gets that an agreement in force covers by name and by nothing else. What the strictest list makes safe goes
 * on, stripped (design rule 6). The connection is closed where the certificate is somebody else's (RFC 5922 §7.3), and
 * towards a network whose agreement asks for nothing less than TLS with a proven name.
 */
export function refused(
  agreement: Agreement,
  validUntil: number,
  { direction, trail }: Pick<CoverContext, 'direction' | 'trail'>,
): Outcome {
  const closes = direction === 'out' ? agreement.requireTls || isSomebodyElses(trail) : has(trail, 'revoked');
  return { ...untrusted(agreement, validUntil), action: closes ? 'close' : 'continue' };
}

/**
 * Whether what failed says that somebody else holds the certificate. A path that is only incomplete, a certificate that
 * expired, a key that is not approved yet: these happen to partners.
 */
function isSomebodyElses(trail: Trail): boolean {
  if (has(trail, 'revoked') || has(trail, 'anchor-mismatch') || has(trail, 'bad-signature')) return true;
  return has(trail, 'untrusted-chain') && !has(trail, 'missing-intermediate');
}

function has({ failures }: Trail, code: Trail['failures'][number]['code']): boolean {
  return failures.some((finding) => finding.code === code);
}
