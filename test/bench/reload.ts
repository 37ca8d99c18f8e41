/**
 * What a reload costs whoever asks meanwhile: a real siptrustd, 2,000 questions a second from another process, policies of
 * several sizes that are read again, and beside it a timer that does nothing: what that waits is the machine's doing. Some six
 * minutes for all sizes on a quiet machine. `make bench-reload`, or with `SIZES='5000 45000'` those whose names hold one of
 * these numbers.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { callUnix } from '../../src/rpc/wire/client.js';
import { ext, leaf, root } from '../support/certificates.js';
import { Child } from '../support/live/child.js';
import { longWork } from '../support/live/long-work.js';
import { eventually, runDirectory } from '../support/live/places.js';
import { IdleTimer } from './idle-timer.js';
import type { SteadyOrder, SteadyReport } from './steady-load.js';
import { measured, takeTurns, turnsText } from './turns.js';

const PROGRAM = process.env.SIPTRUST_DAEMON ?? fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const LOAD = fileURLToPath(new URL('./steady-load.ts', import.meta.url));
const RATE = 2000;
const PEERS = 64;
/** Of this run alone: several may stand beside each other. */
const PORT = 20_000 + (process.pid % 10_000);
const CAS = 50;
const RELOAD_MS = 300_000;
const DAY = 86_400_000;

interface Size {
  readonly name: string;
  readonly agreements: number;
  readonly files: number;
  /** Prefixes of each agreement by path; 0: agreements by TLS. */
  readonly prefixes?: number;
}

const SIZES: readonly Size[] = [
  { name: '5,000 agreements in one file', agreements: 5_000, files: 1 },
  { name: '5,000 agreements in 5,000 files', agreements: 5_000, files: 5_000 },
  { name: '20,000 agreements in one file', agreements: 20_000, files: 1 },
  { name: '45,000 agreements in one file', agreements: 45_000, files: 1 },
  { name: '100,000 agreements in one file', agreements: 100_000, files: 1 },
  { name: '1,000,000 prefixes of 1,000 agreements', agreements: 1_000, files: 1, prefixes: 1_000 },
];

const now = Date.now();
const times = { notBefore: now - DAY, notAfter: now + 3650 * DAY };
const anchors = Array.from({ length: CAS }, (_, at) => root({ subject: `O=Operator ${at},CN=CA ${at}`, ...times }));
const peer = leaf(anchors[0] as (typeof anchors)[number], {
  extensions: { altNames: ext.altNames([{ dns: 'd0.example' }]) },
  ...times,
});

/** One agreement; `version` stands in it, so that each version differs. */
function agreement(at: number, version: number, { prefixes = 0 }: Size): string {
  const until = `20${30 + (version % 60)}-12-31`;
  const head = `  - name: op-${at}\n    domains: [d${at}.example, ims.d${at}.example]\n    valid: {from: 2026-01-01, until: ${until}}\n`;
  if (prefixes === 0 || at === 0) {
    const rest = `    mechanism: tls\n    anchors: [ca-${at % CAS}.pem]\n    interconnect: roaming\n    revocation: off\n`;
    return `${head}${rest}    asserts: {domains: [d${at}.example], numbers: ["+49${at}"]}\n`;
  }
  // 1,000 of 1,000 are all of 10.0.0.0/8 in pieces of 16 addresses, and a few more.
  const sources = Array.from({ length: prefixes }, (_, of) => {
    const address = 0x0a_00_00_00 + (at * prefixes + of) * 16;
    return `      - ${[24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')}/28\n`;
  });
  return `${head}    mechanism: nds-ip\n    interface: za\n    sources:\n${sources.join('')}`;
}

class Policy {
  readonly #directory: string;
  readonly #size: Size;

  constructor(directory: string, size: Size) {
    this.#directory = directory;
    this.#size = size;
    for (const [at, { pem }] of anchors.entries()) writeFileSync(join(directory, `ca-${at}.pem`), pem, { mode: 0o600 });
    if (size.files > 1) mkdirSync(join(directory, 'agreements'));
  }

  get main(): string {
    return join(this.#directory, 'siptrust.yaml');
  }

  get socket(): string {
    return join(this.#directory, 'sock');
  }

  writeAll(version: number): void {
    const { agreements, files } = this.#size;
    const each = Array.from({ length: agreements }, (_, at) => agreement(at, version, this.#size));
    if (files > 1) for (const at of each.keys()) this.#writeFile(at, each[at] ?? '');
    const daemon = `daemon:\n  listen: {netstring: "127.0.0.1:${PORT}", http: off, unix: sock}\n  log: {decisions: decisions.log}\n`;
    const interfaces =
      'interfaces:\n  - {name: za, listen: "10.0.0.1:5062", mechanism: nds-ip, implicit_trust: true}\n';
    const content = files > 1 ? 'include: agreements/*.yaml\n' : `agreements:\n${each.join('')}`;
    writeFileSync(this.main, `own_domains: [own.example]\n${daemon}${interfaces}${content}`, { mode: 0o600 });
  }

  writeOne(version: number): void {
    const at = this.#size.agreements - 1;
    if (this.#size.files > 1) this.#writeFile(at, agreement(at, version, this.#size));
    else {
      const text = readFileSync(this.main, 'utf8');
      const begin = text.indexOf(`  - name: op-${at}\n`);
      writeFileSync(this.main, `${text.slice(0, begin)}${agreement(at, version, this.#size)}`, { mode: 0o600 });
    }
  }

  #writeFile(at: number, text: string): void {
    const moved = text.replaceAll('[ca-', '[../ca-');
    writeFileSync(join(this.#directory, 'agreements', `op-${at}.yaml`), `agreements:\n${moved}`, { mode: 0o600 });
  }
}

function questions(): readonly string[] {
  const tls = { pem: peer.pem, verified: '1', version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };
  return Array.from({ length: PEERS }, (_, at) => {
    const params = {
      direction: 'in',
      proto: 'tls',
      conid: `${at}`,
      src_ip: '192.0.2.1',
      src_port: `${20_000 + at}`,
      tls,
    };
    return JSON.stringify({
      jsonrpc: '2.0',
      method: 'trust.peer',
      params: { ...params, rcv_ip: '127.0.0.1', rcv_port: '5061' },
    });
  });
}

class Load {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  static async start(): Promise<Load> {
    const load = new Load(fork(LOAD, { execArgv: ['--import', 'tsx'] }));
    await load.#answer({ port: PORT, requests: questions(), rate: RATE });
    return load;
  }

  report(): Promise<SteadyReport> {
    return this.#answer('report') as Promise<SteadyReport>;
  }

  stop(): void {
    this.#process.kill();
  }

  #answer(order: SteadyOrder | 'report'): Promise<unknown> {
    return new Promise((resolve) => {
      this.#process.once('message', resolve);
      this.#process.send(order);
    });
  }
}

/** Resident memory of a process in MiB, now or at its highest since `forget` (proc(5)). */
class Memory {
  readonly #pid: number;

  constructor(pid: number) {
    this.#pid = pid;
  }

  get(name: 'VmRSS' | 'VmHWM'): number {
    const text = readFileSync(`/proc/${this.#pid}/status`, 'utf8');
    return Math.round(Number(new RegExp(`${name}:\\s*(\\d+)`).exec(text)?.[1] ?? 0) / 1024);
  }

  forget(): void {
    writeFileSync(`/proc/${this.#pid}/clear_refs`, '5');
  }
}

/** How long the main thread of a process was ready to run and had no processor, in milliseconds (sched-stats of Linux). */
function withoutProcessor(pid: number): number {
  const [, waited = '0'] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ');
  return Number(waited) / 1e6;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What is left behind has to go, too: the collector's work belongs to the reload. */
const AFTER_MS = 2000;
/** As long without a reload: what a question waits then is the machine's doing as well. */
const CALM_MS = 4000;
/** Reloads under the load before those that are measured: a daemon that has just started judges by code that V8 has not compiled yet. */
const WARM = 3;
/** Versions of what is read before the load. */
const QUIET = 50;

async function measure(size: Size): Promise<void> {
  const { path, remove } = runDirectory();
  const policy = new Policy(path, size);
  policy.writeAll(0);
  const began = performance.now();
  const turns = join(path, 'turns.json');
  const daemon = new Child(PROGRAM, ['--config', policy.main], { env: measured(turns) });
  let load: Load | undefined;
  let timer: IdleTimer | undefined;
  try {
    const ready = () => {
      if (daemon.ended) throw new Error(`siptrustd ended:\n${daemon.output}`);
      return daemon.output.includes('is ready');
    };
    await eventually('siptrustd is ready', ready, RELOAD_MS);
    console.log(`start: ${size.name}, ready after ${Math.round(performance.now() - began)} ms`);
    const memory = new Memory(daemon.pid);
    const ways = [
      ['all of them changed', (version: number) => policy.writeAll(version)],
      ['all of them changed again', (version: number) => policy.writeAll(version)],
      ['one changed', (version: number) => policy.writeOne(version)],
    ] as const;
    // The first of all is read with nothing asked, as a target without a load says; then the same beside the load.
    for (const [at, [what, write]] of [...ways.entries()].filter(([at]) => at !== 1)) {
      write(QUIET + at);
      await pause(1000);
      await takeTurns(daemon.pid, turns);
      const start = performance.now();
      const waited = withoutProcessor(daemon.pid);
      await callUnix(policy.socket, 'agreement.reload', {}, RELOAD_MS);
      const took = Math.round(performance.now() - start);
      const starved = Math.round(withoutProcessor(daemon.pid) - waited);
      const found = await takeTurns(daemon.pid, turns);
      console.log(
        `reload: ${size.name}, ${what}, nothing asked: took ${took} ms, of which siptrustd was without a processor for ${starved} ms; ` +
          `${turnsText(found)}; load ${(loadavg()[0] ?? 0).toFixed(1)}`,
      );
    }
    load = await Load.start();
    timer = await IdleTimer.start();
    const longest = async (of: Load, beside: IdleTimer) => {
      const [{ longest: waited, wrong }, idle] = await Promise.all([of.report(), beside.longest()]);
      return { wrong, text: `${waited.toFixed(0)} ms (a timer that does nothing waited ${idle.toFixed(0)} ms)` };
    };
    for (let at = 0; at < WARM; at++) {
      await callUnix(policy.socket, 'agreement.reload', {}, RELOAD_MS);
      await pause(1000);
    }
    await pause(AFTER_MS);
    for (const [version, [what, write]] of ways.entries()) {
      write(version + 1);
      await pause(1000);
      await longest(load, timer);
      await takeTurns(daemon.pid, turns);
      const before = memory.get('VmRSS');
      memory.forget();
      const start = performance.now();
      const waited = withoutProcessor(daemon.pid);
      await callUnix(policy.socket, 'agreement.reload', {}, RELOAD_MS);
      const took = performance.now() - start;
      await pause(AFTER_MS);
      const during = await longest(load, timer);
      const found = await takeTurns(daemon.pid, turns);
      const starved = Math.round(withoutProcessor(daemon.pid) - waited);
      const peak = memory.get('VmHWM');
      await pause(CALM_MS);
      const calm = await longest(load, timer);
      const after = memory.get('VmRSS');
      const busy = (loadavg()[0] ?? 0).toFixed(1);
      const octets = `memory ${before} MiB before, ${peak} MiB at most, ${after} MiB after`;
      console.log(
        `reload: ${size.name}, ${what} took ${Math.round(took)} ms, longest question ${during.text}; ` +
          `siptrustd was without a processor for ${starved} ms in all; ${turnsText(found)}; without a reload ${calm.text}; ${octets}; load ${busy}${during.wrong > 0 ? `; ${during.wrong} WRONG verdicts` : ''}`,
      );
    }
  } finally {
    load?.stop();
    timer?.stop();
    await daemon.stop();
    remove();
    rmSync(path, { recursive: true, force: true });
  }
}

const { positionals } = parseArgs({ allowPositionals: true });
/** As it is asked for: `5000` is not `45000`. */
const words = ({ name }: Size): readonly string[] => name.replaceAll(',', '').split(' ');
const sizes = SIZES.filter(
  (size) => positionals.length === 0 || words(size).some((word) => positionals.includes(word)),
);
await longWork('bench-reload', sizes.length, async (progress) => {
  if (sizes.length === 0) throw new Error(`expected numbers as in ${SIZES.map(({ name }) => name).join('; ')}`);
  for (const [index, size] of sizes.entries()) {
    progress.at(index, `${index + 1} of ${sizes.length}, ${size.name}`);
    progress.clear();
    await measure(size);
  }
  return 0;
});
