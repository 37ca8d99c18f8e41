/** What a daemon opens besides when it is one node of a fleet. */

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Closers } from './closers.js';
import type { OperatorLog } from './log/index.js';
import type { DaemonSettings } from './policy/settings/index.js';
import { Fleet, FleetDatabase, type FleetPolicy, Follower, KeptRevision } from './state/fleet/index.js';
import type { ReloadReport } from './state/policy/index.js';
import { Database } from './state/postgres/index.js';
import { type LocalStore, SharedStore } from './state/tables/index.js';
import type { TrustState } from './state/trust/index.js';
import { VERSION } from './version.js';

/** A start waits so long for the store. */
const JOIN_MS = 3000;

/** The store of the fleet, with this node's copy of it; undefined: this daemon is alone. */
export async function openShared(
  { node = hostname(), store: settings, state }: Pick<DaemonSettings, 'node' | 'store' | 'state'>,
  local: LocalStore,
  log: OperatorLog,
  closers: Closers,
): Promise<{ readonly database: Database; readonly shared: SharedStore } | undefined> {
  if (settings === undefined) return undefined;
  const options = { settings, name: `siptrustd ${node}`, log, clock: Date.now, random: Math.random, history: local };
  const database = closers.keep('store', new Database(options));
  const shared = new SharedStore({ database, local, node, pins: state.pins, clock: Date.now, log });
  await shared.start();
  closers.keep('copy of the store', shared);
  return { database, shared };
}

/** What the store says is in force before the first question is answered, unless it is away. */
export async function joinFleet(
  connection: Database,
  state: TrustState,
  source: FleetPolicy,
  reload: (by: string) => Promise<ReloadReport>,
  log: OperatorLog,
  closers: Closers,
): Promise<void> {
  const { settings } = state.policy;
  const {
    fleet: { policy: follows, directory },
    node = hostname(),
  } = settings;
  if (follows) {
    const number = source.inForce?.number ?? 0;
    log.info('the policy is that of the fleet', { kept: number === 0 ? 'none' : `revision ${number}`, directory });
  }
  const database = new FleetDatabase(connection);
  const follower = new Follower({
    ...{ follows, database, policy: source, kept: new KeptRevision(directory), reload, clock: Date.now, log },
    settings: () => state.policy.settings,
    node: { name: node, instance: randomUUID(), version: VERSION, startedAt: state.now() - state.uptime() },
    scriptRevision: () => state.policy.snapshot.revision,
  });
  closers.add('fleet', () => follower.close());
  state.fleet = new Fleet({
    ...{ node, follows, database, follower },
    store: () => connection.status,
    withdrawn: () => source.withdrawn,
  });
  await Promise.race([follower.start(), sleep(JOIN_MS, undefined, { ref: false })]);
  if (state.fleet.lacksPolicy) log.warn('no policy of the fleet is in force: nobody is trusted', { directory });
}
