/** The settings of siptrustd, as they follow from the rows of keys.ts. */

import type { ValuesOf } from './key.js';
import type { DAEMON_KEYS } from './keys.js';
import type { StoreSettings } from './store-settings.js';

/** Key by key. */
export type DaemonRows = ValuesOf<typeof DAEMON_KEYS>;

/** The keys of `daemon:`, as keys.ts has them; what is said of the store is one. */
export interface DaemonSettings extends Omit<DaemonRows, 'store' | 'storePasswordFile' | 'storeTimeout'> {
  /** The database of the fleet; undefined: this daemon is alone. */
  readonly store: StoreSettings | undefined;
}

export type DnsSettings = DaemonSettings['dns'];
export type RevocationSettings = DaemonSettings['revocation'];
