/**
 * How long a process of Kamailio waits for siptrustd, over the HTTP connection that it keeps: the verdict on a new
 * connection (with a certificate that is known, and with a new one) and the plan of a message, beside a question that costs nothing.
 */

import { performance } from 'node:perf_hooks';
import { request } from '../../support/live/caller.js';
import { installedBuild } from '../../support/live/kamailio.js';
import { Network } from '../../support/live/network.js';

const EACH = 200;
/** Certificates that nobody has shown before. */
const FRESH = 60;

export interface Wait {
  readonly question: string;
  readonly p50: number;
  readonly p99: number;
}

const MESSAGE = request({
  headers: [
    'P-Asserted-Identity: "Alice" <sip:alice@a.example>, <tel:+4930123456>',
    'History-Info: <sip:carol@a.example?Privacy=history>;index=1, <sip:bob@own.example;cause=302>;index=1.1',
    'Privacy: id;history',
  ],
});

/** Milliseconds, in rounds of one question of each kind. */
export async function waits(): Promise<readonly Wait[]> {
  const network = await Network.start({ build: installedBuild(), allocator: 'tlsf' });
  try {
    const url = `http://${network.host(1)}:7061/rpc`;
    const ask = async (method: string, params: Readonly<Record<string, unknown>> = {}): Promise<number> => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
      const start = performance.now();
      const answer = await (
        await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
      ).text();
      const took = performance.now() - start;
      if (!answer.includes('"result"')) throw new Error(`${method}: ${answer}`);
      return took;
    };
    let conid = 1_000_000;
    const peer = (pem: string) => {
      conid += 1;
      const tls = { pem, verified: '1', version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };
      const source = { src_ip: network.host(20), src_port: String(1024 + (conid % 60_000)) };
      return {
        direction: 'in',
        proto: 'tls',
        conid: String(conid),
        ...source,
        rcv_ip: network.address,
        rcv_port: '5061',
        tls,
      };
    };
    const known = network.certificateOfA().pem;
    const fresh = Array.from({ length: FRESH }, () => network.certificateOfA().pem);
    const raw_b64 = Buffer.from(MESSAGE, 'latin1').toString('base64');
    const plan = { direction: 'out', proto: 'udp', src_ip: network.host(30), message: 'request', raw_b64 };
    const kinds: readonly (readonly [string, (round: number) => Promise<number> | undefined])[] = [
      ['what the poll asks', () => ask('core.status')],
      ['verdict, new connection', () => ask('trust.peer', peer(known))],
      [
        'verdict, new certificate',
        (round) => (fresh[round] === undefined ? undefined : ask('trust.peer', peer(fresh[round]))),
      ],
      ['plan of an INVITE', () => ask('trust.message', plan)],
    ];
    for (const [, once] of kinds) await once(FRESH);
    const found = new Map<string, number[]>(kinds.map(([question]) => [question, []]));
    for (let round = 0; round < EACH; round += 1) {
      for (const [question, once] of kinds) {
        const took = await once(round);
        if (took !== undefined) found.get(question)?.push(took);
      }
    }
    return [...found].map(([question, each]) => {
      const sorted = each.sort((a, b) => a - b);
      const at = (part: number): number =>
        sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
      return { question, p50: at(0.5), p99: at(0.99) };
    });
  } finally {
    await network.stop();
  }
}
