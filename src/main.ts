#!/usr/bin/env node

/**
 * siptrustd: flags, signals, start and stop.
 * Exit codes: 0 stopped or the policy is good, 1 the policy or a listener is not, 2 the command line is wrong.
 */

// First: it listens to signals while the rest is loaded.
import './signals.js';
import { randomInt, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Closers } from './closers.js';
import { auditLog, decisionLog, type OperatorLog, onceAMinute, operatorLog, type Reopening } from './log/index.js';
import { nextStep } from './next-step.js';
import { loadPolicy } from './policy/loading/index.js';
import type { DaemonSettings } from './policy/settings/index.js';
import { openListeners } from './rpc/listeners/index.js';
import { handle, stopped } from './signals.js';
import { ExpiryWatch, NOTICE_DAYS } from './state/expiry/index.js';
import { Fleet, FleetDatabase, FleetPolicy, Follower, KeptRevision } from './state/fleet/index.js';
import { NextHops } from './state/hops/index.js';
import { Pins } from './state/pins/index.js';
import { PolicyHolder, PolicyThread, type ReloadReport } from './state/policy/index.js';
import { Database } from './state/postgres/index.js';
import { Revocation } from './state/revocation/index.js';
import { KeptCertificates, openSqliteStore, StoreError } from './state/store/index.js';
import { type LocalStore, SharedStore } from './state/tables/index.js';
import { type TrustState, trustState } from './state/trust/index.js';
import { Counters } from './state/verdicts/index.js';
import { inSlices } from './state/work/index.js';
import { VERSION } from './version.js';

const DEFAULT_CONFIG = '/etc/siptrust/siptrust.yaml';
/** What is in flight has this long to be answered at the end. */
const GRACE_MS = 5000;
/** A start waits so long for the store. */
const JOIN_MS = 3000;
/** How often it is looked what ends: notices are days apart. */
const EXPIRY_LOOK_MS = 3_600_000;

const HELP = `siptrustd ${VERSION}: tells a SIP proxy whether the network at the other end of a hop is trusted.

Usage: siptrustd [--config FILE] [--check]

  --config FILE   policy file (default ${DEFAULT_CONFIG})
  --check         read the policy, print its problems as file:line:column, exit 0 (good) or 1
  --version       print the version
  --help          print this text

SIGHUP reads the policy again; SIGUSR1 opens the log files again, after they were moved away; SIGTERM and SIGINT stop
the daemon.
`;

function flags(): { config: string; check: boolean } | number {
  try {
    const { values } = parseArgs({
      options: {
        config: { type: 'string', default: DEFAULT_CONFIG },
        check: { type: 'boolean', default: false },
        version: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) process.stdout.write(HELP);
    else if (values.version) process.stdout.write(`siptrustd ${VERSION}\n`);
    else return values;
    return 0;
  } catch (error) {
    process.stderr.write(`siptrustd: ${error instanceof Error ? error.message : String(error)}\n${HELP}`);
    return 2;
  }
}

function check(config: string): number {
  const result = loadPolicy(config, 1, Date.now());
  const lines = result.ok ? result.warnings : result.problems;
  for (const line of lines) process.stderr.write(`${line}\n`);
  if (!result.ok) return 1;
  const { agreements, interfaces } = result.snapshot;
  process.stdout.write(`${config}: ok, ${agreements.length} agreements, ${interfaces.length} interfaces\n`);
  return 0;
}

function reporter(
  log: OperatorLog,
  state: TrustState,
  look: () => Promise<void>,
): (by: string) => Promise<ReloadReport> {
  return async (by) => {
    const report = await state.changes.reload(by);
    await inSlices(told(log, report));
    if (report.ok) log.info('policy loaded', { revision: report.revision, by });
    else log.error('the policy was not loaded; the last good one stays in force', { revision: report.revision, by });
    void look();
    return report;
  };
}

/** A line for each: a policy of thousands may have as many warnings. */
function* told(log: OperatorLog, { problems, warnings }: ReloadReport): Generator<undefined, void> {
  for (const problem of problems) {
    log.error(problem);
    yield;
  }
  for (const warning of warnings) {
    log.warn(warning);
    yield;
  }
}

/** A start that cannot go on, in words for the operator. */
class StartFailure extends Error {}

/** The store of the fleet, with this node's copy of it; undefined: this daemon is alone. */
async function openShared(
  { node = hostname(), store: settings, state }: DaemonSettings,
  local: LocalStore | undefined,
  log: OperatorLog,
  closers: Closers,
): Promise<{ readonly database: Database; readonly shared: SharedStore } | undefined> {
  if (settings === undefined || local === undefined) return undefined;
  const options = { settings, name: `siptrustd ${node}`, log, clock: Date.now, random: Math.random };
  const database = new Database(options);
  closers.add('store', () => database.close());
  const shared = new SharedStore({ database, local, node, pins: state.pins, clock: Date.now, log });
  await shared.start();
  return { database, shared };
}

/** What the state file keeps, or the store and the state file as its copy. */
async function openState(settings: DaemonSettings, log: OperatorLog, closers: Closers) {
  const { state, dns, log: logs } = settings;
  const local = state.file === undefined ? undefined : openSqliteStore(state.file, (text) => log.warn(text));
  if (local !== undefined) closers.add('state file', () => local.close());
  const fleet = await openShared(settings, local, log, closers);
  if (fleet !== undefined) closers.add('copy of the store', () => fleet.shared.close());
  const store = fleet?.shared ?? local;
  const pins = store && (await Pins.open(store, { most: state.pins, clock: Date.now, log }));
  if (pins !== undefined) closers.add('pins', () => pins.close());
  // Without a decision log nothing tells what to ask again.
  const keeps = store !== undefined && state.certificates > 0 && logs.decisions !== undefined;
  const limits = { octets: state.certificates, ageMs: state.certificateAge * 1000 };
  const certificates = keeps ? new KeptCertificates(store, { ...limits, clock: Date.now, log }) : undefined;
  if (certificates !== undefined) closers.add('certificates', () => certificates.close());
  const hops = await NextHops.open({ settings: dns, clock: Date.now, log, seed: randomInt(2 ** 32), store });
  closers.add('next hops', () => hops.close());
  return { pins, hops, certificates, fleet };
}

/** Opens everything in its order; what each opened it leaves with the closers. */
async function start(
  config: string,
  policy: PolicyHolder,
  { thread, source }: { readonly thread: PolicyThread; readonly source: FleetPolicy },
  log: OperatorLog & Reopening,
  closers: Closers,
): Promise<void> {
  const { settings } = policy;
  const counters = new Counters();
  const tell = onceAMinute((lines, why) =>
    log.error('decisions were lost: their log cannot be written', { lines, why }),
  );
  const decisions = decisionLog(settings.log.decisions, settings.log.mask, (lines, why) => {
    counters.add('decisions.lost', lines);
    tell(lines, why);
  });
  closers.add('decision log', () => decisions.close());
  const { pins, hops, certificates, fleet } = await openState(settings, log, closers);
  const audit = auditLog(settings.log.audit, log, fleet?.shared.audit);
  closers.add('audit log', () => audit.close());
  const revocation = await Revocation.open({
    settings: settings.revocation,
    snapshot: policy.snapshot,
    clock: Date.now,
    log,
    random: Math.random,
    shared: fleet?.shared.fetches,
  });
  closers.add('revocation', () => revocation.close());
  const parts = { policy, clock: Date.now, decisions, revocation, pins, hops, kept: certificates, counters };
  const state = trustState({ ...parts, store: fleet?.shared });
  closers.add('alarms', state.answers.alarms.start(log));
  revocation.start(() => state.changes.revocationChanged());
  const expiry = new ExpiryWatch(log);
  const look = async (): Promise<void> => inSlices(expiry.look(await state.ends.rows(NOTICE_DAYS)));
  const reload = reporter(log, state, look);
  for (const warning of policy.status().warnings) log.warn(warning);
  if (fleet !== undefined) await joinFleet(fleet.database, state, source, reload, log, closers);

  const listeners = await openListeners(settings, { state, log, audit, reload, config });
  if ('failed' in listeners) throw new StartFailure(`${listeners.failed}${nextStep(listeners.code)}`);
  closers.add('listeners', () => listeners.close(GRACE_MS));
  void look();
  const looking = setInterval(() => void look(), EXPIRY_LOOK_MS);
  closers.add('expiry', () => clearInterval(looking));
  if (settings.watch) {
    thread.watch(() => {
      log.info('the files of the policy have changed');
      void reload('a change of its files');
    });
  }
  closers.add('policy', () => {
    policy.close();
    return thread.close();
  });
  handle({
    SIGHUP: () => void reload('SIGHUP'),
    SIGUSR1: () => {
      void Promise.all([log.reopen(), decisions.reopen()]).then(() => log.info('log files reopened'));
    },
  });
  log.info('siptrustd is ready', { version: VERSION, revision: policy.snapshot.revision, listen: listeners.addresses });
}

/** What the store says is in force before the first question is answered, unless it is away. */
async function joinFleet(
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
    node: { name: node, instance: randomUUID(), version: VERSION, startedAt: state.startedAt },
    scriptRevision: () => state.policy.snapshot.revision,
  });
  closers.add('fleet', () => follower.close());
  state.fleet = new Fleet({
    ...{ node, follows, database, follower },
    store: () => connection.status,
    withdrawn: () => source.inForce?.withdrawn ?? [],
  });
  await Promise.race([follower.start(), sleep(JOIN_MS, undefined, { ref: false })]);
}

async function serve(config: string): Promise<number> {
  const thread = new PolicyThread(config);
  const source = new FleetPolicy((revision, now, wanted) => thread.load(revision, now, wanted));
  const loading = PolicyHolder.begin((revision, now) => source.load(revision, now), Date.now());
  const policy = await Promise.race([loading, stopped]);
  if (typeof policy === 'string') {
    await thread.close();
    return 0;
  }
  if ('problems' in policy) {
    for (const problem of policy.problems) process.stderr.write(`${problem}\n`);
    const next = existsSync(config)
      ? `mend the policy, until "siptrustd --check --config ${config}" is content`
      : '--config FILE names another policy; docs/policy.md says what one holds';
    process.stderr.write(`siptrustd: not started; next: ${next}\n`);
    return 1;
  }
  const { file, level } = policy.settings.log;
  const log = operatorLog(file, level);
  const closers = new Closers();
  closers.add('log', () => log.close());
  try {
    await start(config, policy, { thread, source }, log, closers);
    log.info('stopping', { signal: await stopped });
    return 0;
  } catch (error) {
    const known = error instanceof StartFailure || error instanceof StoreError || isSystemError(error);
    log.error(
      known
        ? `${error.message}${isSystemError(error) ? nextStep(error.code) : ''}`
        : `the start failed: ${error instanceof Error ? error.stack : String(error)}`,
    );
    return 1;
  } finally {
    await closers.close((what, error) => log.error('could not be closed', { what, error: String(error) }));
  }
}

/** A file that cannot be opened: the message of the system names it. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

const given = flags();
const run = (config: string): Promise<number> =>
  serve(config).catch((error: unknown) => {
    process.stderr.write(`siptrustd: ${isSystemError(error) ? error.message + nextStep(error.code) : String(error)}\n`);
    return 1;
  });
process.exitCode = typeof given === 'number' ? given : given.check ? check(given.config) : await run(given.config);
