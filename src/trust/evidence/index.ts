/** The door of this room: what a proxy says that it saw, and what it asks. */

export { type Evidence, isOverTls, type PeerChain, type TlsEvidence } from './evidence.js';
export { type HopQuestion, questionOfDomain, questionOfUri } from './hop-question.js';
export { type TlsFloorResult, tlsFloor } from './tls-floor.js';
