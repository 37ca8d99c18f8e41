/** The lab: networks, gateways and capture for the whole time, and CSCF2 as each act needs it. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from '../support/live/child.js';
import type { Decision } from '../support/live/daemon.js';
import { type Build, type Define, installedBuild } from '../support/live/kamailio.js';
import { Network } from '../support/live/network.js';
import { passedOn } from '../support/live/passed-on.js';
import { Pki } from '../support/live/pki.js';
import { eventually, runDirectory } from '../support/live/places.js';
import { scriptWithout } from '../support/live/plain-script.js';
import { headerOf, methodOf, rowsOf, type SipText } from '../support/live/sip-text.js';
import { startSipp } from '../support/live/sipp.js';
import { Capture, type Packet } from './capture.js';
import { Gateway } from './gateway.js';
import type { Act, Call, Edge, Scene, Seen } from './scene.js';
import * as at from './topology.js';

const DAEMON = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const NOTHING: Seen = { verdict: '-', assurance: 'none', reasons: [], arrives: 'nothing' };

/** Sockets of CSCF2 towards others. IPv4 networks know those of IPv6 by the address that NAT64 gives them. */
function sockets(act: Act): Readonly<Record<string, Define>> {
  const ipv6 = act === 'ipv6';
  const address = ipv6 ? `[${at.CSCF2_IPV6}]` : at.CSCF2_ZA;
  const known = (port: number): string => (ipv6 ? ` advertise ${at.CSCF2_BY_NAT64}:${port}` : '');
  return {
    OUTSIDE_TLS: `tls:${ipv6 ? address : at.CSCF2}:5061${known(5061)}`,
    OUTSIDE_UDP: `udp:${at.CSCF2}:5060`,
    OUTSIDE_TCP: `tcp:${at.CSCF2}:5060`,
    OUTSIDE_NDS: `udp:${address}:5060${known(5060)}`,
  };
}

async function startGateways(directory: string): Promise<readonly [Gateway, Gateway]> {
  const pki = new Pki(join(directory, 'gateways'));
  const [name1, name2] = ['seg1.a.example', 'seg2.own.example'];
  const [operator1, operator2] = [pki.authority('Operator A Gateways'), pki.authority('Own Operator Gateways')];
  const identity1 = pki.certificate({ issuer: operator1, names: [`DNS:${name1}`], commonName: name1 });
  const identity2 = pki.certificate({ issuer: operator2, names: [`DNS:${name2}`], commonName: name2 });
  const seg1 = Gateway.start({
    ...{ place: 'seg1', directory: join(directory, 'seg1'), name: name1, other: name2 },
    ...{ identity: identity1, anchor: operator2, address: at.SEG1, otherAddress: at.SEG2 },
    ...{ inside: at.IMS1_PREFIX, otherInside: at.IMS2_PREFIX },
  });
  const seg2 = Gateway.start({
    ...{ place: 'seg2', directory: join(directory, 'seg2'), name: name2, other: name1 },
    ...{ identity: identity2, anchor: operator1, address: at.SEG2, otherAddress: '%any' },
    ...{ inside: at.IMS2_PREFIX, otherInside: at.IMS1_PREFIX },
  });
  return Promise.all([seg1, seg2]);
}

interface RunningEdge {
  readonly edge: Edge;
  stop(): Promise<void>;
}

export class Lab {
  readonly capture: Capture;
  readonly seg2: Gateway;
  readonly #seg1: Gateway;
  readonly #directory: string;
  readonly #remove: () => void;
  readonly #build: Build = installedBuild();
  readonly #edges = new Map<at.Place, RunningEdge>();
  #network: Network | undefined;
  #act: Act | undefined;
  readonly #subjects = new Map<Call, string>();
  #core = '';
  #revision: unknown;
  #packets = 0;

  private constructor(
    { path, remove }: ReturnType<typeof runDirectory>,
    capture: Capture,
    [seg1, seg2]: readonly [Gateway, Gateway],
  ) {
    this.#directory = path;
    this.#remove = remove;
    this.capture = capture;
    this.#seg1 = seg1;
    this.seg2 = seg2;
  }

  /** Makes the networks, and sets the tunnel up. What it starts ends with the namespaces that it runs in. */
  static async start(): Promise<Lab> {
    const directory = runDirectory();
    at.buildNetworks(directory.path);
    const capture = await Capture.start(directory.path);
    const gateways = await startGateways(directory.path);
    gateways[0].connect();
    return new Lab(directory, capture, gateways);
  }

  get network(): Network {
    if (this.#network === undefined) throw new Error('no scene has begun');
    return this.#network;
  }

  /** What tells a call of this scene from all others, in each of its INVITEs. */
  subjectOf(call: Call): string {
    const subject = this.#subjects.get(call);
    if (subject === undefined) throw new Error(`${call.who} has not called`);
    return subject;
  }

  /** What has crossed the core since this scene began. */
  async packets(): Promise<readonly Packet[]> {
    return (await this.capture.packets()).slice(this.#packets);
  }

  /** Makes everything as this scene needs it. */
  async begin(scene: Scene): Promise<void> {
    at.filter('seg2', scene.seg2 ?? '');
    await this.#setCore(scene.core ?? '');
    await this.#startAct(scene.act);
    if (scene.policy !== undefined) await this.network.reload(scene.policy(this.network.standardPolicy));
    this.#revision = (await this.network.daemon.call('core.status')).revision;
    this.#packets = (await this.capture.packets()).length;
  }

  /** One call, to what came of it. */
  async call(call: Call): Promise<Seen> {
    const { by, asserts } = call;
    const subject = `call-${this.#subjects.size + 1}-of-the-lab`;
    this.#subjects.set(call, subject);
    const headers = [`Subject: ${subject}`, `P-Asserted-Identity: ${asserts}`];
    if ('spoofedTls' in by) {
      await this.#tryTls(by.spoofedTls.target);
      return this.#arrived(subject) === undefined ? NOTHING : this.#seen(subject, at.CSCF1);
    }
    if ('edge' in by) {
      await this.#startEdge(by.edge);
      const { place, user, host } = by.edge;
      await this.#sipp(place, { source: user, port: 5060, target: `${host}:5060` }, headers);
      return this.#seen(subject, by.source ?? host);
    }
    const { target, port, stopped } = by.spoofed;
    const before = stopped === undefined ? 0 : stoppedIn(stopped);
    await this.#sipp('rogue', { source: at.CSCF1, port, target: `${target}:5060` }, headers, true);
    if (stopped !== undefined) {
      await eventually(`${stopped} stops the rogue`, () => stoppedIn(stopped) > before);
      return this.#arrived(subject) === undefined ? NOTHING : this.#seen(subject, at.CSCF1);
    }
    await eventually('the call of the rogue arrives', () => this.#arrived(subject));
    return this.#seen(subject, `${at.CSCF1}:${port}`);
  }

  /** What `siptrustd --check` says about the policy in force. */
  async check(): Promise<string> {
    const check = new Child('node', [DAEMON, '--check', '--config', join(this.network.directory, 'siptrust.yaml')]);
    await check.exit();
    return check.output;
  }

  async stop(): Promise<void> {
    await this.#network?.stop();
    await this.#seg1.stop();
    await this.seg2.stop();
    await this.capture.stop();
    if (process.env.SIPTRUST_KEEP === undefined) this.#remove();
  }

  async #startAct(act: Act): Promise<void> {
    if (this.#act === act) return;
    await this.#network?.stop();
    this.#network = undefined;
    this.#act = undefined;
    this.#edges.clear();
    const plain = act === 'without';
    this.#network = await Network.start({
      build: this.#build,
      script: plain ? scriptWithout(this.#directory) : 'test/support/live/demo.cfg',
      plain,
      defines: () => sockets(act),
      // Kamailio's workers may pass a 180 on after the 200 that follows at once, which sipp takes for an error.
      uas: { provisional: [] },
    });
    this.#act = act;
  }

  /** Other filters in the core are other paths: tunnel and connections are set up anew. */
  async #setCore(rules: string): Promise<void> {
    if (rules === this.#core) return;
    this.#core = rules;
    at.filter('core', rules);
    for (const { stop } of this.#edges.values()) await stop();
    this.#edges.clear();
    this.#seg1.connect();
  }

  async #startEdge(edge: Edge): Promise<void> {
    const running = this.#edges.get(edge.place);
    if (running?.edge === edge) return;
    await running?.stop();
    const { host, nextHop, tls } = edge;
    const { kamailio } = await this.network.edge(edge.identity(this.network), {
      build: at.buildWithin(edge.place, this.#build),
      ...{ host, nextHop },
      ...(tls === undefined ? {} : { tls }),
    });
    this.#edges.set(edge.place, { edge, stop: () => kamailio.stop() });
  }

  async #sipp(
    place: at.Place,
    ends: { readonly source: string; readonly port: number; readonly target: string },
    headers: readonly string[],
    unanswered = false,
  ): Promise<void> {
    const { directory } = this.network;
    const calls = startSipp({ directory, ...ends, rate: 1, calls: 1, headers, by: at.within(place, []), unanswered });
    const { succeeded, screen } = await calls.result;
    if (succeeded !== 1) throw new Error(`the call from ${place} failed:\n${screen}\n${this.network.cscf.log}`);
  }

  /** A TLS handshake of the rogue under CSCF1's address: the answer goes to the real one, which has asked for nothing. */
  async #tryTls(target: string): Promise<void> {
    const port = 5999;
    const client = ['openssl', 's_client', '-connect', `${target}:5061`, '-bind', `${at.CSCF1}:${port}`];
    const [command = '', ...args] = at.within('rogue', client);
    const child = new Child(command, args);
    const refused = ({ source, sourcePort, destination, reset }: Packet): boolean =>
      reset && source === at.CSCF1 && sourcePort === port && destination === target;
    await eventually('CSCF1 refuses the answer', async () => (await this.packets()).some(refused));
    await child.stop();
    if (child.output.includes('CONNECTED')) throw new Error(`the rogue is connected:\n${child.output}`);
  }

  #arrived(subject: string): SipText | undefined {
    return this.network.uas.got.find((text) => methodOf(text) === 'INVITE' && headerOf(text, 'Subject') === subject);
  }

  /** `source`: the peer's address, with the port where that is known. */
  async #seen(subject: string, source: string): Promise<Seen> {
    const invite = await eventually('the call arrives', () => this.#arrived(subject));
    const arrives = rowsOf(invite, 'P-Asserted-Identity').join(', ') || 'without';
    if (this.#act === 'without') return { verdict: 'not judged', assurance: 'none', reasons: [], arrives };
    const callId = headerOf(invite, 'Call-ID') ?? '';
    const script = await eventually('the log of CSCF2', () => passedOn(this.network.cscf.log, [callId]));
    const verdict = script.verdict as Seen['verdict'];
    // Without a security mechanism there is nothing to ask.
    if (script.reasons.includes('no-tls')) return { verdict, assurance: 'none', reasons: script.reasons, arrives };
    const peer = await this.#decision('trust.peer', source);
    const about = verdict === 'trusted' && arrives === 'without' ? [await this.#decision('trust.message', source)] : [];
    const reasons = [...script.reasons, ...about.flatMap((decision) => decision.reasons as readonly string[])];
    return { verdict, assurance: String(peer.assurance), reasons, arrives };
  }

  /** The last decision about this peer under the policy of the scene. */
  #decision(method: string, source: string): Promise<Decision> {
    const ipv6 = source.split(':').length > 2;
    const begins = ipv6 ? `[${source}]:` : `${source}:`;
    const by = (src: unknown): boolean => src === source || (typeof src === 'string' && src.startsWith(begins));
    return eventually(`the decision log: ${method} about ${source}`, () =>
      this.network.daemon
        .decisions()
        .findLast((each) => each.revision === this.#revision && each.method === method && by(each.src)),
    );
  }
}

/** How many packets the filter there has stopped. */
function stoppedIn(place: at.Place): number {
  const rules = at.runWithin(place, ['nft', 'list', 'ruleset']);
  return [...rules.matchAll(/counter packets (\d+)/g)].reduce((sum, [, packets]) => sum + Number(packets), 0);
}
