/** A soak: calls without a pause while everything around them changes, and what that does to calls and memory. */

import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { question } from '../support/evidence.js';
import type { Build, Kamailio } from '../support/live/kamailio.js';
import { ownMemory } from '../support/live/processes.js';
import { limit, passingCall, steadyCalls, type Tally } from './calls.js';
import { type Arrived, openStage, SIDES, type SideName, type SoakStage } from './stage.js';

export interface SoakOptions {
  readonly seconds: number;
  /** Calls a second of each side; undefined: seven tenths of what this machine does are shared by both. */
  readonly rate?: number;
  /** Seconds from one to the next: kill of siptrustd, reload, new certificates, connection that comes and goes, sample. */
  readonly every: Readonly<Record<'kill' | 'reload' | 'rotate' | 'connect' | 'sample', number>>;
  /** Is told now and then how far it is. */
  readonly look?: (second: number, doing: string) => void;
}

/** Memory in KiB. */
export interface Sample {
  readonly second: number;
  /** Of its own, of all processes of each program. */
  readonly siptrustd: number;
  readonly steady: number;
  readonly proxy: Readonly<Record<SideName, number>>;
  /** Shared memory in use of each proxy. */
  readonly shared: Readonly<Record<SideName, number>>;
  /** Open files of the siptrustd that is never killed, and of both proxies. */
  readonly files: { readonly steady: number; readonly siptrust: number; readonly plain: number };
}

export interface SoakReport {
  /** The day of the run, as in 2026-11-25. */
  readonly day: string;
  /** Its version. */
  readonly kamailio: string;
  readonly options: SoakOptions;
  readonly limit: number | undefined;
  readonly rate: number;
  readonly steady: Readonly<Record<SideName, Tally>>;
  readonly passing: Readonly<Record<SideName, Tally>>;
  readonly arrived: Readonly<Record<SideName, Arrived>>;
  readonly kills: number;
  readonly reloads: number;
  readonly rotations: number;
  /** Questions to the siptrustd that is never killed. */
  readonly questions: number;
  readonly samples: readonly Sample[];
  /** What each proxy logged most often, and how often. */
  readonly logged: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** Runs something again and again until the end, `every` so many seconds. */
async function again(end: number, every: number, what: () => Promise<void> | void): Promise<number> {
  let times = 0;
  for (;;) {
    const wait = every * 1000;
    if (Date.now() + wait > end) return times;
    await pause(wait);
    await what();
    times += 1;
  }
}

export async function soak(build: Build, options: SoakOptions): Promise<SoakReport> {
  const stage = await openStage(build);
  try {
    return await run(stage, build, options);
  } finally {
    await stage.stop();
  }
}

async function run(stage: SoakStage, build: Build, options: SoakOptions): Promise<SoakReport> {
  const { network, steady, policies, arrived } = stage;
  const { look, ...told } = options;
  const { every, seconds } = told;
  const tally = (): Record<SideName, Tally> => ({ siptrust: { calls: 0, failed: 0 }, plain: { calls: 0, failed: 0 } });
  const calls = { steady: tally(), passing: tally() };
  const most = options.rate === undefined ? await limit(stage) : undefined;
  const rate = options.rate ?? Math.max(1, Math.floor((0.7 * (most ?? 0)) / 2));
  let identity = network.certificateOfA();
  let dead = false;
  let turn = 0;
  let connection = 0;
  const samples: Sample[] = [];
  const start = Date.now();
  const end = start + seconds * 1000;

  const steadily = SIDES.map((name) => steadyCalls(stage, name, rate, seconds, calls.steady[name]));
  const passing = again(end, every.connect, async () => {
    turn += 1;
    const who = turn % 4 === 0 ? undefined : identity;
    await Promise.all(SIDES.map((name) => passingCall(stage, name, who, calls.passing[name])));
  });
  const questions = again(end, 0.05, async () => {
    const seen = { src_ip: network.host(20), src_port: 40_000, rcv_ip: network.address, rcv_port: 5061 };
    // As many connections as its memories are full of soon: what still grows then, leaks.
    connection = (connection + 1) % 1_000;
    await steady.call('trust.peer', question(identity.pem, { conid: connection, ...seen }));
  });
  const reloads = again(end, every.reload, async () => {
    const policy = policies[turn % policies.length] ?? {};
    await steady.reload(policy);
    // A siptrustd that is dead, or is being killed meanwhile, reads nothing.
    if (!dead) await network.daemon.reload(policy).catch((error: unknown) => dead || Promise.reject(error));
  });
  const rotations = again(end, every.rotate, async () => {
    identity = await stage.rotate();
  });
  const kills = again(end, every.kill, async () => {
    dead = true;
    await network.daemon.stop('SIGKILL');
    await network.daemon.start();
    dead = false;
  });
  const sampled = again(end, every.sample, () => {
    const sample = measured(stage, Math.round((Date.now() - start) / 1000));
    samples.push(sample);
    const { siptrust, plain } = calls.steady;
    const failed = siptrust.failed + plain.failed;
    look?.(sample.second, `${siptrust.calls + plain.calls} calls, ${failed} failed`);
  });
  const times = await Promise.all([kills, reloads, rotations, questions, passing, sampled, ...steadily]);
  const proxies = { edge: stage.edge.proxy, siptrust: stage.sides.siptrust.proxy, plain: stage.sides.plain.proxy };
  for (const [name, { running }] of Object.entries(proxies))
    if (!running) throw new Error(`the proxy ${name} has ended`);
  return {
    ...{
      day: new Date(start).toISOString().slice(0, 10),
      kamailio: build.version,
      options: told,
      limit: most,
      rate,
      ...calls,
      arrived,
      samples,
    },
    ...{ kills: times[0], reloads: times[1], rotations: times[2], questions: times[3] },
    logged: Object.fromEntries(Object.entries(proxies).map(([name, { log }]) => [name, mostLogged(log)])),
  };
}

function measured({ network, steady, sides }: SoakStage, second: number): Sample {
  const { siptrust, plain } = sides;
  const shared = ({ proxy }: { proxy: Kamailio }) =>
    Math.round(Number(/^\s*real_used:\s*(\d+)/m.exec(proxy.rpc('core.shmmem'))?.[1] ?? Number.NaN) / 1024);
  return {
    second,
    siptrustd: ownMemory(network.daemon.pid),
    steady: ownMemory(steady.pid),
    proxy: { siptrust: ownMemory(siptrust.proxy.pid), plain: ownMemory(plain.proxy.pid) },
    shared: { siptrust: shared(siptrust), plain: shared(plain) },
    files: { steady: files(steady.pid), siptrust: files(siptrust.proxy.pid), plain: files(plain.proxy.pid) },
  };
}

function files(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The complaints of a log, each without what differs from time to time. */
function mostLogged(log: string): Readonly<Record<string, number>> {
  const times = new Map<string, number>();
  for (const line of log.split('\n')) {
    const complaint = /\b(?:CRITICAL|ERROR|WARNING): .*/.exec(line)?.[0].replace(/0x[0-9a-f]+|\d[\d.:]*/g, '#');
    if (complaint !== undefined) times.set(complaint, (times.get(complaint) ?? 0) + 1);
  }
  return Object.fromEntries([...times].sort(([, a], [, b]) => b - a).slice(0, 8));
}
