/** What an administrator does with the database of a fleet: `store migrate`. */

import type { Command } from 'commander';
import type { StoreSettings } from '../policy/store-settings.js';
import { Database } from '../state/postgres/database.js';
import { migrate } from '../state/postgres/migrate.js';
import { StoreError } from '../state/store.js';
import { Refusal } from './failure.js';

export interface StoreTools {
  readonly store: (file: string) => StoreSettings | undefined;
  readonly print: (answer: unknown) => void;
}

interface MigrateOptions {
  readonly config: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly grant?: string;
}

/** What a migration may take is not what a daemon waits for. */
const MIGRATE_MS = 600_000;

export function storeCommands(group: Command, { store, print }: StoreTools): void {
  group
    .command('migrate')
    .description('bring the schema of daemon.store to what this version needs; safe to run twice, and twice at once')
    .option('--config <file>', 'policy file', '/etc/siptrust/siptrust.yaml')
    .option('--user <name>', 'role that owns the schema, instead of that in daemon.store')
    .option('--password-file <file>', 'its password, instead of daemon.store_password_file')
    .option('--grant <role>', 'role of the daemons: it gets the rights that they need, and no others')
    .action(async ({ config, user, passwordFile, grant }: MigrateOptions) => {
      const settings = store(config);
      if (settings === undefined) throw new Refusal(`${config}: expected daemon.store, found none`, 2);
      const as = {
        ...settings,
        ...(user === undefined ? {} : { user, passwordFile }),
        ...(passwordFile === undefined ? {} : { passwordFile }),
        queryTimeout: MIGRATE_MS,
      };
      print(await withDatabase(as, false, (database) => migrate(database, grant)));
    });
}

/**
 * Opens the database for one piece of work.
 * @throws {Refusal} it is away, or refused
 */
export async function withDatabase<T>(
  settings: StoreSettings,
  checked: boolean,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const log = { info: () => {}, error: () => {} };
  const options = { name: 'siptrustctl', log, clock: Date.now, random: Math.random, checked };
  const database = new Database({ settings, ...options });
  try {
    await database.connect();
    return await work(database);
  } catch (cause) {
    if (cause instanceof StoreError) throw new Refusal(cause.message, 2, { cause });
    throw cause;
  } finally {
    await database.close();
  }
}
