/** The schema of the store: numbered migrations, each of which only adds. */

import { MIGRATIONS } from '../migrations/index.js';
import { StoreError } from '../store/index.js';
import { type HostConnections, type Run, SCHEMA, type SqlRow } from './client.js';

/** The version that this program knows. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Of all programs in this database we alone take this lock ("sipt"). */
const LOCK = 0x73_69_70_74;

const CREATE = `
  CREATE SCHEMA IF NOT EXISTS ${SCHEMA};
  CREATE TABLE IF NOT EXISTS ${SCHEMA}.migration (
    version integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
  )`;

export interface Migrated {
  readonly from: number;
  readonly to: number;
  /** Names of those that were run now. */
  readonly applied: readonly string[];
}

/**
 * Brings the schema to SCHEMA_VERSION, all or nothing. Two at once: one waits for the other and finds nothing to do.
 * @param role of the daemons: it gets the rights on the tables that they need, and no others
 * @throws {StoreError}
 */
export function migrate(database: Pick<HostConnections, 'transaction'>, role?: string): Promise<Migrated> {
  return database.transaction(async (run) => {
    await run('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    // A role that may not make a schema can still find that there is nothing to make.
    if ((await appliedVersion(run)) === 0) await run(CREATE);
    const from = await appliedVersion(run);
    if (isTooNew(from)) throw versionFault(from);
    const applied: string[] = [];
    for (const { version, name, sql } of MIGRATIONS) {
      if (version <= from) continue;
      await run(sql);
      await run(`INSERT INTO ${SCHEMA}.migration (version, name) VALUES ($1, $2)`, [version, name]);
      applied.push(name);
    }
    if (role !== undefined) for (const { grants } of MIGRATIONS) await run(grants(await quoted(run, role)));
    return { from, to: Math.max(from, SCHEMA_VERSION), applied };
  });
}

async function quoted(run: Run, name: string): Promise<string> {
  const [row] = await run<{ quoted: string }>('SELECT quote_ident($1) AS quoted', [name]);
  return row?.quoted ?? '';
}

/** 0: there is none. */
async function appliedVersion(run: Run): Promise<number> {
  const [table] = await run<{ there: boolean }>(`SELECT to_regclass('${SCHEMA}.migration') IS NOT NULL AS there`);
  if (table?.there !== true) return 0;
  const [row] = await run<{ version: number }>(`SELECT coalesce(max(version), 0) AS version FROM ${SCHEMA}.migration`);
  return row?.version ?? 0;
}

/**
 * A later program may have added to the schema meanwhile: it is the next version at most that runs beside this one.
 * @throws {StoreError}
 */
export async function checkSchema(ask: (text: string) => Promise<readonly SqlRow[]>): Promise<void> {
  const found = await appliedVersion(ask as Run);
  if (found < SCHEMA_VERSION || isTooNew(found)) throw versionFault(found);
}

function isTooNew(found: number): boolean {
  return found > SCHEMA_VERSION + 1;
}

function versionFault(found: number): StoreError {
  const hint = isTooNew(found) ? 'this siptrust is too old for it' : 'run siptrustctl store migrate';
  return new StoreError('store', `expected schema version ${SCHEMA_VERSION}, found ${found}: ${hint}`);
}
