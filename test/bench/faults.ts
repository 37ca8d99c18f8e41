/**
 * Verdicts while the database of a fleet has a fault, each fault by itself: a real siptrustd and a server that does nothing are asked
 * at the same moments, before the fault and in it. What the machine does slows both; what the daemon does, one of them.
 * `make bench-faults`, or some of them: `make bench-faults FAULTS='killed cut'`. MS=15000 makes each time as long.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createNetstringParser, netstring } from '../../src/rpc/wire/netstring.js';
import { SlowWay } from '../fleet/slow-way.js';
import { DAY, ext, leaf, root } from '../support/certificates.js';
import { Child, run } from '../support/live/child.js';
import { Daemon } from '../support/live/daemon.js';
import { longWork } from '../support/live/long-work.js';
import { eventually, loopbackBlock } from '../support/live/places.js';
import { DATABASE, PostgresCluster } from '../support/postgres-cluster.js';
import { measured, type Turns, takeTurns, turnsText } from './turns.js';

const CTL = fileURLToPath(new URL('../../dist/ctl/main.js', import.meta.url));
const NOOP = fileURLToPath(new URL('./noop-server.ts', import.meta.url));
const RATE = 200;
const LASTS_MS = Number(process.env.MS ?? 8_000);
/** A calm time and one with the fault take turns: a machine that others make slow is slow in both. */
const PAIRS = 2;
const SLOW_MS = 150;
const BACK_MS = 60_000;

const times = { notBefore: Date.now() - DAY, notAfter: Date.now() + 300 * DAY };
const authority = root({ subject: 'O=Operator B,CN=B CA', ...times });
const peer = leaf(authority, { extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) }, ...times });

let connection = 0;
/** Half of the questions are about connections that nobody knows yet. */
function question(): object {
  connection += 1;
  const tls = { pem: peer.pem, verified: 1, version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };
  const local = { rcv_ip: '198.51.100.1', rcv_port: 5061, src_ip: '192.0.2.1', src_port: 40_000 };
  return { direction: 'in', proto: 'tls', conid: connection >> 1, ...local, tls };
}

/** One connection over which questions go, whatever becomes of the answers. */
class Lane {
  readonly #sent: number[] = [];
  readonly #socket;
  #times: number[] = [];
  #wrong = 0;

  private constructor(host: string, port: number, right: string) {
    this.#socket = connect({ host, port, noDelay: true });
    const parser = createNetstringParser();
    this.#socket.on('data', (chunk) =>
      parser.push(chunk, (frame) => {
        this.#times.push(performance.now() - (this.#sent.shift() ?? 0));
        if (!frame.includes(right)) this.#wrong += 1;
      }),
    );
    this.#socket.on('error', () => {});
  }

  static async open(host: string, port: number, right: string): Promise<Lane> {
    const lane = new Lane(host, port, right);
    await new Promise((resolve, reject) => lane.#socket.once('connect', resolve).once('error', reject));
    return lane;
  }

  ask(text: string): void {
    this.#sent.push(performance.now());
    this.#socket.write(netstring(text));
  }

  /** Milliseconds of each answer since the last time; what waits still counts with what it has waited. */
  take(): { readonly times: readonly number[]; readonly wrong: number } {
    const now = performance.now();
    const taken = { times: [...this.#times, ...this.#sent.map((sent) => now - sent)], wrong: this.#wrong };
    this.#times = [];
    this.#wrong = 0;
    return taken;
  }

  close(): void {
    this.#socket.destroy();
  }
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

function spread(all: readonly number[]): { readonly text: string; readonly p99: number } {
  const sorted = all.toSorted((a, b) => a - b);
  const [p50, p99, p100] = [0.5, 0.99, 1].map((part) => quantile(sorted, part)) as [number, number, number];
  return { text: `${p50.toFixed(2)}, ${p99.toFixed(2)}, ${p100.toFixed(2)}`, p99 };
}

interface Measured {
  readonly trust: number[];
  readonly noop: number[];
  readonly turns: Turns[];
  wrong: number;
}

const empty = (): Measured => ({ trust: [], noop: [], turns: [], wrong: 0 });

interface Fault {
  readonly name: string;
  readonly begin: (stage: Stage) => Promise<unknown> | unknown;
  readonly end: (stage: Stage) => Promise<unknown> | unknown;
  /** It cannot be taken back. */
  readonly once?: boolean;
}

const FAULTS: readonly Fault[] = [
  { name: 'nothing', begin: () => {}, end: () => {} },
  { name: 'killed', begin: ({ cluster }) => cluster.kill(), end: ({ cluster }) => cluster.restart() },
  { name: 'frozen', begin: ({ cluster }) => cluster.freeze(), end: ({ cluster }) => cluster.thaw() },
  { name: 'cut', begin: ({ way }) => way.cut(), end: ({ way }) => way.heal() },
  { name: 'slow', begin: ({ way }) => way.slow(SLOW_MS), end: ({ way }) => way.heal() },
  { name: 'full', begin: (stage) => stage.fill(), end: (stage) => stage.makeRoom() },
  {
    name: 'taken-over',
    once: true,
    begin: async ({ cluster, standby }) => {
      cluster.freeze();
      await standby?.promote();
    },
    end: () => {},
  },
];

/** A database on a small disk, a standby where one is to take over, and a daemon. */
class Stage {
  readonly directory = mkdtempSync(join(tmpdir(), 'bench-faults-'));
  readonly disk: string;
  cluster!: PostgresCluster;
  standby: PostgresCluster | undefined;
  way!: SlowWay;
  daemon!: Daemon;
  noop!: Child;
  lanes: Lane[] = [];
  #asking: NodeJS.Timeout | undefined;
  readonly #turns = join(this.directory, 'turns.json');

  private constructor() {
    this.disk = join(this.directory, 'disk');
    mkdirSync(this.disk);
    execFileSync('chmod', ['755', this.directory]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=192m,mode=0700', 'tmpfs', this.disk]);
  }

  static async open(standby: boolean): Promise<Stage> {
    const stage = new Stage();
    try {
      await stage.#open(standby);
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  async #open(standby: boolean): Promise<void> {
    const settings = ['min_wal_size = 32MB', 'max_wal_size = 64MB'];
    this.cluster = await PostgresCluster.start({ directory: this.disk, settings });
    this.way = await SlowWay.open(this.cluster.port);
    if (standby) this.standby = await this.cluster.standby();
    const home = join(this.directory, 'home');
    mkdirSync(home);
    writeFileSync(join(home, 'ca.pem'), authority.pem);
    writeFileSync(join(home, 'password'), readFileSync(this.cluster.passwordFile), { mode: 0o600 });
    const hosts = [this.way.port, ...(this.standby === undefined ? [] : [this.standby.port])];
    const host = loopbackBlock()(1);
    this.daemon = new Daemon(host, home);
    const agreement = {
      name: 'op-b',
      domains: ['b.example'],
      mechanism: 'tls',
      anchors: ['ca.pem'],
      revocation: 'off',
    };
    this.daemon.write({
      own_domains: ['a.example'],
      // What the store says decides.
      agreements: [{ ...agreement, pinned: true }],
      daemon: {
        ...{ node: 'border-1', store_password_file: 'password', store_timeout: 1000, state: { file: 'state.db' } },
        store: `postgres://${this.cluster.user}@${hosts.map((port) => `127.0.0.1:${port}`).join(',')}/${DATABASE}`,
        access: { tokens: 'tokens.json' },
      },
    });
    await run('node', [CTL, 'store', 'migrate', '--config', join(home, 'siptrust.yaml')]);
    Object.assign(process.env, measured(this.#turns));
    await this.daemon.start();
    for (const name of Object.keys(measured(''))) delete process.env[name];
    await this.up();
    await this.daemon.call('trust.peer', question());
    await this.daemon.call('pin.approve', { agreement: 'op-b', pin: 'all' });
    this.noop = new Child(process.execPath, ['--import', 'tsx', NOOP, '400']);
    const port = await eventually('the no-op server says its port', () => Number(this.noop.output.trim()) || undefined);
    this.lanes = [await Lane.open(host, 7060, '"trusted":1'), await Lane.open('127.0.0.1', port, '"result"')];
    let asked = 0;
    this.#asking = setInterval(() => {
      asked += 1;
      const text = JSON.stringify({ jsonrpc: '2.0', id: asked, method: 'trust.peer', params: question() });
      // In turn first: who is second waits for the first on a processor that they share.
      const [one, other] = asked % 2 === 0 ? this.lanes : [...this.lanes].reverse();
      one?.ask(text);
      other?.ask(text);
    }, 1000 / RATE);
  }

  async up(): Promise<void> {
    const ok = async () => ((await this.daemon.call('core.status')).store as { state: string }).state === 'ok';
    await eventually('the store is there', ok, BACK_MS);
  }

  async measure(into: Measured): Promise<void> {
    for (const lane of this.lanes) lane.take();
    await takeTurns(this.daemon.pid, this.#turns);
    await sleep(LASTS_MS);
    const [trust, noop] = this.lanes.map((lane) => lane.take());
    into.trust.push(...(trust?.times ?? []));
    into.noop.push(...(noop?.times ?? []));
    into.wrong += trust?.wrong ?? 0;
    into.turns.push(await takeTurns(this.daemon.pid, this.#turns));
  }

  /** Until nothing fits any more, and somebody wants to write. */
  async fill(): Promise<void> {
    const to = `of=${join(this.disk, 'filler')}`;
    for (let more = 0; more < 3; more += 1) {
      spawnSync('dd', ['if=/dev/zero', to, 'bs=64k', 'oflag=append', 'conv=notrunc'], { stdio: 'pipe' });
      await this.daemon.call('token.add', { name: `noc-${connection}-${more}`, role: 'viewer' }).catch(() => {});
    }
  }

  async makeRoom(): Promise<void> {
    rmSync(join(this.disk, 'filler'), { force: true });
    await this.cluster.restart();
  }

  async close(): Promise<void> {
    clearInterval(this.#asking);
    for (const lane of this.lanes) lane.close();
    await this.daemon?.stop();
    await this.noop?.stop();
    this.way?.close();
    await this.standby?.stop();
    await this.cluster?.stop();
    execFileSync('umount', ['-l', this.disk]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function longestOf(all: readonly Turns[]): string {
  const [first, ...rest] = all;
  if (first === undefined) return '';
  const longest = rest.reduce((a, b) => ((a.turns[0]?.ran ?? 0) >= (b.turns[0]?.ran ?? 0) ? a : b), first);
  return turnsText(longest);
}

function tell(name: string, calm: Measured, fault: Measured): void {
  const [a, b] = [spread(calm.trust), spread(fault.trust)];
  const [c, d] = [spread(calm.noop), spread(fault.noop)];
  const waited = (all: Measured) => Math.round(all.turns.reduce((sum, { waited: each }) => sum + each, 0));
  const ran = (all: Measured) => (all.turns.reduce((sum, each) => sum + each.ran, 0) / all.trust.length).toFixed(3);
  console.log(
    `faults: ${name}: trust.peer p50, p99, p100 ${b.text} ms (calm ${a.text}), p99 ${(b.p99 / a.p99).toFixed(2)} times; ` +
      `no-op server ${d.text} ms (calm ${c.text}), ${(d.p99 / c.p99).toFixed(2)} times; ${fault.trust.length} and ${calm.trust.length} questions` +
      `${fault.wrong + calm.wrong > 0 ? `, ${fault.wrong + calm.wrong} WRONG` : ''}; load ${(loadavg()[0] ?? 0).toFixed(1)}`,
  );
  console.log(
    `faults: ${name}: siptrustd: ${ran(fault)} ms of processor a question (calm ${ran(calm)}), ` +
      `without one for ${waited(fault)} ms in all (calm ${waited(calm)}); ${longestOf(fault.turns)} (calm: ${longestOf(calm.turns)})`,
  );
}

async function measureFault({ name, begin, end, once = false }: Fault): Promise<void> {
  const stage = await Stage.open(once);
  try {
    const [calm, fault] = [empty(), empty()];
    // A daemon that has just started is slower than it will ever be again: that is nobody's calm.
    await stage.measure(empty());
    for (let pair = 0; pair < (once ? 1 : PAIRS); pair += 1) {
      await stage.measure(calm);
      // The fault begins while questions go on, and is measured from its first moment.
      const measuring = stage.measure(fault);
      await begin(stage);
      await measuring;
      await end(stage);
      await stage.up();
    }
    tell(name, calm, fault);
  } finally {
    await stage.close();
  }
}

const { positionals } = parseArgs({ allowPositionals: true });
const faults = FAULTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
await longWork('bench-faults', faults.length, async (progress) => {
  if (faults.length === 0) throw new Error(`expected some of ${FAULTS.map(({ name }) => name).join(', ')}`);
  for (const [index, fault] of faults.entries()) {
    progress.at(index, `${index + 1} of ${faults.length}, ${fault.name}`);
    progress.clear();
    await measureFault(fault);
  }
  return 0;
});
