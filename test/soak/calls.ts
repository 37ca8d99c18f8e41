/** The calls of a soak: many over a connection that stays, and some over connections that come and go. */

import { inDialog, request, tlsCaller } from '../support/live/caller.js';
import type { Identity } from '../support/live/pki.js';
import { headerOf, statusOf } from '../support/live/sip-text.js';
import { startSipp } from '../support/live/sipp.js';
import { PARTNER, type Side, type SideName, type SoakStage, STRANGER } from './stage.js';

export interface Tally {
  calls: number;
  failed: number;
}

/** sipp is started anew for each stretch of so many seconds: its counters are read when it ends. */
const STRETCH = 20;

let port = 6000;

/** Header lines that lead a call through the edge to one side, and there to the party that takes many. */
function way({ address, called }: Side): readonly string[] {
  return [`X-Next-Hop: sip:${address}:5061;transport=tls`, `Soak-Called: ${called.many}`];
}

/** So many calls a second through the edge, for so long. */
export async function steadyCalls(
  { network, edge, sides, keep }: SoakStage,
  name: SideName,
  rate: number,
  seconds: number,
  tally: Tally,
): Promise<void> {
  for (let left = seconds; left > 0; left -= STRETCH) {
    port += 1;
    const calls = Math.ceil(rate * Math.min(left, STRETCH));
    const sipp = startSipp({
      directory: network.directory,
      target: `${edge.address}:5060`,
      source: network.host(name === 'plain' ? 22 : 20),
      port: 6000 + (port % 1000),
      rate,
      calls,
      headers: [`P-Asserted-Identity: <sip:${PARTNER}>`, ...way(sides[name])],
    });
    keep(sipp);
    const { succeeded } = await sipp.result;
    tally.calls += calls;
    tally.failed += calls - (Number.isNaN(succeeded) ? 0 : succeeded);
  }
}

/** As many calls a second as all of this machine does, both sides together. */
export async function limit({ network, edge, sides }: SoakStage): Promise<number> {
  const runs = (['siptrust', 'plain'] as const).map((name, at) => {
    port += 1;
    return startSipp({
      ...{ directory: network.directory, target: `${edge.address}:5060`, source: network.host(20 + 2 * at) },
      ...{ port: 6000 + port, rate: 5_000, concurrent: 10, calls: 1_500 },
      headers: way(sides[name]),
    }).result;
  });
  const done = await Promise.all(runs);
  const failed = done.reduce((sum, each) => sum + each.failed, 0);
  if (!(failed < 30)) throw new Error(`expected calls that succeed, found ${failed} that failed:\n${done[0]?.screen}`);
  return done.reduce((sum, { perSecond }) => sum + perSecond, 0);
}

/** One call over a TLS connection of its own. Whoever has no identity is a stranger, and asserts the partner's name. */
export async function passingCall(
  { sides, network }: SoakStage,
  name: SideName,
  identity: Identity | undefined,
  tally: Tally,
): Promise<void> {
  tally.calls += 1;
  try {
    const caller = await tlsCaller(sides[name].address, 5061, identity, network.host(24));
    try {
      const from = `<sip:${identity === undefined ? STRANGER : PARTNER}>;tag=passing`;
      const invite = request({
        from,
        headers: [`P-Asserted-Identity: <sip:${PARTNER}>`, `Soak-Called: ${sides[name].called.watching}`],
      });
      const callId = headerOf(invite, 'Call-ID') ?? '';
      caller.send(invite);
      const answer = await caller.final(callId);
      if (statusOf(answer) !== 200) throw new Error(`expected 200, found ${statusOf(answer)}`);
      const { route, ...dialog } = inDialog(answer);
      caller.send(request({ ...dialog, from, headers: route, method: 'ACK' }));
      caller.send(request({ ...dialog, from, headers: route, method: 'BYE', cseq: 2 }));
      if (statusOf(await caller.final(callId, 'BYE')) !== 200) throw new Error('expected 200 to BYE');
    } finally {
      caller.close();
    }
  } catch {
    tally.failed += 1;
  }
}
