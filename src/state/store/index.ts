/** The door of this room: what outlives a restart: one small interface, and SQLite behind it. */

export { KeptCertificates } from './kept-certificates.js';
export { makeDirectory } from './make-directory.js';
export { OWNERS_ALONE, readSecret } from './secret-file.js';
export { openSqliteStore, readCertificates, readSqliteStore } from './sqlite-store.js';
export {
  boundedTime,
  type CertificateStore,
  type KeptCertificate,
  type KeptLimits,
  type Pin,
  type PinKey,
  type PinNews,
  type Store,
  type StoreChanges,
  type Stored,
  StoreError,
  type TimelineStore,
  type TlsSeen,
  type TlsSeenStore,
  type WaitingLine,
  type WaitingLines,
} from './store.js';
