/** The door of this room: messages and header fields as RFC 3261 writes them. */

export {
  asciiLower,
  isBlank,
  isControl,
  isToken,
  isTokenCode,
  onlyToken,
  skipBlanks,
  trimBlanks,
} from './ascii.js';
export {
  ADDRESS_FIELDS,
  COMPACT_FORMS,
  decodedKey,
  fieldKey,
  hasRareChar,
  IDENTITY_FIELDS,
  isPrivateName,
  ONCE_FIELDS,
  OTHER_URI_FIELDS,
  SINGLE_FIELDS,
  spellings,
} from './field-names.js';
export {
  type HeaderBlock,
  type HeaderField,
  type HeaderRow,
  type Problem,
  Problems,
  scanHeaderBlock,
  TOO_MANY_PROBLEMS,
} from './header-block.js';
export { MAX_BLOCK_BYTES, MAX_ROW_BYTES, MAX_ROWS, MAX_VALUES } from './limits.js';
export { splitMessage } from './message.js';
export { hasOpenQuote, type MalformedAddr, type NameAddr, parseNameAddr, splitList } from './name-addr.js';
export { type Privacy, parsePrivacy, privacyTokens } from './privacy.js';
export { isDigits, parseStartLine } from './start-line.js';
export {
  decodePercent,
  type EmbeddedHeader,
  hostKey,
  type Param,
  paramKey,
  parseHostPort,
  parseUri,
  type SipUri,
  type TelUri,
  type Uri,
} from './uri.js';
export { asUtf8, inspectBytes, isPrintableAscii } from './value-bytes.js';
