/** The door of this room: agreements and interfaces, key by key. */

export { compileAgreement, endsAt, pathSite, saidAgreement, shownAgreement } from './agreement.js';
export { compileInterface, INTERFACE } from './interface.js';
export type { AgreementContext } from './key.js';
export { AGREEMENT, type AgreementInput, PRIVACY } from './keys.js';
export { type CheckedAgreement, type KnownAgreements, PolicyMemory, type Rests } from './memory.js';
export { EKU, REVOCATION } from './tls-keys.js';
