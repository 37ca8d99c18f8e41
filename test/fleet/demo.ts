/**
 * `make fleet`: three siptrustd and two Kamailios under one policy, in a database of their own; calls all the while. Prints
 * what happened as a table; exit code 1 where a row is not as it must be. SIPTRUST_FLEET_NODES and SIPTRUST_FLEET_ROUNDS ask
 * for more nodes, and for more withdrawals to measure.
 */

import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../../src/ctl/long-work/index.js';
import { FleetStage } from '../support/fleet.js';
import { type Caller, freshCallId, request } from '../support/live/caller.js';
import { Daemon, type Policy } from '../support/live/daemon.js';
import { installedBuild } from '../support/live/kamailio.js';
import { longWork } from '../support/live/long-work.js';
import { Network } from '../support/live/network.js';
import { eventually } from '../support/live/places.js';
import { rowsOf, statusOf } from '../support/live/sip-text.js';
import { AT_ONCE } from '../support/live/uas.js';

const NODES = Number(process.env.SIPTRUST_FLEET_NODES ?? 3);
const ROUNDS = Number(process.env.SIPTRUST_FLEET_ROUNDS ?? 3);
const PAI = 'P-Asserted-Identity: "Alice" <sip:alice@a.example>';
/** From the commit to the first message that is stripped. */
const MOST_MS = 1000;
const GIVE_UP_MS = 10_000;
/** Between two calls of one proxy: the machine is shared with what is measured. */
const EACH_MS = 30;

interface Row {
  readonly what: string;
  readonly found: string;
  readonly good: boolean;
}

const rows: Row[] = [];

function row(what: string, found: string, good: boolean): void {
  rows.push({ what, found, good });
  process.stdout.write(`${good ? 'ok  ' : 'FAIL'} ${what}: ${found}\n`);
}

/** Both networks' authorities stand for the one partner: each stage has a PKI of its own. */
function policyOf(networks: readonly Pick<Network, 'standardPolicy'>[]): Policy {
  const [first] = networks;
  const all = networks.map(({ standardPolicy }) => standardPolicy.agreements);
  const agreements = (all[0] ?? []).map((agreement, at) => ({
    ...agreement,
    anchors: all.flatMap((each) => each[at]?.anchors ?? []),
  }));
  return { ...first?.standardPolicy, agreements };
}

class Border {
  readonly name: string;
  readonly network: Network;
  readonly caller: Caller;

  constructor(name: string, network: Network, caller: Caller) {
    this.name = name;
    this.network = network;
    this.caller = caller;
  }

  /** One call over the connection that is up; whether its assertion arrived. */
  async keeps(): Promise<boolean> {
    const callId = freshCallId();
    this.caller.send(request({ callId, headers: [PAI] }));
    const status = statusOf(await this.caller.final(callId));
    if (status !== 200) throw new Error(`${this.name}: expected 200, found ${status}`);
    return rowsOf(await this.network.uas.received(callId, 'INVITE'), 'P-Asserted-Identity').length > 0;
  }

  /** Calls until the assertion arrives, or does not. When the first such call had its answer. */
  async until(kept: boolean): Promise<number> {
    const end = Date.now() + GIVE_UP_MS;
    while (Date.now() < end) {
      if ((await this.keeps()) === kept) return Date.now();
      await sleep(EACH_MS);
    }
    throw new Error(`${this.name}: expected an assertion that ${kept ? 'arrives' : 'goes'}, found the other`);
  }
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

function nodeDaemon(stage: FleetStage, node: string): object {
  const { cluster } = stage;
  return {
    ...{ node, store: cluster.url(), store_password_file: cluster.passwordFile },
    state: { file: stage.file(node, 'state.db') },
    fleet: { policy: 'on', directory: stage.file(node, 'kept', 'x').replace(/\/x$/, '') },
  };
}

async function committed(stage: FleetStage, revision: unknown): Promise<number> {
  const text = `SELECT extract(epoch FROM created_at)::float8 AS at FROM siptrust.policy_revision WHERE number = ${Number(revision)}`;
  return Number((await stage.cluster.sql<{ at: number }>(text))[0]?.at) * 1000;
}

/** When this siptrustd said that the revision is in force. */
function switchedAt(daemon: Daemon, number: number): number {
  const line = daemon.log.split('\n').find((each) => each.includes(`in force {"number":${number},`));
  return Date.parse(line?.split(' ')[0] ?? '');
}

function figures(ms: readonly number[]): readonly [number, string] {
  const sorted = [...ms].sort((a, b) => a - b);
  const [p50, p99, worst] = [0.5, 0.99, 1].map((part) => Math.round(quantile(sorted, part)));
  return [p99 ?? Number.NaN, `p50 ${p50} ms, p99 ${p99} ms, worst ${worst} ms of ${ms.length}`];
}

async function main(open: { stop(): unknown }[], progress: Progress): Promise<void> {
  const build = installedBuild();
  const stage = await FleetStage.start();
  open.push(stage);
  const networks: Network[] = [];
  const push = (file: string, ...more: readonly string[]) => stage.done('policy', 'push', file, ...more);
  for (const name of ['border-1', 'border-2']) {
    let pushing: Promise<unknown> = Promise.resolve();
    const network = await Network.start({
      ...{ build, uas: AT_ONCE },
      policy: (standard) => {
        const file = stage.policy(name, policyOf([...networks, { standardPolicy: standard }]));
        pushing = push(file, '-m', `for ${name}`, '--author', 'noc');
        pushing.catch(() => {});
        return { daemon: nodeDaemon(stage, name) };
      },
    });
    open.push(network);
    networks.push(network);
    await pushing;
  }
  const [first, second] = networks as [Network, Network];
  const daemons: Daemon[] = [];
  for (let at = 3; at <= NODES; at++) {
    const daemon = new Daemon(first.host(40 + at), first.directory, `border-${at}`);
    daemon.write({ daemon: nodeDaemon(stage, `border-${at}`) });
    await daemon.start();
    open.push(daemon);
    daemons.push(daemon);
  }
  const list = async () =>
    (await first.daemon.call('fleet.list')).nodes as readonly { node: string; state: string; revision: number }[];
  const states = async () => (await list()).map(({ state, revision }) => `${state} ${revision}`);
  const policy = stage.policy('policy', policyOf(networks));
  const pushed = await push(policy, '-m', 'both borders', '--author', 'noc', '--require-all');
  const { revision } = pushed;
  const there = await states();
  const all = there.length === NODES && there.every((state) => state === `ok ${revision}`);
  row(`a push is in force on all ${NODES} nodes`, `revision ${revision}, ${there.join(', ')}`, all);

  const proxies = [
    new Border('border-1', first, await first.overTls(first.certificateOfA())),
    new Border('border-2', second, await second.overTls(second.certificateOfA())),
  ];
  for (const proxy of proxies) await proxy.until(true);
  row('a partner calls through both proxies', 'his assertion arrives', true);

  const bad = stage.policy('bad', { ...policyOf(networks), own_domains: ['a.example'] });
  const refused = await stage.ctl('policy', 'push', bad);
  row('a policy with a mistake', refused.error.split('\n')[1]?.replace(stage.directory, '') ?? '', refused.code === 2);
  const stale = await stage.ctl('policy', 'push', policy, '--base', '1');
  row('a push that was made on an old revision', stale.error, stale.code === 1);

  const took: number[] = [];
  const switches: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    progress.at(0, `withdrawal ${round} of ${ROUNDS}`);
    const stripped = Promise.all(proxies.map((proxy) => proxy.until(false)));
    // Where the command fails, that is what is told.
    stripped.catch(() => {});
    const told = await stage.done('agreement', 'disable', 'op-a', '--fleet', '--wait', '0', '-m', `round ${round}`);
    const at = await committed(stage, told.revision);
    for (const time of await stripped) took.push(time - at);
    for (const daemon of [first.daemon, second.daemon, ...daemons]) {
      await eventually('the node has switched', () => !Number.isNaN(switchedAt(daemon, Number(told.revision))));
      switches.push(switchedAt(daemon, Number(told.revision)) - at);
    }
    await stage.done('agreement', 'enable', 'op-a', '--fleet');
    await Promise.all(proxies.map((proxy) => proxy.until(true)));
    // The poll of the proxies is met at another moment each time.
    await sleep(100 + ((round * 137) % 500));
  }
  progress.clear();
  const [ninetyNine, words] = figures(took);
  row('disable --fleet: from the commit to the switch of each node', figures(switches)[1], switches.length > 0);
  // What is measured on a machine that has no time is the machine.
  const load = loadavg()[0] ?? 0;
  const busy = load > 2 * availableParallelism();
  const judged = busy ? ` (not judged: load ${load.toFixed(0)} on ${availableParallelism()} cores)` : '';
  row('disable --fleet: from the commit to the first stripped message', words + judged, busy || ninetyNine < MOST_MS);

  await stage.done('agreement', 'disable', 'op-a', '--fleet', '--wait', '0');
  const again = await push(policy, '-m', 'knows nothing of it');
  await Promise.all(proxies.map((proxy) => proxy.until(false)));
  row(
    'a push of files that know nothing of it',
    `he stays out: ${String(again.disabled)}`,
    String(again.disabled) === 'op-a',
  );
  await stage.done('agreement', 'enable', 'op-a', '--fleet');
  await Promise.all(proxies.map((proxy) => proxy.until(true)));

  await stage.cluster.kill();
  const kept = await Promise.all(proxies.map((proxy) => proxy.keeps()));
  row('the database is killed', `calls go on, assertions arrive: ${kept.join(', ')}`, kept.every(Boolean));
  const [third] = daemons;
  await third?.stop('SIGKILL');
  await third?.start();
  const status = (await third?.call('core.status')) as { fleet?: { revision: number; store: boolean } } | undefined;
  const { revision: number = 0, store = true } = status?.fleet ?? {};
  row('a node starts while it is away', `revision ${number} of its own disk`, number > Number(revision) && !store);
  await stage.cluster.restart();
  const rolled = await stage.done('policy', 'rollback', String(revision), '--wait');
  row(
    'the database is back; rollback',
    `revision ${rolled.revision} with the content of ${revision}`,
    rolled.complete === true,
  );
  // Who was away looks for it every 5 s.
  await stage.ctl('fleet', 'wait', '30', '--require-all');
  const end = await states();
  row(
    'the fleet',
    end.join(', '),
    end.every((state) => state === `ok ${rolled.revision}`),
  );
}

await longWork('fleet', undefined, async (progress) => {
  const open: { stop(): unknown }[] = [];
  try {
    progress.at(0, 'database, proxies and nodes start');
    await main(open, progress);
  } catch (error) {
    row('the story', String(error instanceof Error ? error.message : error), false);
  } finally {
    for (const each of open.reverse()) await each.stop();
  }
  progress.clear();
  const width = Math.max(...rows.map(({ what }) => what.length));
  process.stdout.write('\n');
  for (const { what, found, good } of rows)
    process.stdout.write(`| ${what.padEnd(width)} | ${good ? 'ok' : 'FAIL'} | ${found}\n`);
  return rows.every(({ good }) => good) ? 0 : 1;
});
