/**
 * `make bench-plugin`: what the plugin costs Kamailio, in instructions, beside the same proxy without it. Calls of INVITE,
 * 180, 200, ACK, BYE, 200 over connections that are known (and, on the way out, proven); then how long a process waits
 * for an answer. `--keep DIR` keeps the counts
 * by function, for callgrind_annotate.
 */

import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { installedBuild } from '../../support/live/kamailio.js';
import { longWork } from '../../support/live/long-work.js';
import { Network } from '../../support/live/network.js';
import { runDirectory } from '../../support/live/places.js';
import { scriptWithout } from '../../support/live/plain-script.js';
import { TlsUas } from '../../support/live/uas.js';
import { callgrind, Instructions } from './callgrind.js';
import { call, callers, VARIANTS, type Variant } from './variants.js';
import { waits } from './waits.js';

/** The least of some batches: what a busy machine adds are messages that were sent twice. */
const BATCHES = 3;
const CALLS = 8;
const WARM = 3;

const { keep, only } = parseArgs({ options: { keep: { type: 'string' }, only: { type: 'string' } } }).values;

/** Instructions of a call of each of these variants, through our proxy with siptrust or without. */
async function count(variants: readonly Variant[], plain: boolean): Promise<ReadonlyMap<string, number>> {
  const counts = runDirectory();
  const network = await Network.start({
    build: installedBuild(),
    allocator: 'tlsf',
    under: callgrind(counts.path),
    defines: () => ({ TRANSIT: '' }),
    policy: (standard, host) => ({
      ...standard,
      agreements: standard.agreements.map((each) =>
        each.name === 'op-b' ? { ...each, targets: [`${host(10)}:5061`] } : each,
      ),
    }),
    ...(plain ? { plain, script: scriptWithout } : {}),
  });
  const { operatorB } = network.cast;
  const at = (host: number, name: string) =>
    TlsUas.start(network.host(host), network.pki.certificate({ issuer: operatorB, names: [`DNS:${name}`] }));
  const places = [await at(10, 'b.example'), await at(11, 'stranger.example')];
  try {
    const from = await callers(network);
    const address = (host: number) => `sip:bob@${network.host(host)}:5061;transport=tls`;
    const to = {
      own: 'sip:bob@own.example',
      partner: plain ? address(10) : 'sip:bob@b.example',
      stranger: address(11),
    };
    const instructions = new Instructions(network.cscf.pid, counts.path);
    const found = new Map<string, number>();
    for (const variant of variants) {
      const calls = async (n: number) => {
        for (let i = 0; i < n; i += 1) await call(from[variant.from], to[variant.to], variant);
      };
      await warm(network, variant, plain, calls);
      const batches: number[] = [];
      for (let batch = 0; batch < BATCHES; batch += 1) {
        await instructions.zero();
        await calls(CALLS);
        batches.push((await instructions.total()) / CALLS);
      }
      found.set(variant.name, Math.min(...batches));
      if (keep !== undefined) {
        const place = join(keep, plain ? `none-${variant.floor}` : variant.name);
        mkdirSync(place, { recursive: true });
        cpSync(counts.path, place, { recursive: true, filter: (file) => !file.includes('vgdb') });
      }
    }
    return found;
  } finally {
    for (const each of places) each.stop();
    await network.stop();
    counts.remove();
  }
}

/**
 * Calls until one has gone as it should, over a connection that is known, and, to a partner, proven: the first ones of a
 * Kamailio that valgrind is still translating may end by a timer.
 */
async function warm(
  network: Network,
  { name }: Variant,
  plain: boolean,
  calls: (n: number) => Promise<void>,
): Promise<void> {
  let last: unknown;
  for (let i = 0; i < 12; i += 1) {
    const before = plain ? 0 : network.cscf.statistic('siptrust_out_trusted');
    try {
      await calls(WARM);
      if (plain || name !== 'outbound' || network.cscf.statistic('siptrust_out_trusted') > before) return;
      last = new Error('no connection to b.example was proven');
    } catch (error) {
      last = error;
    }
    // A sidecar that missed a time limit is asked again when the poll has heard it.
    await pause(1000);
  }
  throw new Error(
    `${name}: no call succeeds\n${network.cscf.log
      .split('\n')
      .filter((l) => l.includes('siptrust:'))
      .join('\n')}`,
    { cause: last },
  );
}

const wanted = VARIANTS.filter(({ name }) => only === undefined || only.split(',').includes(name));
const floors = (['in', 'out'] as const)
  .flatMap((floor) => VARIANTS.find((each) => each.floor === floor) ?? [])
  .filter(({ floor }) => wanted.some((each) => each.floor === floor));
const whole = (n: number) => Math.round(n).toLocaleString('en');
await longWork('bench-plugin', 3, async (progress) => {
  progress.at(0, 'instructions without the plugin');
  const without = await count(floors, true);
  const floor = new Map(floors.map((each) => [each.floor, without.get(each.name) ?? Number.NaN]));
  progress.clear();
  for (const [name, value] of floor)
    console.log(`instructions a call: none (${name}) ${whole(value)} (1.00 of no plugin)`);
  progress.at(1, 'instructions with it');
  const counts = await count(wanted, false);
  progress.clear();
  for (const [name, value] of counts) {
    const variant = VARIANTS.find((each) => each.name === name);
    const ratio = value / (variant === undefined ? Number.NaN : (floor.get(variant.floor) ?? Number.NaN));
    console.log(`instructions a call: ${name} ${whole(value)} (${ratio.toFixed(2)} of no plugin)`);
  }
  if (only !== undefined) return 0;
  progress.at(2, 'how long a process waits');
  const times = await waits();
  progress.clear();
  for (const { question, p50, p99 } of times)
    console.log(`wait of a process: ${question}, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
  return 0;
});
