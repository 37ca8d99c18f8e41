/** The door of this room: from one JSON text to a method and back. */

export { messageAnswer, peerAnswer } from './answers.js';
export { askerOf } from './asker.js';
export { audited } from './audited.js';
export { type Answered, createDispatcher, type Dispatch } from './dispatcher.js';
export { type ErrorObject, errorText, RpcError } from './errors.js';
export { type CallContext, defineMethod, JsonText, type Method } from './method.js';
