/**
 * A steady load in a process of its own, for reload.ts: 2,000 questions a second over four connections, and the longest
 * that one of them waited since somebody last asked for it.
 */

import { connect } from 'node:net';
import { createNetstringParser, netstring } from '../../src/rpc/wire/netstring.js';

export interface SteadyOrder {
  readonly port: number;
  readonly requests: readonly string[];
  readonly rate: number;
}

/** Since the last report. */
export interface SteadyReport {
  /** ms; of those that were answered, and of those that wait still. */
  readonly longest: number;
  readonly count: number;
  /** Verdicts that were not `trusted`. */
  readonly wrong: number;
}

const LANES = 4;
let longest = 0;
let count = 0;
let wrong = 0;
const waiting: number[][] = [];

async function run({ port, requests, rate }: SteadyOrder): Promise<void> {
  const bodies = requests.map((text) => text.trim().slice(0, -1));
  const sockets = await Promise.all(
    Array.from({ length: LANES }, async (_, lane) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true });
      await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
      const sent: number[] = [];
      waiting[lane] = sent;
      const parser = createNetstringParser();
      socket.on('data', (chunk) => {
        const now = performance.now();
        parser.push(chunk, (frame) => {
          longest = Math.max(longest, now - (sent.shift() ?? now));
          count += 1;
          if (!frame.includes('"trusted":1')) wrong += 1;
        });
      });
      return socket;
    }),
  );
  const begin = performance.now();
  let asked = 0;
  const tick = (): void => {
    const due = Math.floor(((performance.now() - begin) / 1000) * rate);
    // Who was held up himself does not make up for it: that would be a burst, and no load.
    if (due - asked > rate / 50) asked = due - 1;
    for (; asked < due; asked += 1) {
      const lane = asked % LANES;
      waiting[lane]?.push(performance.now());
      sockets[lane]?.write(netstring(`${bodies[asked % bodies.length]},"id":${asked}}`));
    }
    setTimeout(tick, 1);
  };
  tick();
}

process.on('message', (order: SteadyOrder | 'report') => {
  if (order !== 'report') {
    void run(order).then(() => process.send?.('ready'));
    return;
  }
  const now = performance.now();
  const oldest = waiting.map((sent) => now - (sent[0] ?? now));
  process.send?.({ longest: Math.max(longest, ...oldest), count, wrong } satisfies SteadyReport);
  longest = 0;
  count = 0;
  wrong = 0;
});
