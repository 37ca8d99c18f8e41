/** The door of this room: what agreements and interfaces claim against each other. */

export {
  checkDomains,
  checkInterfaces,
  checkNames,
  checkPins,
  checkSockets,
  checkTargets,
  type Placed,
  type PlacedAgreement,
} from './claims.js';
export { checkOtherNames } from './other-names.js';
export { checkSources } from './sources.js';
