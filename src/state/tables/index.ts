/** The door of this room: the store of a fleet in tables of PostgreSQL. */

export { findCertificate } from './certificate-table.js';
export { approvePins, seePins } from './pin-table.js';
export { type LocalStore, SharedStore, type SharedStoreStatus } from './shared-store.js';
export { addToken } from './token-table.js';
