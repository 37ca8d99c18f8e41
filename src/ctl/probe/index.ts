/** The door of this room: `probe`: what a partner shows in a handshake. */

export { type ProbeContext, probeCommand } from './command.js';
export { type Address, shakeHands } from './handshake.js';
export { targetOf } from './target.js';
