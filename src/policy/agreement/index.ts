/** The door of this room: agreements and interfaces: what each key says, and what two of them claim. */

export { type AgreementDefaults, compileAgreement } from './agreement.js';
export {
  checkDomains,
  checkInterfaces,
  checkNames,
  checkPins,
  checkSockets,
  checkSources,
  checkTargets,
  type Placed,
  type PlacedAgreement,
} from './claims.js';
export { compileInterface } from './interface.js';
export { type ListenAddress, parseListen, readListen } from './listen-address.js';
export { Material } from './material.js';
export { type CheckedAgreement, endsAt, PolicyMemory } from './memory.js';
export { domainNames, domainSite, isPlainName, policyDomain } from './names.js';
export { checkOtherNames } from './other-names.js';
