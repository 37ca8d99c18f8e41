/** The door of this room: what a clean message looks like, as one expression for PCRE; names of a set and all others as expressions. */

export { cleanMessage } from './message.js';
export { type NameStart, otherNameThan, otherWordThan, startOfOtherNameThan, WORD } from './name-tree.js';
export type { Purpose } from './purpose.js';
export { BLANKS, CLOSING, COLON, END, NOT, REMEMBERED, TOKEN } from './values.js';
