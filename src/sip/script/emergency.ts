/**
 * What an emergency call is to a script, of Kamailio and OpenSIPS alike: one by its Request-URI, or by the one that it came with
 * (a centre that the script has found stands in the first then). Within a dialog the Request-URI is what the other end has called
 * itself: whoever says that he is the emergency service is none for that.
 */

import { EMERGENCY_URI } from '../table/index.js';

const URIS = ['$ru', '$ou'].map((uri) => `${uri} =~ "${EMERGENCY_URI}"`).join(' || ');

/** `missing`: how the script writes a value that is not there. */
export function isEmergencyCall(missing: '$null' | 'NULL'): string {
  return `$tt == ${missing} && (${URIS})`;
}
