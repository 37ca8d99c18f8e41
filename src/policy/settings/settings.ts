/** What siptrustd itself needs from the policy file (`daemon:`): listeners, logs, caches. */

import type { Material } from '../material/index.js';
import { deepFreeze, type Site } from '../reading/index.js';
import type { DaemonRows, DaemonSettings } from './daemon-settings.js';
import { otherwiseOf, readRows } from './key.js';
import { DAEMON_KEYS, DEFAULTS_KEYS, type PolicyDefaults } from './keys.js';
import type { DaemonInput, DefaultsInput } from './schema.js';
import { checkSettings, hasCredentials } from './settings-checks.js';
import { compileStore, type StoreSettings } from './store-settings.js';

/** In force where the policy file says nothing else. */
export const DEFAULT_SETTINGS: DaemonSettings = deepFreeze(withStore(otherwiseOf(DAEMON_KEYS), undefined));

/** Settings of a `daemon:` section; what it leaves out is as in DEFAULT_SETTINGS. */
export function compileSettings(input: DaemonInput | undefined, site: Site, material: Material): DaemonSettings {
  const rows = readRows(DAEMON_KEYS, input, site, material);
  const read = withStore(rows, compileStore(rows, site));
  checkSettings(read, input ?? {}, site);
  const { access } = read;
  return deepFreeze({
    ...read,
    access: { ...access, connectionsPerSource: Math.min(access.connections, access.connectionsPerSource) },
    // Without a credential there is nothing that the page could show.
    ui: read.ui || (input?.ui === undefined && hasCredentials(access)),
    // Whom resolv.conf names is not for this file to vouch for.
    dns: { ...read.dns, trustAd: read.dns.trustAd && read.dns.servers.length > 0 },
  });
}

/** What a `defaults:` section says, and what holds where it says nothing; times in seconds. */
export function compileDefaults(input: DefaultsInput | undefined, site: Site, material: Material): PolicyDefaults {
  return readRows(DEFAULTS_KEYS, input, site, material);
}

function withStore(rows: DaemonRows, store: StoreSettings | undefined): DaemonSettings {
  const { storePasswordFile, storeTimeout, ...others } = rows;
  return { ...others, store };
}
