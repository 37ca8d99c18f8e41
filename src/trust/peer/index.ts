/** The door of this room: who is at the other end of a connection (trust.peer). */

export { type AnsweredAgain, type AskedAgain, askAgain } from './again.js';
export { usesPorts } from './nds.js';
export { judgePeer } from './peer.js';
