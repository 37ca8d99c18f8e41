/**
 * All measurements, about three minutes on two processors: `make bench`. Each is a ratio to something that runs beside
 * it in the same run; docs/performance.md says what they mean. `--json FILE` keeps the numbers.
 */

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { longWork } from '../support/live/long-work.js';
import { runDirectory } from '../support/live/places.js';
import { measureAnswers } from './answers.js';
import { measureCalls } from './calls.js';
import { measureNewCertificates } from './new-certificate.js';

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

type Row = readonly [what: string, measured: string, target: string];

function ratioText([middle, least, largest]: readonly [number, number, number]): string {
  return `${middle.toFixed(2)} (${least.toFixed(2)} to ${largest.toFixed(2)})`;
}

async function answers(directory: string): Promise<Row[]> {
  return (await measureAnswers(directory)).flatMap(({ question, decisionLog, rows }) =>
    rows.map(({ scenario, target, noop, ratio }): Row => {
      const paced = scenario.includes('requests/s');
      const cost = `${target.cpu.toFixed(1)} / ${noop.cpu.toFixed(1)} µs of processor`;
      const measured = paced
        ? `p99 ${(target.p99 / 1000).toFixed(2)} ms (no-op ${(noop.p99 / 1000).toFixed(2)} ms)`
        : `${ratioText(ratio)} of a no-op server; ${Math.round(target.perSecond).toLocaleString('en')}/s; ${cost}`;
      const sought = paced ? 'p99 < 1 ms' : scenario.startsWith('4') ? 'at least 0.7' : '';
      return [
        `${question}, decision log ${decisionLog}, ${scenario}`,
        measured,
        question === 'warm trust.peer' ? sought : '',
      ];
    }),
  );
}

function newCertificates(directory: string): Row[] {
  const { siptrust, node, ratio } = measureNewCertificates(directory);
  return [
    [
      'new certificate, path over one intermediate',
      `${ratioText(ratio)} times node:crypto; ${siptrust.toFixed(0)} / ${node.toFixed(0)} µs`,
      'at most 4',
    ],
  ];
}

async function calls(): Promise<Row[]> {
  const cost = await measureCalls();
  const times = `${cost.with.toFixed(2)} / ${cost.without.toFixed(2)} ms of processor a call; ${cost.failed} calls failed`;
  return [['calls of a processor, plugin / none, known connection', `${ratioText(cost.ratio)}; ${times}`, '']];
}

/** A measurement that prints a table of its own. */
function printed(file: string, ...flags: string[]): Promise<void> {
  const child = spawn('node', [...flags, '--import', 'tsx', here(file)], { stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${file} ended with ${code}`))));
  });
}

const { values } = parseArgs({ options: { json: { type: 'string' } } });
await longWork('bench', 5, async (progress) => {
  const { path } = runDirectory();
  console.log(`${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}\n`);
  progress.at(0, 'answers beside a no-op server');
  const rows = await answers(path);
  progress.at(1, 'new certificates beside node:crypto');
  rows.push(...newCertificates(path));
  progress.at(2, 'calls with the plugin and without');
  rows.push(...(await calls()));
  progress.clear();
  console.log(['What | Measured: median (least to largest) | Target', '---|---|---'].join('\n'));
  for (const row of rows) console.log(row.join(' | '));
  console.log('');
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
  for (const [index, file] of ['./prefix-table.ts', './crl.ts'].entries()) {
    progress.at(3 + index, file);
    progress.clear();
    await printed(file, '--expose-gc');
  }
  return 0;
});
