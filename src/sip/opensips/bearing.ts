/**
 * A parameter that goes where its value bears a name (the number of a handset in Contact), as OpenSIPS script: its list
 * takes it out by subst(), which edits a whole message, so what else would be edited is odd, and so is what it leaves.
 */

import { bearingParam, block, isEmergencyCall, openSipsString } from '../script/index.js';
import type { Bearing } from '../table/index.js';
import { otherThan } from './whole-lines.js';

const COLON = '[ \t]*:';
const TEXT = '([^\r\n]|\r\n[ \t])*';
/** The lines of the header block before the one at hand. */
const BEFORE = '^([^\r\n]+\r\n)+';

/** A message of which such a field bears one of the names, in whatever form. */
export function bearsName({ fields, names }: Bearing): string {
  return `${BEFORE}(${fields.join('|')})${COLON}${TEXT}(${names.join('|')})`;
}

/** A message that has such a parameter in another field, or in its body. */
export function bearsElsewhere(bearing: Bearing): string {
  const param = bearingParam(bearing);
  return `${BEFORE}(${otherThan(bearing.fields, ': \t\r\n')}${COLON}${TEXT}${param}|\r\n(.|\n)*${param})`;
}

/** Where the list takes one out. */
export function bearingRemoval(bearing: Bearing): string {
  return `subst(${openSipsString(substitution(bearing))});`;
}

/** Does one go from this message? Not from an emergency call. */
export function bears(bearing: Bearing): string {
  return `!(${isEmergencyCall('NULL')}) && $mb =~ ${openSipsString(bearsName(bearing))}`;
}

/** And would the list leave some of it, or take more? */
export function oddLines(bearing: Bearing): readonly string[] {
  const odd = [
    // Where there was no room for it, it has no lines.
    `!($var(siptrust_left) =~ ${openSipsString('^[^\r\n]+\r\n')})`,
    `$var(siptrust_left) =~ ${openSipsString(bearsName(bearing))}`,
    `$mb =~ ${openSipsString(bearsElsewhere(bearing))}`,
  ];
  return [
    `$var(siptrust_form) = ${openSipsString(substitution(bearing))};`,
    '$var(siptrust_left) = $(mb{re.subst,$var(siptrust_form)});',
    ...block(`if (${odd.join(' || ')})`, ['return(1);']),
    'return(-1);',
  ];
}

function substitution(bearing: Bearing): string {
  return `/${bearingParam(bearing)}//gi`;
}
