/** Calls by one way, and what they cost the proxy. */

import { type Caller, inDialog, request } from '../../support/live/caller.js';
import { processorTime } from '../../support/live/processes.js';
import { headerOf, statusOf } from '../../support/live/sip-text.js';
import { startSipp } from '../../support/live/sipp.js';
import type { Stage, Way } from './stage.js';

/** As an IMS sends it: what a check decides about. */
const PRIVATE = ['P-Asserted-Identity: "Alice" <sip:alice@a.example>', 'P-Charging-Vector: icid-value=1234'];
/** Calls that are under way at a time: enough to keep two processors busy, few enough that nobody waits in vain. */
const CONCURRENT = 10;

/** One round of one way. */
export interface CallSample {
  readonly calls: number;
  readonly failed: number;
  /** Of everything on this machine together: proxy, edge, caller and called party. */
  readonly callsPerSecond: number;
  /** Processor time in µs of the proxy, and of siptrustd, for a message that the proxy received. */
  readonly proxyMicroseconds: number;
  readonly sidecarMicroseconds: number;
  readonly messages: number;
}

let port = 6000;

/** Makes so many calls by this way. @throws where the way was not gone: it would have been cheap for that */
export async function sample(stage: Stage, way: Way, calls: number): Promise<CallSample> {
  const received = () => way.proxy.statistic('rcv_requests') + way.proxy.statistic('rcv_replies');
  const sidecar = stage.network.daemon.pid;
  const before = { messages: received(), proof: way.proxy.statistic(way.proof) };
  const spent = { proxy: processorTime(way.proxy.pid), sidecar: processorTime(sidecar) };
  const { succeeded, failed, perSecond } = await (way.uri === undefined
    ? onOwnConnections(stage, calls)
    : throughEdge(stage, way.uri, calls));
  const proxy = processorTime(way.proxy.pid) - spent.proxy;
  const asked = processorTime(sidecar) - spent.sidecar;
  const messages = received() - before.messages;
  const proven = way.proxy.statistic(way.proof) - before.proof;
  if (!(proven >= succeeded)) throw new Error(`${way.name}: expected ${succeeded} of ${way.proof}, found ${proven}`);
  return {
    calls: succeeded,
    failed,
    callsPerSecond: perSecond,
    proxyMicroseconds: (proxy * 1000) / messages,
    sidecarMicroseconds: (asked * 1000) / messages,
    messages,
  };
}

interface Done {
  readonly succeeded: number;
  readonly failed: number;
  readonly perSecond: number;
}

async function throughEdge(stage: Stage, uri: string, calls: number): Promise<Done> {
  port += 1;
  const { result } = startSipp({
    directory: stage.network.directory,
    target: `${stage.edge}:5060`,
    source: stage.network.host(20),
    port,
    rate: 5_000,
    concurrent: CONCURRENT,
    calls,
    headers: [...PRIVATE, `X-Next-Hop: ${uri}`],
  });
  return result;
}

/** Each call opens a TLS connection, makes a full handshake, and closes it. */
async function onOwnConnections({ network, partner }: Stage, calls: number): Promise<Done> {
  let left = calls;
  let failed = 0;
  const start = performance.now();
  const line = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const caller = await network.overTls(partner, network.host(21));
      if (!(await wholeCall(caller))) failed += 1;
      caller.close();
    }
  };
  await Promise.all(Array.from({ length: 4 }, line));
  return { succeeded: calls - failed, failed, perSecond: (calls * 1000) / (performance.now() - start) };
}

async function wholeCall(caller: Caller): Promise<boolean> {
  const invite = request({ headers: PRIVATE });
  caller.send(invite);
  const answer = await caller.final(headerOf(invite, 'Call-ID') ?? '');
  if (statusOf(answer) !== 200) return false;
  const { route, ...dialog } = inDialog(answer);
  caller.send(request({ ...dialog, headers: route, method: 'ACK' }));
  caller.send(request({ ...dialog, headers: route, method: 'BYE', cseq: 2 }));
  return statusOf(await caller.final(headerOf(invite, 'Call-ID') ?? '', 'BYE')) === 200;
}
