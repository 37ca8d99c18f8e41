/** The URI that stands for nobody (RFC 3323 §4.1.1.2, §4.1.1.3). */

import { hostKey, type Uri } from './uri.js';

export const ANONYMOUS_URI = 'sip:anonymous@anonymous.invalid';

/** Is this URI anonymous already? RFC 7044 §10.1.2 tells it by the domain. */
export function isAnonymous(uri: Uri): boolean {
  return uri.kind === 'sip' && hostKey(uri) === 'anonymous.invalid';
}
