/**
 * What an emergency call is to a script, of Kamailio and OpenSIPS alike: one by its Request-URI, or by the one that it came with
 * (a centre that the script has found stands in the first then).
 */

import { EMERGENCY_URI } from '../table/index.js';

export const IS_EMERGENCY = ['$ru', '$ou'].map((uri) => `${uri} =~ "${EMERGENCY_URI}"`).join(' || ');
