/**
 * All measurements, about three minutes on two processors: `make bench`. Each is a ratio to something that runs beside
 * it in the same run; docs/performance.md says what they mean. `--json FILE` keeps the numbers.
 */

import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { Child, run } from '../support/live/child.js';
import { Pki } from '../support/live/pki.js';
import { eventually, loopbackBlock, runDirectory } from '../support/live/places.js';
import { measureCalls } from './calls.js';
import { measureNewCertificates } from './new-certificate.js';

const PROGRAM = process.env.SIPTRUST_DAEMON ?? fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** Peers whose questions are sent in turn. */
const CONNECTIONS = 64;

type Row = readonly [what: string, measured: string, target: string];

interface RpcRow {
  readonly scenario: string;
  readonly target: { readonly perSecond: number; readonly p99: number; readonly cpu: number };
  readonly noop: { readonly perSecond: number; readonly p99: number; readonly cpu: number };
  readonly ratio: readonly [number, number, number];
}

function ratioText([middle, least, largest]: readonly [number, number, number]): string {
  return `${middle.toFixed(2)} (${least.toFixed(2)} to ${largest.toFixed(2)})`;
}

/** Warm `trust.peer` over netstrings: one daemon with its decision log, one without. */
async function warmAnswers(directory: string): Promise<Row[]> {
  const host = loopbackBlock();
  const pki = new Pki(join(directory, 'pki'));
  const operator = pki.authority('Operator A');
  const { pem } = pki.certificate({ issuer: operator, names: ['DNS:a.example'], commonName: 'a.example' });
  const tls = { pem, verified: '1', version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };
  const requests = join(directory, 'requests.jsonl');
  const lines = Array.from({ length: CONNECTIONS }, (_, at) => {
    const peer = { src_ip: '192.0.2.1', src_port: String(40_000 + at), rcv_ip: '192.0.2.2', rcv_port: '5061' };
    const params = { direction: 'in', proto: 'tls', conid: String(at + 1), ...peer, tls };
    return JSON.stringify({ jsonrpc: '2.0', method: 'trust.peer', params });
  });
  writeFileSync(requests, `${lines.join('\n')}\n`);

  const rows: Row[] = [];
  for (const [name, address, log] of [
    ['decision log off', host(1), {}],
    ['decision log on', host(2), { decisions: join(directory, 'decisions') }],
  ] as const) {
    const config = join(directory, `${address}.yaml`);
    const agreement = {
      ...{ name: 'op-a', domains: ['a.example'], mechanism: 'tls', interconnect: 'non-roaming', revocation: 'off' },
      anchors: [operator.certificate],
    };
    const listen = { netstring: `${address}:7060`, http: 'off', unix: 'off' };
    const policy = { own_domains: ['own.example'], agreements: [agreement], daemon: { listen, log } };
    writeFileSync(config, stringify(policy), { mode: 0o600 });
    const daemon = new Child('node', [PROGRAM, '--config', config], { cwd: directory });
    try {
      await eventually('siptrustd is ready', () => daemon.output.includes('siptrustd is ready'));
      const output = await run('node', [
        ...['--import', 'tsx', here('./rpc.ts'), '--target', `${address}:7060`, '--requests', requests],
        ...['--pid', String(daemon.pid), '--rounds', '3', '--seconds', '1', '--json'],
      ]);
      const { rows: measured } = JSON.parse(output) as { readonly rows: readonly RpcRow[] };
      for (const { scenario, target, noop, ratio } of measured) {
        const paced = scenario.includes('requests/s');
        const cost = `${target.cpu.toFixed(1)} / ${noop.cpu.toFixed(1)} µs of processor`;
        rows.push([
          `warm trust.peer, ${name}, ${scenario}`,
          paced
            ? `p99 ${(target.p99 / 1000).toFixed(2)} ms (no-op ${(noop.p99 / 1000).toFixed(2)} ms)`
            : `${ratioText(ratio)} of a no-op server; ${Math.round(target.perSecond).toLocaleString('en')}/s; ${cost}`,
          paced ? 'p99 < 1 ms' : scenario.startsWith('4') ? 'at least 0.7' : '',
        ]);
      }
    } finally {
      await daemon.stop();
    }
  }
  return rows;
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
const { path, remove } = runDirectory();
try {
  console.log(`${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}\n`);
  const rows = [...(await warmAnswers(path)), ...newCertificates(path), ...(await calls())];
  console.log(['What | Measured: median (least to largest) | Target', '---|---|---'].join('\n'));
  for (const row of rows) console.log(row.join(' | '));
  console.log('');
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
  await printed('./prefix-table.ts', '--expose-gc');
  if (existsSync(here('./crl.ts'))) await printed('./crl.ts', '--expose-gc');
} finally {
  remove();
}
