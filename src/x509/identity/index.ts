/** The door of this room: who a certificate speaks for (RFC 5922 §7.1). */

export { describeCertificate } from './describe.js';
export { isDomainName, referenceDomain } from './domain.js';
export { type SipIdentities, sipDomain, sipIdentities } from './identity.js';
export { nameMismatch, type PeerName } from './peer-name.js';
