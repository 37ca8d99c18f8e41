/** The door of this room: who may ask what: roles, tokens, certificates of clients. */

export { type Caller, Credentials, type Refused, type Shown } from './credentials.js';
export { MOST_TOKENS, readTokens, TokenFileError } from './token-file.js';
export { TokenRefusal, Tokens } from './tokens.js';
