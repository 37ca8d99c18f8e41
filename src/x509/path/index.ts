/** The door of this room: the path from a certificate to an anchor (RFC 5280 §6.1). */

export { verifyPath } from './path.js';
export { listed } from './path-end.js';
export { verifyRecord, verifyRecordInSteps } from './verify-record.js';
