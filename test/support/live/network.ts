/**
 * The stage of the live tests: our network (own.example: siptrustd, cscf.cfg and a called party), the partners
 * a.example and b.example with authorities of their own, and edges of other networks that call us.
 */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Caller, resumingCaller, tcpCaller, tlsCaller, tlsTicket, udpCaller } from './caller.js';
import { Daemon, type Policy, type StandardPolicy } from './daemon.js';
import { type Build, type Define, Kamailio, type KamailioOptions } from './kamailio.js';
import { type Authority, type Identity, installIdentity, Pki } from './pki.js';
import { eventually, loopbackBlock, runDirectory, upOrEnded } from './places.js';
import { Uas, type UasOptions } from './uas.js';

export interface NetworkOptions {
  readonly build: Build;
  /** The policy, made out of the standard one; `host` gives the addresses of the stage. */
  readonly policy?: (standard: StandardPolicy, host: (host: number) => string) => Policy;
  readonly uas?: UasOptions;
  /** undefined: not what the tests define, but what the script says. */
  readonly defines?: (host: (host: number) => string) => Readonly<Record<string, Define | undefined>>;
  /** Another script than the sample: its path below the repository, or what writes one to the proxy's directory. */
  readonly script?: string | ((directory: string, host: (host: number) => string) => string);
  /** Another TLS configuration than the sample (a path below the repository), known when the script is written. */
  readonly tls?: () => string;
  /** The ciphers that the proxy accepts, in OpenSSL's words, over TLS 1.2 alone; undefined: those of the sample. */
  readonly ciphers?: string;
  /** The routes of the sample in Lua; undefined: where SIPTRUST_SCRIPT says so. */
  readonly lua?: boolean;
  /** The script has no siptrust. */
  readonly plain?: boolean;
  readonly memory?: number;
  /** These as for Kamailio. */
  readonly privateMemory?: number;
  readonly allocator?: KamailioOptions['allocator'];
  readonly under?: readonly string[];
  /** Starts what is there before the proxy is: a partner that it does not find at once it looks for again only after seconds. */
  readonly before?: (stage: Network) => Promise<unknown>;
  /** Paths of further authorities that the proxy accepts. */
  readonly authorities?: readonly string[];
}

/** Where an edge stands that is not the ordinary one: beside our proxy, calling it over TLS with a certificate. */
export interface EdgeTerms {
  readonly build?: Build;
  /** Its address. */
  readonly host?: string;
  /** The URI that it sends calls to. */
  readonly nextHop?: string;
  /** Another TLS configuration than the sample (a path below the repository). */
  readonly tls?: string;
}

export interface Cast {
  readonly operatorA: Authority;
  readonly operatorB: Authority;
  readonly own: Authority;
}

/** The groups of the plugin as it stands here. */
export const GROUPS = fileURLToPath(new URL('../../../plugin/kamailio/siptrust-groups.txt', import.meta.url));
const CSCF_LUA = fileURLToPath(new URL('../../../kamailio-cfg/cscf.lua', import.meta.url));

/** The numbers of the profiles of trusted peers (siptrust-headers.cfg). */
const TRUSTED: ReadonlySet<number> = new Set([6, 7, 8, 9]);

export class Network {
  readonly host: (host: number) => string;
  readonly directory: string;
  readonly pki: Pki;
  readonly cast: Cast;
  readonly daemon: Daemon;
  readonly #remove: () => void;
  readonly #options: NetworkOptions;
  readonly #open: { stop(): unknown }[] = [];
  #cscf: Kamailio | undefined;
  #uas: Uas | undefined;
  #edges = 0;

  private constructor(options: NetworkOptions) {
    const { path, remove } = runDirectory();
    this.#options = options;
    this.#remove = remove;
    this.directory = path;
    this.host = loopbackBlock();
    this.pki = new Pki(join(path, 'pki'));
    this.cast = {
      operatorA: this.pki.authority('Operator A'),
      operatorB: this.pki.authority('Operator B'),
      own: this.pki.authority('Own Operator'),
    };
    this.daemon = new Daemon(this.host(1), path);
  }

  /** Starts our network: siptrustd, the proxy and the called party. */
  static start(options: NetworkOptions): Promise<Network> {
    const network = new Network(options);
    return upOrEnded(network, () => network.#start());
  }

  /** Our proxy, as other networks see it. */
  get cscf(): Kamailio {
    if (this.#cscf === undefined) throw new Error('the proxy is not started');
    return this.#cscf;
  }

  /** The called party of our network. */
  get uas(): Uas {
    if (this.#uas === undefined) throw new Error('the called party is not started');
    return this.#uas;
  }

  /** The address of our proxy. */
  get address(): string {
    return this.host(2);
  }

  /** The policy that is in force where a test asks for no other. */
  get standardPolicy(): StandardPolicy {
    const agreement = (name: string, domain: string, anchor: Authority) => ({
      name,
      domains: [domain],
      mechanism: 'tls',
      anchors: [anchor.certificate],
      interconnect: 'non-roaming',
      revocation: 'off',
    });
    return {
      own_domains: ['own.example'],
      agreements: [
        agreement('op-a', 'a.example', this.cast.operatorA),
        agreement('op-b', 'b.example', this.cast.operatorB),
      ],
    };
  }

  /** A certificate of partner A for a.example, except where `terms` differ. */
  certificateOfA(terms: Partial<Parameters<Pki['certificate']>[0]> = {}): Identity {
    return this.pki.certificate({
      issuer: this.cast.operatorA,
      names: ['DNS:a.example'],
      commonName: 'a.example',
      ...terms,
    });
  }

  /** A caller over TLS with this identity; without one no certificate is presented. `ciphers`: over TLS 1.2 alone. */
  async overTls(identity?: Identity, source = this.host(20), ciphers?: string): Promise<Caller> {
    return this.#keep(await tlsCaller(this.address, 5061, identity, source, ciphers));
  }

  /** A caller that resumes the session of an earlier handshake with this identity. */
  async resuming(identity: Identity, source = this.host(20)): Promise<Caller> {
    const ticket = await tlsTicket(this.address, 5061, identity);
    return this.#keep(await resumingCaller(this.address, 5061, ticket, source));
  }

  async overTcp(source = this.host(20)): Promise<Caller> {
    return this.#keep(await tcpCaller(this.address, 5060, source));
  }

  /** `port`: its own; undefined: any that is free. */
  async overUdp(source = this.host(20), port?: number): Promise<Caller> {
    return this.#keep(await udpCaller(this.address, 5060, source, port));
  }

  /** A user of our own side, who calls through the socket that faces it. */
  async ownUser(source = this.host(5)): Promise<Caller> {
    return this.#keep(await udpCaller(this.host(3), 5060, source));
  }

  /** Puts a policy in force, and waits until the proxy knows. */
  async reload(policy: Policy): Promise<void> {
    await this.daemon.reload(policy);
    const { revision } = await this.daemon.call('core.status');
    await eventually(`the proxy knows revision ${revision}`, () => this.knownRevision() === Number(revision));
  }

  /** The edge of another network, which sends what its users call to our proxy; gives its UDP address. */
  async edge(
    identity: Identity,
    terms: EdgeTerms = {},
  ): Promise<{ readonly host: string; readonly kamailio: Kamailio }> {
    this.#edges += 1;
    const { build = this.#options.build, host = this.host(100 + this.#edges) } = terms;
    const { nextHop = `sip:${this.address}:5061;transport=tls`, tls = 'kamailio-cfg/edge-tls.cfg' } = terms;
    const directory = join(this.directory, `edge-${this.#edges}`);
    installIdentity(identity, this.cast.own.certificate, join(directory, 'tls'));
    const kamailio = await Kamailio.start({
      build,
      script: 'kamailio-cfg/edge.cfg',
      tls,
      directory,
      defines: {
        INSIDE: `udp:${host}:5060`,
        OUTSIDE_TLS: `tls:${host}:5061`,
        NEXT_HOP: { string: nextHop },
      },
      memory: this.#options.memory ?? 256,
    });
    this.#open.push(kamailio);
    return { host, kamailio };
  }

  /** Ends everything that was started, and removes the directory. */
  async stop(): Promise<void> {
    // It may stand frozen.
    this.daemon.signal('SIGCONT');
    this.#uas?.stop();
    await Promise.all([...this.#open, this.#cscf, this.daemon].map((each) => each?.stop()));
    if (process.env.SIPTRUST_KEEP === undefined) this.#remove();
  }

  /** A certificate of our own network. */
  ownCertificate(): Identity {
    return this.pki.certificate({ issuer: this.cast.own, names: ['DNS:own.example', 'DNS:sbc.own.example'] });
  }

  async #start(): Promise<void> {
    const {
      build,
      policy = (standard) => standard,
      uas = {},
      defines,
      script = 'kamailio-cfg/cscf.cfg',
      memory = 256,
      privateMemory,
      allocator,
      ciphers,
      under,
    } = this.#options;
    this.#uas = await Uas.start(this.host(4), uas);
    this.daemon.write(policy(this.standardPolicy, this.host));
    const directory = join(this.directory, 'cscf');
    const prepared = async (): Promise<void> => {
      await this.#options.before?.(this);
      const more = (this.#options.authorities ?? []).map((certificate) => ({ certificate }));
      const partners = this.pki.bundle([this.cast.operatorA, this.cast.operatorB, ...more]);
      installIdentity(this.ownCertificate(), partners, join(directory, 'tls'));
    };
    await Promise.all([this.daemon.start(), prepared()]);
    const written = typeof script === 'function' ? script(directory, this.host) : script;
    const all = Object.entries({ ...this.#defines(), ...defines?.(this.host) });
    this.#cscf = await Kamailio.start({
      build,
      script: written,
      tls: this.#options.tls?.() ?? 'kamailio-cfg/cscf-tls.cfg',
      directory,
      defines: Object.fromEntries(all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
      memory,
      ...(privateMemory === undefined ? {} : { privateMemory }),
      ...(allocator === undefined ? {} : { allocator }),
      ...(ciphers === undefined ? {} : { ciphers }),
      ...(under === undefined ? {} : { under }),
    });
    await eventually('the proxy knows the revision in force', () => this.#knowsRevision());
  }

  #knowsRevision(): boolean {
    return this.#options.plain === true || this.knownRevision() > 0;
  }

  /** The revision that the proxy knows. */
  knownRevision(): number {
    return this.#shared('siptrust_revision');
  }

  /** How many of its connections are proven to lead to this domain, and trusted. */
  provenConnections(domain: string): number {
    const dump = this.cscf.rpc('htable.dump', 'siptrust_proven');
    const verdicts = [...dump.matchAll(/name: \d+:(\S+)\s+value: (\d+)/g)];
    return verdicts.filter(([, of, profile]) => of === domain && TRUSTED.has(Number(profile))).length;
  }

  /** Waits for such a connection. */
  proven(domain: string, withinMs = 15_000): Promise<unknown> {
    return eventually(`a proven connection to ${domain}`, () => this.provenConnections(domain) > 0, withinMs);
  }

  /** Whether the proxy takes its n-th sidecar for dead. */
  sidecarIsDown(which: 1 | 2 | 3 = 1): boolean {
    return new RegExp(`name: ${which}\\s+value: 1`).test(this.cscf.rpc('htable.dump', 'siptrust_down'));
  }

  #shared(name: string): number {
    return Number(/\d+/.exec(this.cscf.rpc('pv.shvGet', name).replace(/^\D*name.*$/m, ''))?.[0] ?? 0);
  }

  #defines(): Readonly<Record<string, Define>> {
    const sidecar = this.daemon.host;
    return {
      OUTSIDE_TLS: `tls:${this.address}:5061`,
      OUTSIDE_UDP: `udp:${this.address}:5060`,
      OUTSIDE_TCP: `tcp:${this.address}:5060`,
      INSIDE: `udp:${this.host(3)}:5060`,
      NEXT_HOP: { string: `sip:${this.uas.host}:${this.uas.port}` },
      SIPTRUST_BAD_TIME: '2',
      SIPTRUST_SOCKET_TLS: { string: `tls:${this.address}:5061` },
      SIPTRUST_SOCKET_TCP: { string: `tcp:${this.address}:5060` },
      SIPTRUST_SOCKET_UDP: { string: `udp:${this.address}:5060` },
      // Our own side: the socket that faces it, the called party, and users of ours.
      SIPTRUST_INSIDE_NETS: { string: [3, 4, 5].map((host) => this.host(host)).join(', ') },
      SIPTRUST_GROUPS: { string: GROUPS },
      SIPTRUST_HTTP_1: { string: `siptrust1=>http://${sidecar}:7061/rpc` },
      ...((this.#options.lua ?? process.env.SIPTRUST_SCRIPT === 'lua') ? { CSCF_LUA: { string: CSCF_LUA } } : {}),
    };
  }

  #keep(caller: Caller): Caller {
    this.#open.push({ stop: () => caller.close() });
    return caller;
  }
}
