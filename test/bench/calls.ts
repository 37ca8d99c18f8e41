/**
 * What the plugin costs Kamailio: processor time of a call (INVITE, ACK, BYE and their answers) over a known TLS
 * connection, beside the same script without siptrust in the same run; rounds alternate, and the ratio of each pair is
 * taken. Calls a second that a processor can do are the inverse.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { installedBuild, Kamailio } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { installIdentity } from '../support/live/pki.js';
import { scriptWithout } from '../support/live/plain-script.js';
import { processorTime } from '../support/live/processes.js';
import { startSipp } from '../support/live/sipp.js';
import { AT_ONCE } from '../support/live/uas.js';

/** Kamailio's own default spends half of its time in lists of free pieces, and would hide what the plugin adds. */
const ALLOCATOR = 'tlsf';
const RATE = 100;
const CALLS = 500;
const ROUNDS = 4;

export interface CallCost {
  /** Processor time of one call in ms, median of the rounds. */
  readonly with: number;
  readonly without: number;
  /** Calls of a processor with the plugin over those without: median, least, largest. */
  readonly ratio: readonly [number, number, number];
  readonly failed: number;
}

function spread(values: readonly number[]): [number, number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = ((sorted[(sorted.length - 1) >> 1] ?? NaN) + (sorted[sorted.length >> 1] ?? NaN)) / 2;
  return [middle, sorted[0] ?? NaN, sorted.at(-1) ?? NaN];
}

/** Measures both scripts. */
export async function measureCalls(): Promise<CallCost> {
  const build = installedBuild();
  const network = await Network.start({ build, allocator: ALLOCATOR, uas: AT_ONCE });
  const more: Kamailio[] = [];
  try {
    const partner = network.certificateOfA();
    const edge = await network.edge(partner);

    const start = async (
      name: string,
      script: string,
      tls: string,
      defines: Record<string, string | { string: string }>,
    ) => {
      const kamailio = await Kamailio.start({
        ...{ build, script, tls, directory: join(network.directory, name), defines, allocator: ALLOCATOR },
      });
      more.push(kamailio);
      return kamailio;
    };
    const own = network.pki.certificate({ issuer: network.cast.own, names: ['DNS:own.example'] });
    const partners = network.pki.bundle([network.cast.operatorA, network.cast.operatorB]);
    mkdirSync(join(network.directory, 'plain'), { recursive: true });
    installIdentity(own, partners, join(network.directory, 'plain/tls'));
    const outside = network.host(12);
    const plain = await start('plain', scriptWithout(network.directory), 'kamailio-cfg/cscf-tls.cfg', {
      OUTSIDE_TLS: `tls:${outside}:5061`,
      OUTSIDE_UDP: `udp:${outside}:5060`,
      OUTSIDE_TCP: `tcp:${outside}:5060`,
      INSIDE: `udp:${network.host(13)}:5060`,
      NEXT_HOP: { string: `sip:${network.uas.host}:${network.uas.port}` },
      SIPTRUST_INSIDE_NETS: { string: `${network.host(13)}, ${network.uas.host}` },
    });
    installIdentity(partner, network.cast.own.certificate, join(network.directory, 'plain-edge/tls'));
    const plainEdge = network.host(14);
    await start('plain-edge', 'kamailio-cfg/edge.cfg', 'kamailio-cfg/edge-tls.cfg', {
      INSIDE: `udp:${plainEdge}:5060`,
      OUTSIDE_TLS: `tls:${plainEdge}:5061`,
      NEXT_HOP: { string: `sip:${outside}:5061;transport=tls` },
    });

    let failed = 0;
    let port = 6000;
    const calls = async (edgeHost: string, pid: number, count: number): Promise<number> => {
      port += 1;
      const before = processorTime(pid);
      const { result } = startSipp({
        directory: network.directory,
        target: `${edgeHost}:5060`,
        source: network.host(50),
        port,
        rate: RATE,
        calls: count,
        headers: ['P-Asserted-Identity: "Alice" <sip:alice@a.example>', 'P-Charging-Vector: icid-value=1234'],
      });
      const { succeeded, failed: lost } = await result;
      failed += lost;
      return (processorTime(pid) - before) / succeeded;
    };
    const sides = { with: [edge.host, network.cscf.pid], without: [plainEdge, plain.pid] } as const;
    const cost: Record<'with' | 'without', number[]> = { with: [], without: [] };
    // Opens the connections, and has siptrustd asked.
    for (const [host, pid] of Object.values(sides)) await calls(host, pid, 20);
    failed = 0;
    const asked = () => network.cscf.statistic('siptrust_trusted');
    const known = asked();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const side of round % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const)) {
        cost[side].push(await calls(...sides[side], CALLS));
      }
    }
    // Otherwise the plugin would have been cheap for not working, or dear for asking.
    const found = `found ${known}, ${asked()} at the end, and ${network.cscf.statistic('siptrust_unanswered')} questions unanswered`;
    if (known === 0 || asked() !== known || network.cscf.statistic('siptrust_unanswered') !== 0)
      throw new Error(`expected trusted connections before the first call that counts, and no more later, ${found}`);
    const ratio = spread(cost.with.map((value, round) => (cost.without[round] ?? NaN) / value));
    return { with: spread(cost.with)[0], without: spread(cost.without)[0], ratio, failed };
  } finally {
    for (const each of more.reverse()) await each.stop();
    await network.stop();
  }
}
