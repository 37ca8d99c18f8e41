/**
 * What the ways to tell a peer network cost (docs/tls-versus-ipsec.md): no check, an address list, siptrust by path and
 * by TLS, one question per message, one connection per call; and a handshake, a resumed one and a verdict apart. All in
 * one run, in rounds that alternate. `make bench-lab`; `--rounds 1 --calls 100 --out DIR` tries it out.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Progress } from '../../../src/ctl/long-work/index.js';
import { installedBuild } from '../../support/live/kamailio.js';
import { longWork } from '../../support/live/long-work.js';
import { seeded } from '../../support/random.js';
import { type CallSample, sample } from './calls.js';
import { fullHandshakes, resumedHandshakes, type StepSample, verdicts } from './handshakes.js';
import { plot } from './plot.js';
import { csv, type Results, spread, tables } from './results.js';
import { openStage } from './stage.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    calls: { type: 'string', default: '600' },
    out: { type: 'string', default: fileURLToPath(new URL('../../../docs', import.meta.url)) },
  },
});
const rounds = Number(values.rounds);
const calls = Number(values.calls);
/** A handshake costs some calls: fewer of them take as long. */
const handshakes = Math.max(10, Math.round(calls / 10));

/** What comes before a thing tells on it: each round has an order of its own. */
const order = seeded(20_260_701);

async function measure(progress: Progress): Promise<Results> {
  const [before = 0] = loadavg();
  const stage = await openStage();
  try {
    const { network, partner, ways } = stage;
    const steps = [
      { name: 'full TLS handshake, at the proxy', run: () => fullHandshakes(stage, handshakes) },
      { name: 'resumed TLS handshake, at the proxy', run: () => resumedHandshakes(stage, handshakes) },
      { name: 'verdict on a known certificate, at siptrustd', run: () => verdicts(stage, [partner.pem], calls) },
      {
        name: 'verdict on a new certificate, at siptrustd',
        run: () => {
          const pems = Array.from({ length: 20 }, () => network.certificateOfA().pem);
          return verdicts(stage, pems, pems.length);
        },
      },
    ];
    const callSamples = ways.map((): CallSample[] => []);
    const stepSamples = steps.map((): StepSample[] => []);
    const callsOf = (uri: string | undefined) => (uri === undefined ? handshakes : calls);
    // Opens the connections, and has siptrustd asked; nothing of it counts.
    for (const way of ways) await sample(stage, way, 20);
    for (let round = 0; round < rounds; round += 1) {
      progress.at(round, `round ${round + 1} of ${rounds}`);
      for (const [at, way] of order.shuffle([...ways.entries()])) {
        callSamples[at]?.push(await sample(stage, way, callsOf(way.uri)));
      }
      for (const [at, step] of order.shuffle([...steps.entries()])) stepSamples[at]?.push(await step.run());
    }
    return {
      at: new Date().toISOString().slice(0, 16).replace('T', ' '),
      machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`,
      kamailio: installedBuild().version,
      rounds,
      load: [before, loadavg()[0] ?? 0],
      ways: ways.map(({ name, letter }, at) => ({ name, letter, samples: callSamples[at] ?? [] })),
      steps: steps.map(({ name }, at) => ({ name, samples: stepSamples[at] ?? [] })),
    };
  } finally {
    await stage.stop();
  }
}

await longWork('bench-lab', rounds, async (progress) => {
  const results = await measure(progress);
  const panel = (title: string, rows: readonly { name: string; numbers: readonly number[] }[]) => ({
    title,
    rows: rows.map(({ name, numbers }) => ({ name, spread: spread(numbers) })),
  });
  const picture = plot([
    panel(
      'Processor time of the proxy for a message, µs',
      results.ways.map(({ name, samples }) => ({ name, numbers: samples.map((each) => each.proxyMicroseconds) })),
    ),
    panel(
      'Calls a second, everything on this machine',
      results.ways.map(({ name, samples }) => ({ name, numbers: samples.map((each) => each.callsPerSecond) })),
    ),
    panel(
      'Processor time of one step, µs',
      results.steps.map(({ name, samples }) => ({ name, numbers: samples.map((each) => each.microseconds) })),
    ),
  ]);
  const data = join(values.out, 'data');
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, 'tls-versus-ipsec.json'), `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(join(data, 'tls-versus-ipsec.csv'), csv(results));
  writeFileSync(join(values.out, 'tls-versus-ipsec.svg'), picture);
  writeFileSync(join(values.out, 'tls-versus-ipsec-results.md'), tables(results));
  progress.clear();
  console.log(tables(results));
  return 0;
});
