/** What is opened, in which order, and what is closed. */

import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { Closers } from './closers.js';
import { check, flags } from './command-line.js';
import { missingOptions } from './engine-options.js';
import { joinFleet, openShared } from './fleet.js';
import { auditLog, decisionLog, type OperatorLog, onceAMinute, operatorLog, type Reopening } from './log/index.js';
import { nextStep } from './next-step.js';
import { watchOpenFiles } from './open-files.js';
import type { DaemonSettings } from './policy/settings/index.js';
import { approvalsMissing, reporter } from './reporter.js';
import { openListeners } from './rpc/listeners/index.js';
import { handle, stopped } from './signals.js';
import { ExpiryWatch, NOTICE_DAYS } from './state/expiry/index.js';
import { FleetPolicy } from './state/fleet/index.js';
import { NextHops } from './state/hops/index.js';
import { Pins } from './state/pins/index.js';
import { PolicyHolder, PolicyThread, RevisionFloor } from './state/policy/index.js';
import { Revocation } from './state/revocation/index.js';
import { KeptCertificates, openSqliteStore, StoreError } from './state/store/index.js';
import { type Of, trustState } from './state/trust/index.js';
import { Counters } from './state/verdicts/index.js';
import { inSlices } from './state/work/index.js';
import { VERSION } from './version.js';

/** What is in flight has this long to be answered at the end. */
const GRACE_MS = 5000;
/** How often it is looked what ends: notices are days apart. */
const EXPIRY_LOOK_MS = 3_600_000;

/** A start that cannot go on, in words for the operator. */
class StartFailure extends Error {}

/** A log of decisions that says once a minute how many lines it could not write. */
function openDecisions({ log: { decisions, mask } }: DaemonSettings, log: OperatorLog, counters: Counters) {
  const tell = onceAMinute((lines, why) =>
    log.error('decisions were lost: their log cannot be written', { lines, why }),
  );
  return decisionLog(decisions, mask, (lines, why) => {
    counters.add('decisions.lost', lines);
    tell(lines, why);
  });
}

/** What the state file keeps, or the store and the state file as its copy. */
async function openState({ state, dns, log: logs, ...settings }: DaemonSettings, log: OperatorLog, closers: Closers) {
  const clock = Date.now;
  const local = state.file === undefined ? undefined : openSqliteStore(state.file, (text) => log.warn(text));
  if (local !== undefined) closers.keep('state file', local);
  const fleet = local && (await openShared({ state, ...settings }, local, log, closers));
  const store = fleet?.shared ?? local;
  const pins = store && closers.keep('pins', await Pins.open(store, { most: state.pins, clock, log }));
  // Without a decision log nothing tells what to ask again.
  const keeps = state.certificates > 0 && logs.decisions !== undefined ? store : undefined;
  const limits = { octets: state.certificates, ageMs: state.certificateAge * 1000 };
  const kept = keeps && closers.keep('certificates', new KeptCertificates(keeps, { ...limits, clock, log }));
  const seed = randomInt(2 ** 32);
  const hops = closers.keep('next hops', await NextHops.open({ settings: dns, clock, log, seed, store }));
  return { pins, hops, kept, fleet, store };
}

/** Looks what ends, now and then. */
function watchEnds(state: Of<'ends' | 'now'>, log: OperatorLog, closers: Closers): () => Promise<void> {
  const expiry = new ExpiryWatch(log);
  const look = async (): Promise<void> => inSlices(expiry.look(await state.ends.rows(NOTICE_DAYS), state.now()));
  const looking = setInterval(() => void look(), EXPIRY_LOOK_MS);
  closers.add('expiry', () => clearInterval(looking));
  return look;
}

/** How a daemon reads its policy: in a thread, from its files or those of the fleet. */
interface Reading {
  readonly policy: PolicyHolder;
  readonly thread: PolicyThread;
  readonly source: FleetPolicy;
}

/** Opens everything in its order; what each opened it leaves with the closers, which close it in the opposite one. */
async function start(
  config: string,
  { policy, thread, source }: Reading,
  log: OperatorLog & Reopening,
  closers: Closers,
): Promise<void> {
  const { settings, snapshot } = policy;
  const [clock, random, counters] = [Date.now, Math.random, new Counters()];
  const decisions = closers.keep('decision log', openDecisions(settings, log, counters));
  const { pins, hops, kept, fleet, store } = await openState(settings, log, closers);
  const shared = fleet?.shared;
  const audit = closers.keep('audit log', auditLog(settings.log.audit, log, shared?.audit));
  const fetching = { settings: settings.revocation, snapshot, clock, log, random, shared: shared?.fetches };
  const revocation = closers.keep('revocation', await Revocation.open(fetching));

  const state = trustState({ policy, clock, decisions, revocation, pins, hops, kept, counters, store: shared });
  if (pins !== undefined && store !== undefined) {
    await policy.remember(
      new RevisionFloor(
        pins.revisionFloor,
        (revision) => store.save({ revision }),
        (error) => log.warn('the revision was not written', { error: String(error) }),
      ),
    );
  }
  closers.add('alarms', state.answers.alarms.start(log));
  revocation.start(() => state.changes.revocationChanged());
  const look = watchEnds(state, log, closers);
  const reload = reporter(log, state, look);
  for (const warning of policy.status().warnings) log.warn(warning);
  if (fleet !== undefined) await joinFleet(fleet.database, state, source, reload, log, closers);
  for (const warning of await approvalsMissing(state)) log.warn(warning);

  const listeners = await openListeners(settings, { state, log, audit, reload, config });
  if ('failed' in listeners) throw new StartFailure(`${listeners.failed}${nextStep(listeners.code)}`);
  closers.add('listeners', () => listeners.close(GRACE_MS));
  closers.add('open files', watchOpenFiles(log));
  void look();
  if (settings.watch) {
    thread.watch(() => {
      log.info('the files of the policy have changed');
      void reload('a change of its files');
    });
  }
  closers.keep('thread of the policy', thread);
  closers.keep('policy', policy);
  handle({
    SIGHUP: () => void reload('SIGHUP'),
    SIGUSR1: () => {
      void Promise.all([log.reopen(), decisions.reopen()]).then(
        () => log.info('log files reopened'),
        (error: unknown) =>
          log.error('a log file cannot be opened; it is tried again at each line', { error: String(error) }),
      );
    },
    // Other daemons open their log files again by it.
    SIGUSR2: () => log.warn('SIGUSR2 means nothing here: SIGUSR1 opens the log files again, SIGHUP reads the policy'),
  });
  log.info('siptrustd is ready', { version: VERSION, revision: policy.snapshot.revision, listen: listeners.addresses });
}

async function serve(config: string): Promise<number> {
  // Whoever read the log is gone (EPIPE), or its disk is full: nobody is left to tell, and questions are answered all the same.
  process.stderr.on('error', () => {});
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
  closers.keep('log', log);
  const slow = missingOptions([...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)]);
  if (slow !== undefined) log.warn(slow);
  try {
    await start(config, { policy, thread, source }, log, closers);
    log.info('stopping', { signal: await stopped });
    return 0;
  } catch (error) {
    const known = error instanceof StartFailure || error instanceof StoreError || isSystemError(error);
    const why = known
      ? `${error.message}${isSystemError(error) ? nextStep(error.code) : ''}`
      : `the start failed: ${error instanceof Error ? error.stack : String(error)}`;
    log.error(why);
    // Whoever started it looks here, and at the journal.
    if (file !== undefined) process.stderr.write(`siptrustd: not started: ${why}\n`);
    return 1;
  } finally {
    await closers.close((what, error) => log.error('could not be closed', { what, error: String(error) }));
  }
}

/** A file that cannot be opened: the message of the system names it. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** What the command line asks for; the exit code. */
export async function main(): Promise<number> {
  const given = flags();
  if (typeof given === 'number') return given;
  if (given.check) return check(given.config);
  return serve(given.config).catch((error: unknown) => {
    process.stderr.write(`siptrustd: ${isSystemError(error) ? error.message + nextStep(error.code) : String(error)}\n`);
    return 1;
  });
}
