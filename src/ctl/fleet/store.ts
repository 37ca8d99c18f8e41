/** What an administrator does with the database of a fleet: `store migrate`, `store import`. */

import type { Command } from 'commander';
import type { DaemonSettings, StoreSettings } from '../../policy/settings/index.js';
import { MOST_TOKENS, readTokens, TokenFileError } from '../../rpc/access/index.js';
import { Database, migrate } from '../../state/postgres/index.js';
import { type Pin, readSqliteStore, StoreError } from '../../state/store/index.js';
import { addToken, approvePins, seePins } from '../../state/tables/index.js';
import { type Print, Refusal } from '../terminal/index.js';

export interface StoreTools {
  readonly settings: (file: string) => DaemonSettings;
  readonly print: Print;
}

interface MigrateOptions {
  readonly config: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly grant?: string;
}

/** What a migration may take is not what a daemon waits for. */
const MIGRATE_MS = 600_000;

/** Rows of one transaction. */
const MOST_ROWS = 500;

/** Adds `store migrate` and `store import`. */
export function storeCommands(group: Command, { settings: read, print }: StoreTools): void {
  const storeOf = (config: string): StoreSettings => {
    const { store } = read(config);
    if (store === undefined) throw new Refusal(`${config}: expected daemon.store, found none`, 2);
    return store;
  };
  group
    .command('migrate')
    .description('bring the schema of daemon.store to what this version needs; safe to run twice, and twice at once')
    .option('--config <file>', 'policy file', '/etc/siptrust/siptrust.yaml')
    .option('--user <name>', 'role that owns the schema, instead of that in daemon.store')
    .option('--password-file <file>', 'its password, instead of daemon.store_password_file')
    .option('--grant <role>', 'role of the daemons: it gets the rights that they need, and no others')
    .action(async ({ config, user, passwordFile, grant }: MigrateOptions) => {
      const settings = storeOf(config);
      const as = {
        ...settings,
        ...(user === undefined ? {} : { user, passwordFile }),
        ...(passwordFile === undefined ? {} : { passwordFile }),
        queryTimeout: MIGRATE_MS,
      };
      print(await withDatabase(as, false, (database) => migrate(database, grant)));
    });
  group
    .command('import')
    .description(
      'give the fleet the pins and tokens that this node has: once, before its daemon starts with daemon.store',
    )
    .option('--config <file>', 'policy file', '/etc/siptrust/siptrust.yaml')
    .action(async ({ config }: { readonly config: string }) => {
      const given = givenBy(read(config));
      const settings = { ...storeOf(config), queryTimeout: MIGRATE_MS };
      print(await withDatabase(settings, true, (database) => importAll(database, given)));
    });
}

type Given = ReturnType<typeof givenBy>;

/** @throws {Refusal} a file is damaged */
function givenBy({ state, access }: DaemonSettings) {
  try {
    const pins = (state.file === undefined ? undefined : readSqliteStore(state.file))?.pins ?? [];
    return { pins, tokens: access.tokens === undefined ? [] : readTokens(access.tokens) };
  } catch (cause) {
    if (cause instanceof StoreError || cause instanceof TokenFileError) throw new Refusal(cause.message, 2, { cause });
    throw cause;
  }
}

/** What the store has already stays as it is; so it can be run again. */
async function importAll(database: Database, { pins, tokens }: Given): Promise<object> {
  const write = async (rows: readonly Pin[], into: typeof seePins): Promise<void> => {
    for (let at = 0; at < rows.length; at += MOST_ROWS) {
      await database.transaction((run) => into(run, rows.slice(at, at + MOST_ROWS)));
    }
  };
  const approved = pins.filter(({ approvedAt }) => approvedAt !== undefined);
  await write(pins, seePins);
  await write(approved, approvePins);
  const outcomes = { added: 0, taken: 0, full: 0 };
  for (const token of tokens) {
    outcomes[await database.transaction((run) => addToken(run, token, MOST_TOKENS))] += 1;
  }
  return {
    pins: pins.length,
    approved: approved.length,
    tokens: outcomes.added,
    tokens_not_taken: outcomes.taken + outcomes.full,
  };
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
