#!/usr/bin/env node
/**
 * siptrustd: flags, signals, start and stop.
 * Exit codes: 0 stopped or the policy is good, 1 the policy or a listener is not, 2 the command line is wrong.
 */

import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type AuditLog, auditLog } from './log/audit.js';
import { decisionLog } from './log/decisions.js';
import { type OperatorLog, operatorLog } from './log/logger.js';
import { loadPolicy } from './policy/loader.js';
import type { DaemonSettings } from './policy/settings.js';
import { openListeners } from './rpc/listeners.js';
import { NOTICE_DAYS } from './state/expiry.js';
import { ExpiryWatch } from './state/expiry-watch.js';
import { KeptCertificates } from './state/kept-certificates.js';
import { NextHops } from './state/next-hops.js';
import { Pins } from './state/pins.js';
import { PolicyHolder, type ReloadReport } from './state/policy-holder.js';
import { Revocation } from './state/revocation.js';
import { openSqliteStore } from './state/sqlite-store.js';
import { StoreError } from './state/store.js';
import { TrustState } from './state/trust-state.js';
import { VERSION } from './version.js';

const DEFAULT_CONFIG = '/etc/siptrust/siptrust.yaml';
/** What is in flight has this long to be answered at the end. */
const GRACE_MS = 5000;
/** How often it is looked what ends: notices are days apart. */
const EXPIRY_LOOK_MS = 3_600_000;

const HELP = `siptrustd ${VERSION}: tells a SIP proxy whether the network at the other end of a hop is trusted.

Usage: siptrustd [--config FILE] [--check]

  --config FILE   policy file (default ${DEFAULT_CONFIG})
  --check         read the policy, print its problems as file:line:column, exit 0 (good) or 1
  --version       print the version
  --help          print this text

SIGHUP reads the policy again; SIGTERM and SIGINT stop the daemon.
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

function reporter(log: OperatorLog, state: TrustState, look: () => void): () => ReloadReport {
  return () => {
    const report = state.reload();
    for (const problem of report.problems) log.error(problem);
    for (const warning of report.warnings) log.warn(warning);
    if (report.ok) log.info('policy loaded', { revision: report.revision });
    else log.error('the policy was not loaded; the last good one stays in force', { revision: report.revision });
    look();
    return report;
  };
}

interface Kept {
  /** undefined: the policy names no state file. */
  readonly pins: Pins | undefined;
  readonly hops: NextHops;
  /** undefined: no certificates are kept. */
  readonly certificates: KeptCertificates | undefined;
}

/** What the state file keeps, or why it cannot be had. Closing the pins closes the file. */
async function openState({ state, dns, log: logs }: DaemonSettings, log: OperatorLog): Promise<Kept | string> {
  try {
    const store = state.file === undefined ? undefined : openSqliteStore(state.file);
    const pins = store && (await Pins.open(store, { most: state.pins, clock: Date.now, log }));
    const seed = randomInt(2 ** 32);
    const hops = await NextHops.open({ settings: dns, clock: Date.now, log, seed, store });
    // Without a decision log nothing tells what to ask again.
    const keeps = store !== undefined && state.certificates > 0 && logs.decisions !== undefined;
    const limits = { octets: state.certificates, ageMs: state.certificateAge * 1000 };
    return {
      pins,
      hops,
      certificates: keeps ? new KeptCertificates(store, { ...limits, clock: Date.now, log }) : undefined,
    };
  } catch (error) {
    if (error instanceof StoreError) return error.message;
    throw error;
  }
}

function openAudit(file: string | undefined, log: OperatorLog): AuditLog | string {
  try {
    return auditLog(file, log);
  } catch (error) {
    return `audit log: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function serve(config: string): Promise<number> {
  const policy = PolicyHolder.open((revision, now) => loadPolicy(config, revision, now), Date.now());
  if ('problems' in policy) {
    for (const problem of policy.problems) process.stderr.write(`${problem}\n`);
    return 1;
  }
  const { settings } = policy;
  const log = operatorLog(settings.log.file, settings.log.level);
  const decisions = decisionLog(settings.log.decisions, settings.log.mask);
  const audit = openAudit(settings.log.audit, log);
  const kept = typeof audit === 'string' ? audit : await openState(settings, log);
  if (typeof audit === 'string' || typeof kept === 'string') {
    log.error(String(kept));
    await decisions.close();
    await log.close();
    return 1;
  }
  const { pins, hops, certificates } = kept;
  const revocation = await Revocation.open({
    settings: settings.revocation,
    snapshot: policy.snapshot,
    clock: Date.now,
    log,
    random: Math.random,
  });
  const state = new TrustState(policy, decisions, Date.now, revocation, pins, hops, certificates);
  const endAlarms = state.alarms.start(log);
  revocation.start(() => state.revocationChanged());
  const expiry = new ExpiryWatch(log);
  const look = (): void => expiry.look(state.expiry(NOTICE_DAYS));
  const reload = reporter(log, state, look);
  for (const warning of policy.status().warnings) log.warn(warning);

  const listeners = await openListeners(settings, { state, log, audit, reload });
  if ('failed' in listeners) {
    log.error(listeners.failed);
    await hops.close();
    await revocation.close();
    await certificates?.close();
    await pins?.close();
    await log.close();
    return 1;
  }
  log.info('siptrustd is ready', { version: VERSION, revision: policy.snapshot.revision, listen: listeners.addresses });

  look();
  const looking = setInterval(look, EXPIRY_LOOK_MS);

  process.on('SIGHUP', () => void reload());
  const signal = await new Promise<string>((resolve) => {
    process.once('SIGTERM', () => resolve('SIGTERM'));
    process.once('SIGINT', () => resolve('SIGINT'));
  });
  log.info('stopping', { signal });
  clearInterval(looking);
  await listeners.close(GRACE_MS);
  endAlarms();
  await hops.close();
  await revocation.close();
  await certificates?.close();
  await pins?.close();
  await decisions.close();
  await audit.close();
  await log.close();
  return 0;
}

const given = flags();
process.exitCode = typeof given === 'number' ? given : given.check ? check(given.config) : await serve(given.config);
