/** The door of this room: what is wrong with a header block. */

export { auditHeaderBlock, OPEN_BRACKET } from './audit.js';
