/**
 * What an answer costs, over netstrings: warm `trust.peer` (a verdict that is known), and `trust.message` (the plan way)
 * with the plan of an INVITE that leaves for a stranger, each beside a server that does nothing. All of it from one daemon in one run.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { Child, run } from '../support/live/child.js';
import { Pki } from '../support/live/pki.js';
import { eventually, loopbackBlock } from '../support/live/places.js';

const PROGRAM = process.env.SIPTRUST_DAEMON ?? fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const LOAD = fileURLToPath(new URL('./rpc.ts', import.meta.url));

/** Peers whose questions are sent in turn. */
const CONNECTIONS = 64;

export interface AnswerCost {
  readonly scenario: string;
  readonly target: { readonly perSecond: number; readonly p99: number; readonly cpu: number };
  readonly noop: { readonly perSecond: number; readonly p99: number; readonly cpu: number };
  /** Throughput over that of the server that does nothing: median, least, largest. */
  readonly ratio: readonly [number, number, number];
}

export interface MeasuredAnswers {
  readonly question: string;
  readonly decisionLog: 'off' | 'on';
  readonly rows: readonly AnswerCost[];
}

type Evidence = Readonly<Record<string, unknown>>;

/** An INVITE of a trusted network with what a plan has to look into: 1 KB, as a proxy sends it. */
function message(): string {
  const rows = [
    'INVITE sip:bob@own.example;cpc=operator SIP/2.0',
    'Via: SIP/2.0/TLS sbc.a.example;branch=z9hG4bKnashds8',
    'Record-Route: <sip:sbc.a.example;lr>',
    'Max-Forwards: 69',
    'From: "Alice" <sip:alice@a.example>;tag=1928301774',
    'To: <sip:bob@own.example>',
    'Call-ID: a84b4c76e66710@a.example',
    'CSeq: 314159 INVITE',
    'Contact: <sip:alice@192.0.2.1:5061;transport=tls>;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel"',
    'P-Asserted-Identity: "Alice" <sip:alice@a.example>, <tel:+4930123456>',
    'P-Charging-Vector: icid-value="AyretyU0dm+6O2IrT5tAFrbHLso=023551024";orig-ioi=a.example',
    'History-Info: <sip:carol@a.example?Privacy=history>;index=1, <sip:bob@own.example;cause=302>;index=1.1',
    'Privacy: id;history',
    'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK',
    'Content-Type: application/sdp',
    'Content-Length: 0',
  ];
  return `${rows.join('\r\n')}\r\n\r\n`;
}

/** Questions by name, for each of the peers one. */
function questions(pem: string): ReadonlyMap<string, readonly string[]> {
  const tls = { pem, verified: '1', version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };
  const peers = Array.from({ length: CONNECTIONS }, (_, at): Evidence => {
    const peer = { src_ip: '192.0.2.1', src_port: String(40_000 + at), rcv_ip: '192.0.2.2', rcv_port: '5061' };
    return { direction: 'in', proto: 'tls', conid: String(at + 1), ...peer, tls };
  });
  const raw_b64 = Buffer.from(message()).toString('base64');
  const outbound = { direction: 'out', proto: 'udp', src_ip: '198.51.100.1', message: 'request', raw_b64 };
  const text = (method: string, params: unknown) => JSON.stringify({ jsonrpc: '2.0', method, params });
  return new Map([
    ['warm trust.peer', peers.map((peer) => text('trust.peer', peer))],
    ['trust.message', [text('trust.message', outbound)]],
  ]);
}

/** Measures the questions with the decision log off and, `trust.peer` alone, on. */
export async function measureAnswers(directory: string, rounds = 3, seconds = 1): Promise<readonly MeasuredAnswers[]> {
  const host = loopbackBlock();
  const pki = new Pki(join(directory, 'pki'));
  const operator = pki.authority('Operator A');
  const { pem } = pki.certificate({ issuer: operator, names: ['DNS:a.example'], commonName: 'a.example' });
  const asked = [...questions(pem)];
  const measured: MeasuredAnswers[] = [];
  for (const [decisionLog, address, log] of [
    ['off', host(1), {}],
    ['on', host(2), { decisions: join(directory, 'decisions') }],
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
      for (const [question, lines] of decisionLog === 'off' ? asked : asked.slice(0, 1)) {
        const requests = join(directory, 'requests.jsonl');
        writeFileSync(requests, `${lines.join('\n')}\n`);
        const output = await run('node', [
          ...['--import', 'tsx', LOAD, '--target', `${address}:7060`, '--requests', requests],
          ...['--pid', String(daemon.pid), '--rounds', String(rounds), '--seconds', String(seconds), '--json'],
        ]);
        const { rows } = JSON.parse(output) as { readonly rows: readonly AnswerCost[] };
        measured.push({ question, decisionLog, rows });
      }
    } finally {
      await daemon.stop();
    }
  }
  return measured;
}
