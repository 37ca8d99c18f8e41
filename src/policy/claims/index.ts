/** The door of this room: what agreements and interfaces claim against each other. */

export {
  checkClaims,
  checkInterfaces,
  checkNames,
  checkPins,
  checkSockets,
  checkStatus,
  type Placed,
  type PlacedAgreement,
} from './claims.js';
export { claimsKnownTo } from './known-claims.js';
export { checkOtherNames } from './other-names.js';
export { checkSources } from './sources.js';
