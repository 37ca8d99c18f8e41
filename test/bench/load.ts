/** The load generator of rpc.ts, in a process of its own: reads one LoadOrder from its parent, sends back one LoadResult. */

import { connect, type Socket } from 'node:net';
import { createNetstringParser, netstring } from '../../src/rpc/wire/netstring.js';

export interface LoadOrder {
  readonly port: number;
  readonly host: string;
  /** Requests without an id member, sent in turn. */
  readonly requests: readonly string[];
  readonly connections: number;
  /** Requests of each connection that wait for an answer; without effect when paced. */
  readonly inFlight: number;
  /** Requests a second over all connections; undefined: as many as come back. */
  readonly rate?: number;
  readonly warmMs: number;
  readonly measureMs: number;
}

export interface LoadResult {
  readonly perSecond: number;
  /** µs */
  readonly p50: number;
  readonly p99: number;
  readonly count: number;
}

/** Of so many answers one is parsed, to see that it belongs to its request and is no error. */
const SAMPLE = 500;

interface Lane {
  readonly socket: Socket;
  /** When each unanswered request was sent, oldest first; a ring. */
  readonly sentAt: Float64Array;
  firstId: number;
  nextId: number;
}

const RING = 1 << 16;

async function run(order: LoadOrder): Promise<LoadResult> {
  const bodies = order.requests.map((text) => text.trim().slice(0, -1));
  const latencies: number[] = [];
  let measuring = false;
  let stopped = false;
  let turn = 0;

  function requestOf(lane: Lane): string {
    const body = bodies[turn % bodies.length] ?? '';
    turn += 1;
    lane.sentAt[lane.nextId % RING] = performance.now();
    const text = netstring(`${body},"id":${lane.nextId}}`);
    lane.nextId += 1;
    return text;
  }

  function check(frame: Buffer, id: number): void {
    const response = JSON.parse(frame.toString()) as { id: number; error?: unknown };
    if (response.id !== id) throw new Error(`expected the answer to request ${id}, found ${response.id}`);
    if (response.error !== undefined) throw new Error(`expected a result, found ${JSON.stringify(response.error)}`);
  }

  async function openLane(): Promise<Lane> {
    const socket = connect({ host: order.host, port: order.port, noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const lane: Lane = { socket, sentAt: new Float64Array(RING), firstId: 0, nextId: 0 };
    const parser = createNetstringParser();
    socket.on('data', (chunk) => {
      const now = performance.now();
      let answered = 0;
      const error = parser.push(chunk, (frame) => {
        const id = lane.firstId;
        lane.firstId += 1;
        answered += 1;
        if (id % SAMPLE === 0) check(frame, id);
        if (measuring) latencies.push(now - (lane.sentAt[id % RING] ?? now));
      });
      if (error !== undefined) throw new Error(`expected ${error.expected}, found ${error.found}`);
      if (order.rate !== undefined || stopped) return;
      let output = '';
      for (; answered > 0; answered -= 1) output += requestOf(lane);
      socket.write(output);
    });
    return lane;
  }

  const lanes = await Promise.all(Array.from({ length: order.connections }, openLane));
  let stopPacing = () => {};
  if (order.rate === undefined) {
    for (const lane of lanes) {
      lane.socket.write(Array.from({ length: order.inFlight }, () => requestOf(lane)).join(''));
    }
  } else {
    stopPacing = pace(order.rate, (index) => {
      const lane = lanes[index % lanes.length] as Lane;
      lane.socket.write(requestOf(lane));
    });
  }

  await wait(order.warmMs);
  measuring = true;
  const start = performance.now();
  await wait(order.measureMs);
  measuring = false;
  const seconds = (performance.now() - start) / 1000;
  stopped = true;
  stopPacing();
  for (const { socket } of lanes) socket.destroy();

  const sorted = Float64Array.from(latencies).sort();
  const at = (part: number) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN) * 1000;
  return { perSecond: sorted.length / seconds, p50: at(0.5), p99: at(0.99), count: sorted.length };
}

/** Sends each request when it is due. Timers come in whole ms, so the event loop is kept turning instead. */
function pace(rate: number, send: (index: number) => void): () => void {
  const start = performance.now();
  let sent = 0;
  let running = true;
  function tick(): void {
    if (!running) return;
    const due = Math.floor(((performance.now() - start) / 1000) * rate);
    for (; sent < due; sent += 1) send(sent);
    setImmediate(tick);
  }
  tick();
  return () => {
    running = false;
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

process.on('message', (order: LoadOrder) => {
  run(order).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
