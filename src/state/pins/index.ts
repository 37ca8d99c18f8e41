/** The door of this room: certificates that operators approved, and those that peers have shown. */

export { missingApprovals } from './approvals.js';
export { ENDED_MS, type PeerCertificate, PeerCertificates } from './peer-certificates.js';
export { Pins } from './pins.js';
export { sentAuthority } from './sent-authority.js';
