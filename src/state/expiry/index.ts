/** The door of this room: what ends when, and who is told. */

export { Ends } from './ends.js';
export { type ExpiryRow, NOTICE_DAYS } from './expiry.js';
export { noticeOf } from './notices.js';
export { ExpiryWatch } from './watch.js';
