/** What a soak runs on: our proxy with siptrust and the same proxy without it, side by side, under the same calls. */

import { join } from 'node:path';
import { presentedBy } from '../support/live/caller.js';
import { Daemon, type Policy } from '../support/live/daemon.js';
import { type Build, Kamailio } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { type Identity, installIdentity, replaceIdentity } from '../support/live/pki.js';
import { eventually } from '../support/live/places.js';
import { scriptWithout } from '../support/live/plain-script.js';
import { anywhereEdge } from '../support/live/scripts.js';
import { headerOf, methodOf, rowsOf, type SipText } from '../support/live/sip-text.js';
import { startSippUas } from '../support/live/sipp.js';
import { Uas } from '../support/live/uas.js';

export const SIDES = ['siptrust', 'plain'] as const;
export type SideName = (typeof SIDES)[number];

/** One of the two proxies, and what it is reached by. */
export interface Side {
  readonly proxy: Kamailio;
  readonly address: string;
  /** Called parties: one that takes many calls, and one that looks at what arrives. */
  readonly called: { readonly many: string; readonly watching: string };
}

/** Asserted identities that arrived at the called party of one side, by who had sent them. */
export interface Arrived {
  /** Calls of the partner: with the assertion, and without. */
  kept: number;
  removed: number;
  /** Calls of a stranger with the assertion: with siptrust none, whatever happens to siptrustd. */
  leaked: number;
  /** Calls of a stranger in all. */
  strangers: number;
}

export interface SoakStage {
  readonly network: Network;
  readonly sides: Readonly<Record<SideName, Side>>;
  readonly edge: { readonly proxy: Kamailio; readonly address: string };
  /** A second siptrustd that is never killed: what is flat over the whole run can only be seen there. */
  readonly steady: Daemon;
  readonly arrived: Readonly<Record<SideName, Arrived>>;
  /** The policies that follow each other at reloads; the partner of the calls is in each of them. */
  readonly policies: readonly Policy[];
  /** New certificates of the partner, which it gives, and where they are read of all proxies. */
  rotate(): Promise<Identity>;
  /** To be stopped with the rest. */
  keep(each: { stop(): unknown }): void;
  stop(): Promise<void>;
}

export const PARTNER = 'alice@a.example';
export const STRANGER = 'mallory@stranger.example';

/** The proxies send each call to where this header of it says, in place of their one next hop. */
const CALLED = '$hdr(Soak-Called)';

/** A transaction stays for five seconds after its end, with some 14 KiB: at the limit that is hundreds of MiB. */
const MEMORY = { memory: 1024, allocator: 'tlsf' } as const;

/** The own side of a proxy: its socket there, and all called parties. */
function inside(host: (host: number) => string, socket: number): string {
  return [socket, 40, 41, 42, 43].map((at) => host(at)).join(', ');
}

/** Whether proxies read new certificates while calls go on: Kamailio 5.6 with OpenSSL 3 does not stand that. */
export function standsReload(version: string): boolean {
  return Number.parseInt(version, 10) >= 6;
}

export async function openStage(build: Build): Promise<SoakStage> {
  const network = await Network.start({
    ...{ build, ...MEMORY },
    defines: (host) => ({ NEXT_HOP: CALLED, SIPTRUST_INSIDE_NETS: { string: inside(host, 3) } }),
  });
  const { directory, host } = network;
  const none = (): Arrived => ({ kept: 0, removed: 0, leaked: 0, strangers: 0 });
  const arrived = { siptrust: none(), plain: none() };
  const open: { stop(): unknown }[] = [];
  const stop = async () => {
    for (const each of open.reverse()) await each.stop();
    await network.stop();
  };
  try {
    const uri = (at: number) => `sip:${host(at)}:5060`;
    open.push(startSippUas(directory, host(40), 5060, { ringing: false }));
    open.push(startSippUas(directory, host(41), 5060, { ringing: false }));
    open.push(await Uas.start(host(42), { provisional: [], watch: (text) => noteArrival(text, arrived.siptrust) }));
    open.push(await Uas.start(host(43), { provisional: [], watch: (text) => noteArrival(text, arrived.plain) }));
    const start = async (
      name: string,
      script: string,
      tls: string,
      defines: Record<string, string | { string: string }>,
    ) => {
      const kamailio = await Kamailio.start({
        build,
        script,
        tls,
        directory: join(directory, name),
        defines,
        ...MEMORY,
      });
      open.push(kamailio);
      return kamailio;
    };

    const partners = network.pki.bundle([network.cast.operatorA, network.cast.operatorB]);
    installIdentity(network.ownCertificate(), partners, join(directory, 'plain/tls'));
    const plain = await start('plain', scriptWithout(join(directory, 'plain')), 'kamailio-cfg/cscf-tls.cfg', {
      OUTSIDE_TLS: `tls:${host(12)}:5061`,
      OUTSIDE_UDP: `udp:${host(12)}:5060`,
      OUTSIDE_TCP: `tcp:${host(12)}:5060`,
      INSIDE: `udp:${host(13)}:5060`,
      NEXT_HOP: CALLED,
      SIPTRUST_INSIDE_NETS: { string: inside(host, 13) },
    });

    installIdentity(network.certificateOfA(), network.cast.own.certificate, join(directory, 'edge/tls'));
    const edge = host(30);
    const edgeProxy = await start('edge', anywhereEdge(join(directory, 'edge')), 'kamailio-cfg/edge-tls.cfg', {
      INSIDE: `udp:${edge}:5060`,
      OUTSIDE_TLS: `tls:${edge}:5061`,
    });

    const rotate = async () => {
      const [own, partner] = [network.ownCertificate(), network.certificateOfA()];
      if (!standsReload(build.version)) return partner;
      await Promise.all([
        renew(network.cscf, network.address, own, join(directory, 'cscf/tls')),
        renew(plain, host(12), own, join(directory, 'plain/tls')),
        renew(edgeProxy, edge, partner, join(directory, 'edge/tls')),
      ]);
      return partner;
    };

    const standard = network.standardPolicy;
    const without = { ...standard, agreements: standard.agreements.slice(0, 1) };
    const steady = new Daemon(host(5), directory, 'steady');
    steady.write(standard);
    await steady.start();
    open.push(steady);
    return {
      ...{ network, arrived, steady, rotate, stop, policies: [without, standard] },
      keep: (each) => open.push(each),
      sides: {
        siptrust: { proxy: network.cscf, address: network.address, called: { many: uri(40), watching: uri(42) } },
        plain: { proxy: plain, address: host(12), called: { many: uri(41), watching: uri(43) } },
      },
      edge: { proxy: edgeProxy, address: edge },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Puts a certificate in the place of another, and comes back when the proxy presents it. */
async function renew(proxy: Kamailio, address: string, identity: Identity, directory: string): Promise<void> {
  replaceIdentity(identity, directory);
  await eventually(`${address} presents its new certificate`, async () => {
    proxy.rpc('tls.reload');
    return (await presentedBy(address, 5061)) === identity.pem;
  });
}

function noteArrival(text: SipText, arrived: Arrived): void {
  if (methodOf(text) !== 'INVITE') return;
  const asserted = rowsOf(text, 'P-Asserted-Identity').length > 0;
  if (headerOf(text, 'From')?.includes(STRANGER)) {
    arrived.strangers += 1;
    if (asserted) arrived.leaked += 1;
  } else if (asserted) arrived.kept += 1;
  else arrived.removed += 1;
}
