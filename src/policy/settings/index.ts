/** The door of this room: the sections daemon: and defaults: of the policy file, and the schema of the whole. */

export type { ClientCertificate, TlsSettings } from './access-settings.js';
export type { DaemonSettings, DnsSettings, RevocationSettings } from './daemon-settings.js';
export { readResolver } from './dns-settings.js';
export { MOST_OF_POLICY } from './keys.js';
export { includesRole, ROLES, type Role } from './role.js';
export { KEY_HOMES, SECTIONS, type SectionName } from './schema.js';
export { compileDefaults, compileSettings, DEFAULT_SETTINGS } from './settings.js';
export { changedSettings, runningSettings } from './settings-change.js';
export type { StoreHost, StoreSettings } from './store-settings.js';
