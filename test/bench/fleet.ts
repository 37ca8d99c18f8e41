/**
 * What a fleet costs its database: nodes in one process, each with connections and a disk of its own, under a policy of which
 * one file in many changes. Printed for 10 and 50 nodes; docs/scale.md computes the rest.
 */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CuttableRelay } from '../support/cuttable-relay.js';
import { type FleetNode, FleetStage } from '../support/fleet.js';
import { longWork } from '../support/live/long-work.js';
import { CA_PEM } from '../unit/policy/fixtures.js';

const FILES = 200;
const SIZES = (process.env.SIPTRUST_FLEET_SIZES ?? '10,50').split(',').map(Number);
const DISABLES = 10;
const CALM_MS = 10_000;

function policy(stage: FleetStage, changed: string): string {
  const agreement = (at: number) =>
    `agreements:\n  - name: op-${at}\n    domains: [p${at}.example]\n    mechanism: tls\n    anchors: [../ca.pem]\n` +
    `    privacy: ${at === 0 ? changed : 'strict33203'}\n`;
  const files = Object.fromEntries(Array.from({ length: FILES }, (_, at) => [`partners/${at}.yaml`, agreement(at)]));
  const main = { own_domains: ['a.example'], include: 'partners/*.yaml' };
  return stage.policy('policy', main, { ...files, 'ca.pem': CA_PEM });
}

function kilobytes(octets: number): string {
  return `${(octets / 1000).toFixed(1)} kB`;
}

async function inForce(nodes: readonly FleetNode[], number: number): Promise<void> {
  while (nodes.some((node) => node.number < number)) await sleep(2);
}

async function measured(count: number): Promise<void> {
  const stage = await FleetStage.start();
  const relay = await CuttableRelay.to(stage.cluster.port);
  const nodes: FleetNode[] = [];
  try {
    await stage.done('policy', 'push', policy(stage, 'rfc3325'));
    const store = { hosts: [{ host: '127.0.0.1', port: relay.port }] };
    for (let at = 0; at < count; at++) nodes.push(await stage.node(`node-${at}`, { store }));
    const first = relay.octets / count;
    const during = async (work: () => Promise<Readonly<Record<string, unknown>>>) => {
      const before = relay.octets;
      const told = await work();
      const start = performance.now();
      await inForce(nodes, Number(told.revision));
      return { ms: performance.now() - start, octets: (relay.octets - before) / count };
    };
    const disables = [];
    for (let round = 0; round < DISABLES; round++) {
      disables.push(await during(() => stage.done('agreement', 'disable', 'op-7', '--fleet', '--wait', '0')));
      disables.push(await during(() => stage.done('agreement', 'enable', 'op-7', '--fleet')));
    }
    const pushed = await during(() => stage.done('policy', 'push', policy(stage, 'ims24229')));
    const sorted = disables.map(({ ms }) => ms).sort((a, b) => a - b);
    const octets = disables.reduce((sum, each) => sum + each.octets, 0) / disables.length;
    const [row] = await stage.cluster.sql<{ connections: number; statements: number }>(
      `SELECT count(*) FILTER (WHERE application_name LIKE 'siptrustd%')::int AS connections,
        (SELECT xact_commit::int FROM pg_stat_database WHERE datname = current_database()) AS statements FROM pg_stat_activity`,
    );
    const before = relay.octets;
    await sleep(CALM_MS);
    const calm = ((relay.octets - before) / count / CALM_MS) * 1000;
    const kept = join(stage.directory, 'node-0/kept/files');
    const disk = readdirSync(kept).reduce((sum, name) => sum + statSync(join(kept, name)).size, 0);
    const say = (text: string) => process.stdout.write(`fleet: ${count} nodes: ${text}\n`);
    say(`connections ${((row?.connections ?? 0) / count).toFixed(1)} a node`);
    say(`first start ${kilobytes(first)} a node, of ${FILES} files with ${kilobytes(disk)} on its disk`);
    say(
      `disable: ${kilobytes(octets)} a node; all have it after p50 ${Math.round(sorted[10] ?? 0)} ms, worst ${Math.round(sorted.at(-1) ?? 0)} ms`,
    );
    say(`push of one changed file: ${kilobytes(pushed.octets)} a node; all have it after ${Math.round(pushed.ms)} ms`);
    say(`at rest ${calm.toFixed(0)} octets a second and node`);
    say(`memory of this process ${Math.round(process.memoryUsage().rss / 1e6)} MB`);
  } finally {
    relay.close();
    await stage.stop();
  }
}

await longWork('bench-fleet', SIZES.length, async (progress) => {
  for (const [index, count] of SIZES.entries()) {
    progress.at(index, `${count} nodes`);
    progress.clear();
    await measured(count);
  }
  return 0;
});
