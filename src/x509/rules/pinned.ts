/** What a pinned certificate that is its own anchor has to be. */

import type { Finding } from '../../reasons.js';
import type { CertificateFacts } from '../certificate/index.js';
import type { RuleContext } from './rule.js';
import { brokenRules } from './rules.js';
import { checkPinnedUsage, type EkuPolicy, type Role } from './usage.js';

/**
 * The first thing that is wrong, or undefined: all that a path would say of the certificate itself. Who issued it, and with
 * what algorithm, is nothing to it: the pin vouches for the key, so that this has to be a strong one.
 */
export function checkPinned(
  leaf: CertificateFacts,
  role: Role,
  policy: EkuPolicy,
  { at, skew }: Pick<RuleContext, 'at' | 'skew'>,
): Finding | undefined {
  const broken = brokenRules(leaf, { at, skew, place: 'leaf' }, ['path']);
  return broken.find(({ code }) => code !== 'malformed-cert') ?? checkPinnedUsage(leaf, role, policy);
}
