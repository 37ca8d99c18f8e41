/** The door of this room: from one JSON text, or one line, to a method and back. */

export { halfAnswer, messageAnswer, peerAnswer } from './answers.js';
export { askerOf } from './asker.js';
export { audited } from './audited.js';
export { type Answered, createDispatcher, type Dispatch } from './dispatcher.js';
export { type ErrorObject, errorText, RPC_ERRORS, RpcError } from './errors.js';
export { lineDispatch } from './lines.js';
export { type CallContext, defineMethod, JsonText, type Method, MOST_PARAMS, paramIssues } from './method.js';
export { parseStrictJson } from './strict-json.js';
