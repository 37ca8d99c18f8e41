/** The door of this room: what the scripts of Kamailio and OpenSIPS are written with, and answers as lines for them. */

export { ANSWER_PATTERN, answerLine } from './answer-line.js';
export { block, clause, ifElse, route } from './blocks.js';
export { isEmergencyCall } from './emergency.js';
export { bearingParam, literal, withoutEscapedSemicolon } from './posix.js';
export { NUMBERED, profileNumber } from './profile-numbers.js';
export { inHex, REFUSED_SUBTYPES, refusedInHex } from './refused-bodies.js';
export { kamailioString, openSipsString } from './strings.js';
