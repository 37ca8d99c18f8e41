/** The door of this room: the section daemon: of the policy file, and the schema of the whole. */

export { type ClientCertificate, CREDENTIAL_NAME, type TlsSettings } from './access-settings.js';
export { DEFAULT_DNS, type DnsSettings, readResolver } from './dns-settings.js';
export type { RevocationSettings } from './revocation-settings.js';
export { includesRole, ROLES, type Role } from './role.js';
export { SECTIONS, type SectionName } from './schema.js';
export { compileSettings, type DaemonSettings } from './settings.js';
export { changedSettings, runningSettings } from './settings-change.js';
export type { StoreHost, StoreSettings } from './store-settings.js';
