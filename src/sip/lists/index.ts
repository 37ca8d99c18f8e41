/** The door of this room: the table as lists that Kamailio and OpenSIPS load, and answers as lines for their scripts. */

export { ANSWER_PATTERN, answerLine } from './answer-line.js';
export { KAMAILIO_FILES } from './kamailio.js';
export { opensipsInclude } from './opensips.js';
