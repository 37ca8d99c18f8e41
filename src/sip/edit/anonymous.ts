/** URIs that stand for nobody (RFC 3323 §4.1.1.2, §4.1.1.3; TS 23.003 §13.6, §13.7). */

import { asciiLower, hostKey, type NameAddr, type Uri } from '../grammar/index.js';

export const ANONYMOUS_URI = 'sip:anonymous@anonymous.invalid';

/**
 * Hosts that stand for nobody, and may be asserted by anybody (S-6; TS 29.165 Table A.1 NOTE 7): anonymous@anonymous.invalid,
 * unavailable@unknown.invalid. The plugins name them too.
 */
export const NOBODY: ReadonlySet<string> = new Set(['anonymous.invalid', 'unavailable.invalid', 'unknown.invalid']);

/** Is this URI anonymous already? RFC 7044 §10.1.2 tells it by the domain. */
export function isAnonymous(uri: Uri): boolean {
  return uri.kind === 'sip' && NOBODY.has(hostKey(uri));
}

/** Does the whole address, with its display name and user part, stand for nobody (RFC 3323 §4.1.1.3)? */
export function isAnonymousAddr({ display, uri }: NameAddr): boolean {
  if (!isAnonymous(uri) || uri.kind !== 'sip') return false;
  const user = asciiLower(uri.user ?? 'anonymous');
  return (
    ['anonymous', 'unavailable'].includes(user) &&
    uri.password === undefined &&
    ['', 'anonymous'].includes(asciiLower(display))
  );
}
