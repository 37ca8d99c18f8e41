/**
 * What the RPC interface costs: a target beside a no-op server on the same transport, in the same run, with the same
 * request text and answers of the same size; rounds alternate, and the ratio of each pair is taken.
 *
 *   node --import tsx test/bench/rpc.ts                                   a dummy method on our own wire
 *   node --import tsx test/bench/rpc.ts --target 127.0.0.1:5080 --requests peer.jsonl
 *
 * --requests  JSON Lines, each a request without id, sent in turn
 * --pid       of the target: adds its processor time per request, which other load on the machine disturbs less
 * --rounds, --seconds  of each measurement (5, 2); --json prints one JSON object instead of the table
 */

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { createDispatcher } from '../../src/rpc/dispatch/dispatcher.js';
import { defineMethod } from '../../src/rpc/dispatch/method.js';
import { listenTcp } from '../../src/rpc/wire/tcp.js';
import { NetstringClient } from '../support/wires.js';
import type { LoadOrder, LoadResult } from './load.js';

const WARM_MS = 500;

interface Scenario {
  readonly name: string;
  readonly connections: number;
  readonly inFlight: number;
  readonly rate?: number;
}

const SCENARIOS: readonly Scenario[] = [
  { name: '1 connection, 1 in flight', connections: 1, inFlight: 1 },
  { name: '4 connections, 8 in flight each', connections: 4, inFlight: 8 },
  { name: '4 connections, 2,000 requests/s', connections: 4, inFlight: 0, rate: 2000 },
];

interface Side {
  readonly host: string;
  readonly port: number;
  readonly pid: number | undefined;
}

/** A measurement, with the processor time that the server spent on a request in µs (NaN: unknown). */
interface Measured extends LoadResult {
  readonly cpu: number;
}

interface Row {
  readonly scenario: string;
  readonly target: Measured;
  readonly noop: Measured;
  /** Throughput of the target over that of the no-op server: median, least and largest of the rounds. */
  readonly ratio: readonly [number, number, number];
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** A request and an answer of the size of a real `trust.peer` on TLS. */
const DUMMY_REQUEST = JSON.stringify({
  jsonrpc: '2.0',
  method: 'dummy',
  params: {
    direction: 'in',
    proto: 'tls',
    conid: '5',
    src_ip: '192.0.2.1',
    src_port: '5061',
    tls: { pem: 'x'.repeat(1586), verified: '1', version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
  },
});
const DUMMY_ANSWER = {
  verdict: 'trusted',
  trusted: 1,
  domains: ['b.example'],
  reasons: ['trusted'],
  text: 'x'.repeat(300),
};

async function serveDummy(): Promise<void> {
  const params = z.looseObject({ direction: z.enum(['in', 'out']) });
  const dummy = defineMethod({ name: 'dummy', role: 'script', doc: 'a constant', params, handler: () => DUMMY_ANSWER });
  const { address } = await listenTcp({ dispatch: createDispatcher([dummy]), port: 0 });
  process.stdout.write(`${address.split(':')[1]}\n`);
}

/** Starts a server of this directory that prints its port. */
function startServer(file: string, ...args: string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, ['--import', 'tsx', here(file), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
    child.stdout?.once('data', (text: Buffer) => resolve({ child, port: Number(text.toString()) }));
  });
}

/** Has one load generator, of a process of its own, carry out an order. */
function load(order: LoadOrder): Promise<LoadResult> {
  const child = fork(here('./load.ts'), { execArgv: ['--import', 'tsx'] });
  return new Promise((resolve, reject) => {
    child.once('message', (result) => {
      resolve(result as LoadResult);
      child.kill();
    });
    child.once('exit', (code) => reject(new Error(`the load generator ended with ${code}`)));
    child.send(order);
  });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function medianResult(results: readonly Measured[]): Measured {
  const of = (key: keyof Measured) => median(results.map((result) => result[key]));
  return { perSecond: of('perSecond'), p50: of('p50'), p99: of('p99'), count: of('count'), cpu: of('cpu') };
}

/** Processor time that a process has spent, in µs: utime and stime of proc(5), in ticks of 10 ms. */
function processorTime(pid: number | undefined): number {
  if (pid === undefined) return Number.NaN;
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function answerBytes(host: string, port: number, request: string): Promise<number> {
  const client = new NetstringClient({ host, port });
  const answer = await client.ask(`${request.trim().slice(0, -1)},"id":1}`);
  client.destroy();
  if ((answer as { error?: unknown }).error !== undefined)
    throw new Error(`the target answers ${JSON.stringify(answer)}`);
  return JSON.stringify(answer).length;
}

async function measure(
  scenario: Scenario,
  sides: { readonly target: Side; readonly noop: Side },
  options: { readonly requests: readonly string[]; readonly rounds: number; readonly seconds: number },
): Promise<Row> {
  const results: Record<'target' | 'noop', Measured[]> = { target: [], noop: [] };
  for (let round = 0; round < options.rounds; round += 1) {
    // Who goes first alternates too.
    for (const side of round % 2 === 0 ? (['noop', 'target'] as const) : (['target', 'noop'] as const)) {
      const { requests, seconds } = options;
      const { host, port, pid } = sides[side];
      const before = processorTime(pid);
      const result = await load({ host, port, ...scenario, requests, warmMs: WARM_MS, measureMs: seconds * 1000 });
      const answered = result.perSecond * (seconds + WARM_MS / 1000);
      results[side].push({ ...result, cpu: (processorTime(pid) - before) / answered });
    }
  }
  const ratios = results.target.map(
    ({ perSecond }, round) => perSecond / (results.noop[round]?.perSecond ?? Number.NaN),
  );
  return {
    scenario: scenario.name,
    target: medianResult(results.target),
    noop: medianResult(results.noop),
    ratio: [median(ratios), Math.min(...ratios), Math.max(...ratios)],
  };
}

function table(rows: readonly Row[]): string {
  const number = (value: number) => Math.round(value).toLocaleString('en');
  const lines = rows.map(({ scenario, target, noop, ratio: [middle, least, largest] }) =>
    [
      scenario,
      `${number(target.perSecond)} / ${number(noop.perSecond)}`,
      `${middle.toFixed(2)} (${least.toFixed(2)}-${largest.toFixed(2)})`,
      `${number(target.p50)} / ${number(noop.p50)}`,
      `${number(target.p99)} / ${number(noop.p99)}`,
      Number.isNaN(target.cpu) ? '-' : `${target.cpu.toFixed(1)} / ${noop.cpu.toFixed(1)}`,
    ].join(' | '),
  );
  return [
    'Load | requests/s, target / no-op | ratio (spread) | p50 µs | p99 µs | processor µs',
    '---|---|---|---|---|---',
    ...lines,
    '',
  ].join('\n');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string' },
      requests: { type: 'string' },
      pid: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      json: { type: 'boolean', default: false },
      'serve-dummy': { type: 'boolean', default: false },
    },
  });
  if (values['serve-dummy']) return serveDummy();
  if ((values.target === undefined) !== (values.requests === undefined)) {
    throw new Error('expected --target and --requests together');
  }
  const requests =
    values.requests === undefined ? [DUMMY_REQUEST] : readFileSync(values.requests, 'utf8').trim().split('\n');

  const children: ChildProcess[] = [];
  try {
    let target: Side;
    if (values.target === undefined) {
      const dummy = await startServer('./rpc.ts', '--serve-dummy');
      children.push(dummy.child);
      target = { host: '127.0.0.1', port: dummy.port, pid: dummy.child.pid };
    } else {
      const [host = '', port = ''] = values.target.split(/:(?=\d+$)/);
      target = { host, port: Number(port), pid: values.pid === undefined ? undefined : Number(values.pid) };
    }
    const bytes = await answerBytes(target.host, target.port, requests[0] ?? '');
    const noop = await startServer('./noop-server.ts', String(bytes));
    children.push(noop.child);

    const options = { requests, rounds: Number(values.rounds), seconds: Number(values.seconds) };
    const sides = { target, noop: { host: '127.0.0.1', port: noop.port, pid: noop.child.pid } };
    const rows: Row[] = [];
    for (const scenario of SCENARIOS) {
      rows.push(await measure(scenario, sides, options));
    }
    process.stdout.write(
      values.json
        ? `${JSON.stringify({ requestBytes: requests[0]?.length, answerBytes: bytes, rows })}\n`
        : table(rows),
    );
  } finally {
    for (const child of children) child.kill();
  }
}

await main();
