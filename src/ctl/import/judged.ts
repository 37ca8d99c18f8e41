/** What siptrust would say of a partner's certificate under the agreement that is made of it: told before anybody calls. */

import type { CertificateFacts } from '../../x509/certificate/index.js';
import { verifyPath } from '../../x509/path/index.js';
import { checkPinned, type Role } from '../../x509/rules/index.js';

const ROLES: readonly (readonly [role: Role, what: string])[] = [
  ['client', 'where it calls'],
  ['server', 'where it is called'],
];

/** Why calls of a certificate would not be trusted, in either direction; `above`: its CAs, none where it is pinned. */
export function refusals(leaf: CertificateFacts, above: readonly CertificateFacts[], now: number): readonly string[] {
  const found = ROLES.flatMap(([role, what]) => {
    const detail = above.length === 0 ? pinnedFault(leaf, role, now) : pathFault(leaf, above, role, now);
    return detail === undefined ? [] : [{ what, detail }];
  });
  const [first, second] = found;
  if (first === undefined) return [];
  if (first.detail === second?.detail) return [`would not be trusted: ${first.detail}`];
  return found.map(({ what, detail }) => `would not be trusted ${what}: ${detail}`);
}

function pinnedFault(leaf: CertificateFacts, role: Role, at: number): string | undefined {
  return checkPinned(leaf, role, 'tls', { at, skew: 0 })?.detail;
}

function pathFault(
  leaf: CertificateFacts,
  above: readonly CertificateFacts[],
  role: Role,
  at: number,
): string | undefined {
  const result = verifyPath({
    ...{ leaf, intermediates: above.slice(0, -1), anchors: above.slice(-1), crls: [] },
    ...{ at, purpose: role, names: [], revocation: 'off' },
  });
  return result.ok ? undefined : result.findings[0]?.detail;
}
