/** The door of this room: how a field is taken out or made clean. */

export { isAnonymous, isAnonymousAddr, NOBODY } from './anonymous.js';
export {
  type Cleaned,
  cleanAddrs,
  cleanLoose,
  cleanRequestUri,
  type UriRules,
  withoutListParams,
  withoutParamBearing,
  withoutPurposes,
  withoutTokens,
} from './clean.js';
export { anonymousDiversion, asksPrivacy, diversionEntry } from './diversion.js';
export { editAddrList } from './edit.js';
export { anonymousEntry, historyEntry, withoutEmbeddedPrivacy } from './history-info.js';
