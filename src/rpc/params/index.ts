/** The door of this room: what comes in with a question, checked and typed. */

export { type AskedLine, askedLine } from './asked.js';
export { foldByteParams } from './byte-params.js';
export { type EvidenceParams, isResumed, keepsLinks, peerParams, toEvidence } from './evidence.js';
export { hopAnswer, hopListParams, hopParams, hopRow, toAbility, toQuestion } from './hop-params.js';
export { type MessageParams, messageEvidence, messageParams, namedHop, toMessage } from './message-params.js';
export { wholeNumber } from './numbers.js';
