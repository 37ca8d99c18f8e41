/** The store of a fleet, opened for one command, and the revisions in it. */

import { loadSettings } from '../../policy/loading/index.js';
import type { DaemonSettings } from '../../policy/settings/index.js';
import { type Policy, policyDifferences } from '../../policy/snapshot/index.js';
import { FleetDatabase, type StoredRevision } from '../../state/fleet/index.js';
import { Refusal } from '../terminal/index.js';
import { fetchPolicy, policyOf, policyOfFile } from './policy-bundle.js';
import { withDatabase } from './store.js';

/** A large policy may take its time: nobody's call waits for it. */
const STATEMENT_MS = 120_000;

export interface Fleet {
  readonly database: FleetDatabase;
  readonly settings: DaemonSettings;
}

/**
 * Does a piece of work in the store that a policy file names.
 * @throws {Refusal} the file names no store, or the store is away
 */
export async function withFleet<T>(config: string, work: (fleet: Fleet) => Promise<T>): Promise<T> {
  const settings = loadSettings(config, Date.now());
  if ('problems' in settings)
    throw new Refusal(`${config} is not good (--config FILE names another one)\n${settings.problems.join('\n')}`, 2);
  const { store } = settings;
  if (store === undefined) throw new Refusal(withoutStore(config), 2);
  const patient = { ...store, queryTimeout: Math.max(store.queryTimeout, STATEMENT_MS) };
  return withDatabase(patient, true, (connection) => work({ database: new FleetDatabase(connection), settings }));
}

/** Who has one siptrustd and no fleet comes here, too: to go back, for one. */
function withoutStore(config: string): string {
  return `${config}: expected daemon.store, the database of a fleet, found none (--config FILE names another file); without a fleet the file is the policy: change it, or put the one of before back, then siptrustctl agreement reload`;
}

/** @throws {Refusal} the store has no such revision */
export async function existing(database: FleetDatabase, number: number): Promise<StoredRevision> {
  const found = await database.revision(number);
  if (found !== undefined) return found;
  const head = (await database.head())?.revision.number ?? 0;
  throw new Refusal(`revision ${number}: expected one of the store, whose newest is ${head}`, 1);
}

/** What differs between two revisions, or a revision and a file. @throws {Refusal} one of them is none */
export function fleetDifferences(before: string, after: string, config: string) {
  return withFleet(config, async ({ database }) => {
    const policy = async (text: string): Promise<Policy> => {
      if (!isRevisionNumber(text)) return policyOfFile(text, Date.now());
      const { revision } = await existing(database, Number(text));
      return policyOf(revision, await fetchPolicy(revision, database), Date.now());
    };
    return policyDifferences(await policy(before), await policy(after));
  });
}

/** Whether a word is the number of a revision, and no file. */
export function isRevisionNumber(text: string): boolean {
  return /^[1-9][0-9]{0,14}$/.test(text);
}

/**
 * The number of a revision, or 0 for none.
 * @param input what it was given as
 * @throws {Refusal}
 */
export function revisionNumber(text: string, input: string): number {
  if (isRevisionNumber(text) || text === '0') return Number(text);
  throw new Refusal(`${input}: expected a number, found ${JSON.stringify(text)}`, 2);
}
