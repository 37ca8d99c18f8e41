/** The door of this room: CRLs and OCSP answers: fetched in the background, kept, asked. */

export { crlCondition, type ListAtHand, listsOf, newestOfScope } from './crl-watch.js';
export { Revocation } from './revocation.js';
export { NO_REVOCATION_SOURCE, type RevocationRow, type RevocationSource } from './revocation-source.js';
export type { FetchedThing, SharedFetches } from './shared-fetches.js';
