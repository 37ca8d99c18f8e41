/** What TLS itself costs, apart from calls: a full handshake, a resumed one, and the verdict on a certificate. */

import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { createNetstringParser, netstring } from '../../../src/rpc/wire/netstring.js';
import type { Identity } from '../../support/live/pki.js';
import { processorTime } from '../../support/live/processes.js';
import type { Stage } from './stage.js';

/** One round of one of them. */
export interface StepSample {
  readonly count: number;
  /** Processor time in µs of the side that is measured: the proxy, or siptrustd. */
  readonly microseconds: number;
  /** Time in µs as the asking side sees it, median. */
  readonly wall: number;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function measured(pid: number, count: number, step: () => Promise<void>): Promise<StepSample> {
  const walls: number[] = [];
  const before = processorTime(pid);
  for (let at = 0; at < count; at += 1) {
    const start = performance.now();
    await step();
    walls.push((performance.now() - start) * 1000);
  }
  return { count, microseconds: ((processorTime(pid) - before) * 1000) / count, wall: median(walls) };
}

/** One connection; resolves with its session when the server has given a ticket. */
function handshake(host: string, identity: Pick<Identity, 'certificate' | 'key'>, session?: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connectTls({
      ...{ host, port: 5061, rejectUnauthorized: false },
      ...{ cert: readFileSync(identity.certificate), key: readFileSync(identity.key) },
      ...(session === undefined ? {} : { session }),
    });
    socket.once('error', reject);
    socket.once('session', (ticket: Buffer) => {
      if (socket.isSessionReused() !== (session !== undefined)) {
        reject(new Error(`expected a ${session ? 'resumed' : 'full'} handshake, found the other`));
      }
      socket.destroy();
      resolve(ticket);
    });
  });
}

export async function fullHandshakes({ network, partner }: Stage, count: number): Promise<StepSample> {
  return measured(network.cscf.pid, count, async () => {
    await handshake(network.address, partner);
  });
}

export async function resumedHandshakes({ network, partner }: Stage, count: number): Promise<StepSample> {
  let session = await handshake(network.address, partner);
  return measured(network.cscf.pid, count, async () => {
    session = await handshake(network.address, partner, session);
  });
}

/** Questions one after the other over one netstring connection, as janssonrpcc asks them. */
class Asker {
  readonly #socket: Socket;
  #answered: (frame: Buffer) => void = () => {};

  constructor(host: string) {
    this.#socket = connect({ host, port: 7060, noDelay: true });
    const parser = createNetstringParser();
    this.#socket.on('data', (chunk) => parser.push(chunk, (frame) => this.#answered(frame)));
  }

  async ask(params: unknown): Promise<Readonly<Record<string, unknown>>> {
    const frame = await new Promise<Buffer>((resolve) => {
      this.#answered = resolve;
      this.#socket.write(netstring(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'trust.peer', params })));
    });
    const { result, error } = JSON.parse(frame.toString()) as { result?: Record<string, unknown>; error?: unknown };
    if (result === undefined) throw new Error(`expected a result, found ${JSON.stringify(error)}`);
    return result;
  }

  close(): void {
    this.#socket.destroy();
  }
}

let connection = 1_000_000;

/** The verdict on connections that present these certificates in turn. */
export async function verdicts({ network }: Stage, pems: readonly string[], count: number): Promise<StepSample> {
  const asker = new Asker(network.daemon.host);
  try {
    let at = 0;
    return await measured(network.daemon.pid, count, async () => {
      connection += 1;
      const tls = { pem: pems[at % pems.length], verified: '1', version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };
      at += 1;
      const seen = { src_ip: network.host(20), src_port: '40000', rcv_ip: network.address, rcv_port: '5061' };
      const { trusted } = await asker.ask({ direction: 'in', proto: 'tls', conid: String(connection), ...seen, tls });
      if (trusted !== 1) throw new Error('expected a trusted peer');
    });
  } finally {
    asker.close();
  }
}
