/** The stage of the OpenSIPS tests: our network, the partners A and B, and strangers. */

import { join } from 'node:path';
import { type Caller, tcpCaller, tlsCaller, udpCaller } from './caller.js';
import { Daemon, type Policy, type StandardPolicy, type Terms } from './daemon.js';
import { Opensips, type OpensipsBuild, type OpensipsOptions } from './opensips.js';
import { type Authority, type CertificateTerms, type Identity, installIdentity, Pki } from './pki.js';
import { eventually, loopbackBlock, runDirectory, upOrEnded } from './places.js';
import { Relay } from './relay.js';
import { Uas, type UasOptions } from './uas.js';

export interface OpensipsNetworkOptions extends Partial<Pick<OpensipsOptions, 'tcpWorkers' | 'patience' | 'plugin'>> {
  readonly build: OpensipsBuild;
  readonly uas?: UasOptions;
  /** Settings of siptrust.cfg other than these, as the file writes them. */
  readonly settings?: OpensipsOptions['settings'] | ((host: (host: number) => string) => OpensipsOptions['settings']);
  /** Changes the script before it runs. */
  readonly edit?: (sample: string, host: (host: number) => string) => string;
  /** The policy, made out of the standard one. */
  readonly policy?: (standard: StandardPolicy, host: (host: number) => string) => Policy;
  /** No siptrustd is started. */
  readonly alone?: boolean;
}

/** What an agreement says where the proxy is an OpenSIPS: whose certificates, since it can hand over none. */
export function agreementByWords(name: string, domain: string, anchor: Authority, more: object = {}): Terms {
  const terms = { name, domains: [domain], mechanism: 'tls', anchors: [anchor.certificate], revocation: 'off' };
  return { ...terms, interconnect: 'non-roaming', issuer: { commonName: anchor.name }, ...more };
}

export class OpensipsNetwork {
  readonly host = loopbackBlock();
  readonly pki: Pki;
  readonly operatorA: Authority;
  readonly operatorB: Authority;
  readonly daemon: Daemon;
  readonly directory: string;
  readonly #remove: () => void;
  readonly #callers: Caller[] = [];
  #proxy: Opensips | undefined;
  #relay: Relay | undefined;
  #uas: Uas | undefined;

  private constructor(readonly options: OpensipsNetworkOptions) {
    const { path, remove } = runDirectory();
    this.directory = path;
    this.#remove = remove;
    this.pki = new Pki(join(path, 'pki'));
    this.operatorA = this.pki.authority('Operator A');
    this.operatorB = this.pki.authority('Operator B');
    this.daemon = new Daemon(this.host(1), path);
  }

  static start(options: OpensipsNetworkOptions): Promise<OpensipsNetwork> {
    const network = new OpensipsNetwork(options);
    return upOrEnded(network, () => network.#start());
  }

  async #start(): Promise<void> {
    const { build, settings, edit, plugin, tcpWorkers, patience, policy = (standard) => standard } = this.options;
    const set = typeof settings === 'function' ? settings(this.host) : settings;
    this.daemon.write(policy(this.standardPolicy, this.host));
    if (this.options.alone !== true) await this.daemon.start();
    const own = this.pki.authority('Own Operator');
    const tls = join(this.directory, 'tls');
    const identity = this.pki.certificate({ issuer: own, names: ['DNS:own.example', 'URI:sip:own.example'] });
    installIdentity(identity, this.pki.bundle([this.operatorA, this.operatorB]), tls);
    this.#relay = await Relay.start(this.host(8), this.host(1));
    this.#uas = await Uas.start(this.called, this.options.uas);
    this.#proxy = await Opensips.start({
      ...{ build, tls, inside: this.host(4), outside: this.address, called: this.called, sidecar: this.host(8) },
      directory: join(this.directory, 'opensips'),
      ...(set === undefined ? {} : { settings: set }),
      ...(edit === undefined ? {} : { edit: (sample: string) => edit(sample, this.host) }),
      ...(plugin === undefined ? {} : { plugin }),
      ...(tcpWorkers === undefined ? {} : { tcpWorkers }),
      ...(patience === undefined ? {} : { patience }),
    });
    if (this.options.alone !== true) await this.polled();
  }

  /** Our proxy, as other networks see it. */
  get address(): string {
    return this.host(2);
  }

  /** Where it listens for our own side. */
  get inside(): string {
    return this.host(4);
  }

  /** Our called party: the only address that is inside. */
  get called(): string {
    return this.host(3);
  }

  get proxy(): Opensips {
    if (this.#proxy === undefined) throw new Error('the proxy is not started');
    return this.#proxy;
  }

  get uas(): Uas {
    if (this.#uas === undefined) throw new Error('the called party is not started');
    return this.#uas;
  }

  get standardPolicy(): StandardPolicy {
    return {
      own_domains: ['own.example'],
      agreements: [
        agreementByWords('op-a', 'a.example', this.operatorA),
        agreementByWords('op-b', 'b.example', this.operatorB),
      ],
    };
  }

  /** What the proxy asks siptrustd passes here. */
  get relay(): Relay {
    if (this.#relay === undefined) throw new Error('the relay is not started');
    return this.#relay;
  }

  /** Waits until the proxy has heard the revision in force: a poll that hung may end beside those that came after it. */
  async polled(): Promise<void> {
    const before = this.relay.count('core.status');
    await eventually('the proxy polls', () => this.relay.count('core.status') > before + 3);
  }

  /** A certificate of partner A for a.example, except where `terms` differ. */
  certificateOfA(terms: Partial<CertificateTerms> = {}): Identity {
    return this.pki.certificate({ issuer: this.operatorA, names: ['DNS:a.example'], ...terms });
  }

  /** A TLS connection; `source`: from this address and port, as soon as they are free. */
  async tls(identity?: Identity, source?: { readonly address: string; readonly port: number }): Promise<Caller> {
    if (source === undefined) return this.#kept(await tlsCaller(this.address, 5061, identity));
    const { address, port } = source;
    const take = () => tlsCaller(this.address, 5061, identity, address, undefined, port).catch(() => undefined);
    return this.#kept(await eventually(`${address}:${port} is free`, take));
  }

  async tcp(): Promise<Caller> {
    return this.#kept(await tcpCaller(this.address, 5060));
  }

  async udp(): Promise<Caller> {
    return this.#kept(await udpCaller(this.address, 5060, this.host(9)));
  }

  /** A user of our own side. */
  async user(): Promise<Caller> {
    return this.#kept(await udpCaller(this.inside, 5060, this.called));
  }

  #kept(caller: Caller): Caller {
    this.#callers.push(caller);
    return caller;
  }

  async stop(): Promise<void> {
    for (const caller of this.#callers) if (!caller.closed) caller.close();
    await this.#proxy?.stop();
    this.#relay?.stop();
    await this.daemon.stop();
    this.#uas?.stop();
    this.#remove();
  }
}
