/**
 * Where a request goes next, by which transport, and whether the next hop does TLS: RFC 3263 §4 as a function of the DNS
 * answers collected so far. It opens no socket: it says which questions are still open, and a resolver asks them.
 *
 * Two rules go beyond RFC 3263. Once TLS is on offer, no less secure record is tried after it (rulebook N-9). And the
 * domain that a certificate must name stays the one that was asked for, whatever DNS made of it (O-3, RFC 5922 §4).
 */

import { quoted } from '../../printable.js';
import type { Finding } from '../../reasons.js';
import { notOneHost, parseAddress } from '../address/index.js';
import { type DnsAnswer, type DnsAnswers, dnsName } from '../dns/index.js';
import { Lookups, MAX_RECORDS } from './lookups.js';
import { isServiceName, type OfferedService, preferredServices, sipServices } from './naptr.js';
import type {
  NextHopAnswer,
  NextHopOptions,
  NextHopQuestion,
  NextHopStep,
  NextHopTarget,
  TlsCapability,
} from './question.js';
import { orderSrv } from './srv-order.js';
import { HOP_TRANSPORTS, type HopTransport, transportOf } from './transport.js';

/** A transport to try, the name of its SRV records, and whether the domain offers TLS before it. */
interface Service {
  readonly transport: HopTransport;
  readonly owner: string;
  readonly fallback: boolean;
}

/** A host and port to reach by one transport. */
interface Route {
  readonly transport: HopTransport;
  readonly host: string;
  readonly port: number;
  readonly fallback: boolean;
}

/**
 * One step: either the DNS questions that must be answered before another step, or the targets. A question that needs no
 * DNS, or cannot be met, is done at once. No targets: do not send; the findings say why. At most three rounds: NAPTR, SRV,
 * addresses.
 */
export function nextHops(question: NextHopQuestion, answers: DnsAnswers, options: NextHopOptions): NextHopStep {
  const lookups = new Lookups(answers);
  const choice = new Choice(question, lookups, options);
  const targets = choice.targets();
  return lookups.open.length > 0 ? { kind: 'ask', queries: lookups.open } : choice.done(targets);
}

class Choice {
  readonly #question: NextHopQuestion;
  readonly #lookups: Lookups;
  readonly #options: NextHopOptions;
  /** sips:, or TLS is a must: nothing else is looked at (N-4). */
  readonly #secure: boolean;
  /** What DNS, or the transport parameter, says of TLS; undefined: neither was asked. */
  #offer: TlsCapability | undefined;
  #tlsOffered = false;

  constructor(question: NextHopQuestion, lookups: Lookups, options: NextHopOptions) {
    this.#question = question;
    this.#lookups = lookups;
    this.#options = options;
    this.#secure = question.scheme === 'sips' || options.tls === 'required';
  }

  done(targets: readonly NextHopTarget[]): NextHopAnswer {
    const { host } = this.#question;
    const subject = host.kind === 'domain' ? host.name : host.address;
    const offer = this.#offer;
    if (offer === 'no' && this.#secure) {
      this.#lookups.find('tls-downgrade', `TLS is required towards ${subject}, and its DNS records offer none`);
    } else if (this.#options.tlsSeen && (offer === 'no' || (offer === 'unknown' && targets.length > 0))) {
      this.#lookups.find('tls-downgrade', `${subject} offered TLS before, and its DNS records do not now`);
    }
    if (targets.length === 0) {
      const failed = this.#lookups.findings
        .flatMap(({ code, detail }) => (code === 'dns-failed' ? [detail] : []))
        .slice(0, 3);
      const why = failed.length === 0 ? '' : ` (${failed.join('; ')})`;
      this.#lookups.find('no-next-hop', `no address of ${subject} is left to try${why}`);
    }
    // A URI or an agreement that demands TLS is as good as a record (rulebook §7.2), but not against one.
    const tls = this.#secure && offer !== 'no' ? 'yes' : (offer ?? 'unknown');
    return {
      kind: 'done',
      targets,
      tls,
      ttl: this.#lookups.ttl,
      authentic: this.#lookups.authentic,
      tlsOffered: this.#tlsOffered,
      findings: this.#lookups.findings,
    };
  }

  targets(): readonly NextHopTarget[] {
    const { host, port, transport: parameter } = this.#question;
    if (parameter === undefined && port === undefined && host.kind === 'domain') return this.#byNaptr(host.name);
    const transport = parameter === undefined ? this.#defaultTransport() : transportOf(parameter, this.#secure);
    if (transport === undefined || !this.#options.transports.includes(transport)) {
      const asked = parameter === undefined ? 'by default' : quoted(parameter, 80);
      this.#lookups.find('no-next-hop', `transport ${asked}${this.#secure ? ' with TLS' : ''} cannot be used`);
      return [];
    }
    if (parameter !== undefined && HOP_TRANSPORTS[transport].secure) this.#offer = 'yes';
    // N-2: an address, or a port, leaves nothing for NAPTR and SRV to say.
    if (host.kind === 'ip') {
      const address = this.#hostAddress(host.address, 'the URI', 'no-next-hop');
      if (address === undefined) return [];
      return [{ ...this.#targetOf(transport, false), address, port: port ?? HOP_TRANSPORTS[transport].port }];
    }
    if (port !== undefined) return this.#addressed([{ transport, host: host.name, port, fallback: false }]);
    return this.#byTransport(transport, host.name);
  }

  /** RFC 3263 §4.2: the transport is known, its SRV records give host and port. */
  #byTransport(transport: HopTransport, domain: string): readonly NextHopTarget[] {
    const service = serviceOf(transport, domain);
    const answer = this.#lookups.answer('SRV', service.owner);
    if (HOP_TRANSPORTS[transport].secure && answer?.kind === 'records' && !hasTarget(answer)) this.#offer = 'no';
    return this.#bySrv([service], transport, domain);
  }

  /** RFC 3263 §4.1: NAPTR chooses the transport; where there is none, the SRV records that exist. */
  #byNaptr(domain: string): readonly NextHopTarget[] {
    const answer = this.#lookups.answer('NAPTR', domain);
    if (this.#lookups.stopped) return [];
    const usable = this.#options.transports.filter((name) => HOP_TRANSPORTS[name].secure || !this.#secure);
    const { services: offered, ignored } = sipServices(answer?.kind === 'records' ? answer.records : []);
    // Capped in the order in which they count: a zone may hold records of other applications, and many.
    const candidates = offered.filter(({ transport }) => usable.includes(transport));
    const services = this.#lookups.capped(candidates, 'NAPTR');
    for (const detail of ignored.slice(0, MAX_RECORDS)) this.#lookups.find('dns-ignored', detail);
    if (offered.length > 0) return this.#byOffer(offered, services, usable, domain);
    return this.#byAnySrv(usable, domain, answer?.kind !== 'failed');
  }

  /** @param services those of `offered` that are tried; that TLS is among them counts wherever it stands */
  #byOffer(
    offered: readonly OfferedService[],
    services: readonly OfferedService[],
    usable: readonly HopTransport[],
    domain: string,
  ): readonly NextHopTarget[] {
    if (offered.some(({ transport }) => HOP_TRANSPORTS[transport].secure)) {
      this.#offer = 'yes';
      this.#tlsOffered = true;
      const chosen = preferredServices(services, usable);
      return this.#bySrv(this.#withoutDowngrade(chosen, isSecure), chosen[0]?.transport, domain);
    }
    // Without SIPS in NAPTR an SRV record may still say it (§7.2). It does not change the choice of a sip: URI.
    const tls = serviceOf('tls', domain);
    const probe = this.#lookups.answer('SRV', tls.owner);
    if (this.#lookups.stopped) return [];
    this.#tlsOffered = probe !== undefined && hasTarget(probe);
    this.#offer = this.#tlsOffered ? 'yes' : probe?.kind === 'failed' ? 'unknown' : 'no';
    if (this.#secure) return usable.includes('tls') ? this.#bySrv([tls], undefined, domain) : [];
    const chosen = preferredServices(services, usable).map((service) => ({ ...service, fallback: false }));
    return this.#bySrv(chosen, chosen[0]?.transport, domain);
  }

  /**
   * No NAPTR: SRV for each transport that we can use (N-6), and for TLS even if we cannot, to know whether it is offered.
   * `settled`: there are none indeed; a question that failed may have been kept from saying TLS.
   */
  #byAnySrv(usable: readonly HopTransport[], domain: string, settled: boolean): readonly NextHopTarget[] {
    const services = usable.map((transport) => serviceOf(transport, domain));
    const asked = usable.includes('tls') || this.#secure ? services : [...services, serviceOf('tls', domain)];
    const answers = asked.map((service) => ({ ...service, answer: this.#lookups.answer('SRV', service.owner) }));
    if (this.#lookups.stopped) return [];
    const secure = answers.filter(isSecure);
    this.#tlsOffered = secure.some(({ answer }) => answer && hasTarget(answer));
    if (this.#tlsOffered) this.#offer = 'yes';
    else if (secure.some(({ answer }) => answer?.kind === 'failed')) this.#offer = 'unknown';
    // The domain keeps SRV records, and none for TLS; where it keeps none at all, nothing is said.
    else this.#offer = settled && answers.some(({ answer }) => answer?.kind === 'records') ? 'no' : 'unknown';
    const offers = ({ owner }: Service) =>
      secure.some((service) => service.owner === owner && service.answer !== undefined && hasTarget(service.answer));
    return this.#bySrv(this.#withoutDowngrade(services, offers), this.#defaultTransport(), domain);
  }

  /** N-9: after a service that offers TLS nothing less secure, unless that is allowed, and then marked. */
  #withoutDowngrade(
    services: readonly Omit<Service, 'fallback'>[],
    offersTls: (service: Service) => boolean,
  ): readonly Service[] {
    let offered = false;
    return services.flatMap(({ transport, owner }) => {
      const service = { transport, owner, fallback: offered && !isSecure({ transport }) };
      offered ||= offersTls(service);
      if (!service.fallback || this.#options.allowTlsFallback) return [service];
      this.#lookups.find('dns-ignored', `${HOP_TRANSPORTS[transport].service} is not tried: the domain offers TLS`);
      return [];
    });
  }

  /** SRV records of the services in turn; where there is none at all, the addresses of the domain (RFC 3263 §4.2). */
  #bySrv(services: readonly Service[], otherwise: HopTransport | undefined, domain: string): readonly NextHopTarget[] {
    const found = services.map((service) => ({ service, answer: this.#lookups.answer('SRV', service.owner) }));
    if (this.#lookups.stopped) return [];
    // A failed question is no answer: who suppresses one must not choose host and port for us.
    if (otherwise !== undefined && found.every(({ answer }) => answer?.kind === 'none')) {
      const { port } = HOP_TRANSPORTS[otherwise];
      return this.#addressed([{ transport: otherwise, host: domain, port, fallback: false }]);
    }
    return this.#addressed(
      found.flatMap(({ service, answer }) => (answer?.kind === 'records' ? this.#routes(service, answer) : [])),
    );
  }

  #routes({ transport, owner, fallback }: Service, answer: DnsAnswer<'SRV'> & { kind: 'records' }): readonly Route[] {
    const routes: Route[] = [];
    for (const record of this.#lookups.capped(orderSrv(answer.records, mixed(this.#options.seed, owner)), 'SRV')) {
      const host = dnsName(record.target);
      // RFC 2782: "." says that the service is decidedly not available.
      if (host === '') continue;
      if (!isServiceName(host) || parseAddress(host) || !(record.port >= 1 && record.port <= 65535)) {
        const found = `${quoted(record.target, 80)}, port ${record.port}`;
        this.#lookups.find('dns-ignored', `SRV ${owner}: expected a host name and a port, found ${found}`);
        continue;
      }
      routes.push({ transport, host, port: record.port, fallback });
    }
    return routes;
  }

  /** A and AAAA of each route, in order: addresses never change place across SRV records (RFC 7984 §4). */
  #addressed(routes: readonly Route[]): readonly NextHopTarget[] {
    const targets = new Map<string, NextHopTarget>();
    for (const { transport, host, port, fallback } of routes.slice(0, MAX_RECORDS)) {
      const answers = this.#options.families.map((family) => ({ family, answer: this.#lookups.answer(family, host) }));
      // RFC 7673 §3.2: a host with a bogus address is not used; others may be.
      if (answers.some(({ answer }) => answer?.kind === 'bogus')) continue;
      for (const { family, answer } of answers) {
        for (const text of answer?.kind === 'records' ? this.#lookups.capped(answer.records, family) : []) {
          const address = this.#hostAddress(text, `${family} ${host}`, 'dns-ignored');
          const key = `${transport} ${address} ${port}`;
          if (address === undefined || targets.has(key)) continue;
          targets.set(key, { ...this.#targetOf(transport, fallback), address, port });
        }
      }
    }
    return this.#lookups.stopped ? [] : [...targets.values()];
  }

  /** Canonical text; undefined: it is none of a host that something can be sent to. */
  #hostAddress(text: string, subject: string, code: Finding['code']): string | undefined {
    const address = parseAddress(text);
    const why = address && notOneHost(address);
    if (why !== undefined) this.#lookups.find(code, `${subject}: ${why}`);
    return why === undefined ? address?.text : undefined;
  }

  #targetOf(transport: HopTransport, fallback: boolean): Omit<NextHopTarget, 'address' | 'port'> {
    const { host } = this.#question;
    const reference = host.kind === 'domain' ? host.name : undefined;
    return { transport, secure: HOP_TRANSPORTS[transport].secure, reference, fallback };
  }

  /** RFC 3263 §4.1: UDP for sip:, TLS over TCP for sips:; what we can use next where we have none. */
  #defaultTransport(): HopTransport | undefined {
    const secure: readonly HopTransport[] = ['tls', 'tls-sctp', 'wss'];
    const order = this.#secure ? secure : (['udp', 'tcp', 'sctp', 'ws', ...secure] as const);
    return order.find((name) => this.#options.transports.includes(name));
  }
}

function serviceOf(transport: HopTransport, domain: string): Service {
  return { transport, owner: `${HOP_TRANSPORTS[transport].srv}.${domain}`, fallback: false };
}

function isSecure({ transport }: { readonly transport: HopTransport }): boolean {
  return HOP_TRANSPORTS[transport].secure;
}

function hasTarget(answer: DnsAnswer<'SRV'>): boolean {
  return answer.kind === 'records' && answer.records.some(({ target }) => dnsName(target) !== '');
}

/** A seed of its own for each set of records, so that two sets do not pick alike (FNV-1a). */
function mixed(seed: number, owner: string): number {
  let hash = seed ^ 0x811c9dc5;
  for (let at = 0; at < owner.length; at++) hash = Math.imul(hash ^ owner.charCodeAt(at), 0x01000193);
  return hash;
}
