/**
 * The ways to tell whether a message may be believed, each in a proxy of its own or by a socket of its own, all fed by
 * one edge and answered by one called party: what differs between them is the check.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Define, installedBuild, Kamailio } from '../../support/live/kamailio.js';
import { GROUPS, Network } from '../../support/live/network.js';
import { type Identity, installIdentity } from '../../support/live/pki.js';
import { scriptWithout } from '../../support/live/plain-script.js';
import { addressListScript, anywhereEdge, forgetfulScript } from '../../support/live/scripts.js';
import { startSippUas } from '../../support/live/sipp.js';

/** One way, and the proxy that goes it. */
export interface Way {
  readonly name: string;
  readonly letter: string;
  readonly proxy: Kamailio;
  /** Where calls go, as a SIP URI; undefined: over a TLS connection of their own each. */
  readonly uri: string | undefined;
  /** What the proxy counts when the way was really gone; grows with each call. */
  readonly proof: string;
}

export interface Stage {
  readonly network: Network;
  readonly partner: Identity;
  readonly edge: string;
  readonly ways: readonly Way[];
  stop(): Promise<void>;
}

const LISTS = [10, 1_000, 100_000];
/**
 * Shared memory for calls that are over and still kept for retransmissions (tm), and for lists. The allocator that
 * Kamailio is built with on Debian (qm) spends half of all time in searching lists of free pieces, and how long these
 * are is an accident of the script: it would hide what is measured.
 */
const MEMORY = { memory: 512, allocator: 'tlsf' } as const;

/** The hosts of the first proxies that are started beside the stage's own. */
const FIRST = 50;

/** An address list with one entry for the edge in its middle, among so many of others. */
function addressList(file: string, entries: number, kind: 'hosts' | 'networks', edge: string): void {
  const others = Array.from({ length: entries - 1 }, (_, at) => {
    // Every fourth address of 10.0.0.0/8: hosts there, or networks of four.
    const number = at * 4;
    const address = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
    return `1 ${address} ${kind === 'hosts' ? 32 : 30} 0`;
  });
  const [a, b, c, d] = edge.split('.').map(Number) as [number, number, number, number];
  const own = kind === 'hosts' ? `1 ${edge} 32 0` : `1 ${a}.${b}.${c}.${d & ~3} 30 0`;
  others.splice(others.length >> 1, 0, own);
  writeFileSync(file, `${others.join('\n')}\n`);
}

export async function openStage(): Promise<Stage> {
  const build = installedBuild();
  const edgeHost = 30;
  const network = await Network.start({
    build,
    ...MEMORY,
    policy: (standard, host) => ({
      ...standard,
      interfaces: [{ name: 'za', listen: `${host(2)}:5060`, mechanism: 'nds-ip', implicit_trust: true, shared: false }],
      agreements: [
        ...standard.agreements,
        {
          ...{ name: 'op-n', domains: ['n.example'], mechanism: 'nds-ip', interface: 'za' },
          ...{ sources: [`${host(edgeHost)}/32`], asserts: { domains: ['a.example'] } },
        },
      ],
    }),
    defines: (host) => ({
      NEXT_HOP: { string: `sip:${host(40)}:5060` },
      SIPTRUST_INSIDE_NETS: { string: [3, 40].map(host).join(', ') },
    }),
  });
  const { directory, host } = network;
  const uas = startSippUas(directory, host(40), 5060, { ringing: false });
  const open: { stop(): Promise<unknown> }[] = [uas];
  const stop = async () => {
    for (const each of open.reverse()) await each.stop();
    await network.stop();
  };
  try {
    const partner = network.certificateOfA();
    const own = network.pki.certificate({ issuer: network.cast.own, names: ['DNS:own.example'] });
    const partners = network.pki.bundle([network.cast.operatorA, network.cast.operatorB]);
    let hosts = FIRST;
    /** One more proxy of ours, with another script. */
    const proxy = async (script: string, defines: Readonly<Record<string, Define>> = {}) => {
      const [outside, inside] = [host(hosts), host(hosts + 1)];
      hosts += 2;
      const own_directory = join(directory, `proxy-${hosts}`);
      mkdirSync(own_directory, { recursive: true });
      installIdentity(own, partners, join(own_directory, 'tls'));
      const kamailio = await Kamailio.start({
        ...{ build, script, directory: own_directory, tls: 'kamailio-cfg/cscf-tls.cfg', ...MEMORY },
        defines: {
          OUTSIDE_TLS: `tls:${outside}:5061`,
          OUTSIDE_UDP: `udp:${outside}:5060`,
          OUTSIDE_TCP: `tcp:${outside}:5060`,
          INSIDE: `udp:${inside}:5060`,
          NEXT_HOP: { string: `sip:${host(40)}:5060` },
          SIPTRUST_INSIDE_NETS: { string: `${inside}, ${host(40)}` },
          ...defines,
        },
      });
      open.push(kamailio);
      return { kamailio, inside, udp: `sip:${outside}:5060`, tls: `sip:${outside}:5061;transport=tls` };
    };

    installIdentity(partner, network.cast.own.certificate, join(directory, 'anywhere/tls'));
    const edge = host(edgeHost);
    open.push(
      await Kamailio.start({
        ...{ build, script: anywhereEdge(directory), tls: 'kamailio-cfg/edge-tls.cfg' },
        ...{ directory: join(directory, 'anywhere'), ...MEMORY },
        defines: { INSIDE: `udp:${edge}:5060`, OUTSIDE_TLS: `tls:${edge}:5061` },
      }),
    );

    const plain = await proxy(scriptWithout(directory));
    /** A proxy that asks the sidecar. */
    const asking = async (script: string) => {
      return proxy(script, {
        SIPTRUST_HTTP_1: { string: `siptrust1=>http://${network.daemon.host}:7061/rpc` },
        SIPTRUST_GROUPS: { string: GROUPS },
      });
    };
    const forgetful = await asking(forgetfulScript(directory));
    const ways: Way[] = [
      { name: 'no check, UDP', letter: 'a', proxy: plain.kamailio, uri: plain.udp, proof: 'rcv_requests' },
      { name: 'no check, TLS', letter: 'a', proxy: plain.kamailio, uri: plain.tls, proof: 'rcv_requests' },
    ];
    for (const kind of ['hosts', 'networks'] as const) {
      for (const entries of LISTS) {
        const file = join(directory, `${kind}-${entries}.list`);
        addressList(file, entries, kind, edge);
        const { kamailio, udp } = await proxy(addressListScript(directory, file, entries));
        const name = `list of ${entries.toLocaleString('en')} ${kind}, UDP`;
        ways.push({ name, letter: 'b', proxy: kamailio, uri: udp, proof: 'listed' });
      }
    }
    const known = { proxy: network.cscf, proof: 'rcv_requests' };
    const tls = `sip:${network.address}:5061;transport=tls`;
    ways.push(
      { ...known, name: 'siptrust NDS/IP, UDP', letter: 'c', uri: `sip:${network.address}:5060` },
      { ...known, name: 'siptrust TLS, known connection', letter: 'd', uri: tls },
      {
        ...{ name: 'one RPC per message, TLS', letter: 'e' },
        proxy: forgetful.kamailio,
        uri: forgetful.tls,
        proof: 'siptrust_asked_peer',
      },
      { ...known, name: 'new TLS connection per call', letter: 'f', uri: undefined },
    );
    return { network, partner, edge, ways, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
