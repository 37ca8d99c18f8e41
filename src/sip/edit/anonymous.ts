/** The URI that stands for nobody (RFC 3323 §4.1.1.2, §4.1.1.3). */

import { asciiLower, hostKey, type NameAddr, type Uri } from '../grammar/index.js';

export const ANONYMOUS_URI = 'sip:anonymous@anonymous.invalid';

/** Is this URI anonymous already? RFC 7044 §10.1.2 tells it by the domain. */
export function isAnonymous(uri: Uri): boolean {
  return uri.kind === 'sip' && hostKey(uri) === 'anonymous.invalid';
}

/** Does the whole address, with its display name and user part, stand for nobody (RFC 3323 §4.1.1.3)? */
export function isAnonymousAddr({ display, uri }: NameAddr): boolean {
  if (!isAnonymous(uri) || uri.kind !== 'sip') return false;
  const user = asciiLower(uri.user ?? 'anonymous');
  return user === 'anonymous' && uri.password === undefined && ['', 'anonymous'].includes(asciiLower(display));
}
