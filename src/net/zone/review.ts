/**
 * What a domain's DNS records are worth to those who want to reach it by SIP over TLS (RFC 3263, RFC 2782, RFC 5922), as a
 * function of the answers collected so far: it says which questions are still open, and somebody asks them.
 */

import { quoted } from '../../printable.js';
import { parseAddress } from '../address/index.js';
import { type AnswersByName, type DnsAnswers, type DnsQuery, type DnsType, dnsName } from '../dns/index.js';
import { HOP_TRANSPORTS, type HopTransport, isServiceName, type OfferedService, sipServices } from '../hop/index.js';
import { isInside } from './lines.js';

export interface ZoneFinding {
  /** `error`: others do not reach the domain by TLS, or not safely. `warning`: some of them. `info`: worth knowing. */
  readonly severity: 'error' | 'warning' | 'info';
  /** Stable kebab-case name. */
  readonly rule: keyof typeof ZONE_RULES;
  readonly clause: string;
  /** What was expected and what was found. */
  readonly text: string;
}

/** An address at which the domain offers TLS. */
export interface ZoneTarget {
  readonly host: string;
  readonly address: string;
  readonly port: number;
}

export type ZoneReview =
  | { readonly kind: 'ask'; readonly queries: readonly DnsQuery[] }
  | { readonly kind: 'done'; readonly findings: readonly ZoneFinding[]; readonly targets: readonly ZoneTarget[] };

/** Every rule with its clause. */
export const ZONE_RULES = {
  'no-naptr': { severity: 'error', clause: 'RFC 3263 §4.1' },
  'no-sips': { severity: 'error', clause: 'RFC 3263 §4.1' },
  'sips-udp': { severity: 'error', clause: 'RFC 3263 §4.1' },
  'tls-not-first': { severity: 'error', clause: 'RFC 3263 §4.1' },
  'tls-by-preference': { severity: 'warning', clause: 'RFC 3403 §4.1' },
  'no-tcp': { severity: 'warning', clause: 'RFC 3263 §4.1' },
  'no-udp': { severity: 'warning', clause: 'RFC 3263 §4.1' },
  'naptr-form': { severity: 'error', clause: 'RFC 3263 §4.1' },
  'no-srv': { severity: 'error', clause: 'RFC 3263 §4.2' },
  'srv-off': { severity: 'error', clause: 'RFC 2782' },
  'srv-form': { severity: 'error', clause: 'RFC 2782' },
  'srv-alias': { severity: 'error', clause: 'RFC 2782' },
  'other-srv': { severity: 'warning', clause: 'RFC 3263 §4.1' },
  'port-shared': { severity: 'error', clause: 'RFC 3261 §18.2.1' },
  'no-address': { severity: 'error', clause: 'RFC 3263 §4.2' },
  'target-elsewhere': { severity: 'info', clause: 'RFC 5922 §4' },
  'dns-failed': { severity: 'error', clause: 'RFC 3263 §4' },
} as const satisfies Record<string, { severity: ZoneFinding['severity']; clause: string }>;

const WEIGHTS: Readonly<Record<ZoneFinding['severity'], number>> = { error: 0, warning: 1, info: 2 };
/** What a domain should offer at least. */
const EXPECTED: readonly HopTransport[] = ['tls', 'tcp', 'udp'];

interface Place {
  readonly transport: HopTransport;
  readonly host: string;
  readonly port: number;
}

/** Reviews the records of a domain (lower case, without a trailing dot). Errors first. */
export function reviewZone(domain: string, answers: DnsAnswers): ZoneReview {
  const review = new Review(domain, answers);
  const targets = review.targets();
  if (review.open.size > 0) return { kind: 'ask', queries: [...review.open.values()] };
  const findings = [...review.findings].sort((a, b) => WEIGHTS[a.severity] - WEIGHTS[b.severity]);
  return { kind: 'done', findings, targets };
}

class Review {
  readonly open = new Map<string, DnsQuery>();
  readonly findings: ZoneFinding[] = [];
  readonly #domain: string;
  readonly #answers: DnsAnswers;

  constructor(domain: string, answers: DnsAnswers) {
    this.#domain = domain;
    this.#answers = answers;
  }

  targets(): readonly ZoneTarget[] {
    const owners = this.#owners();
    const places = [...owners].flatMap(([owner, transport]) => this.#places(owner, transport));
    this.#shared(places);
    return places.flatMap((place) => this.#addresses(place));
  }

  #tell(rule: ZoneFinding['rule'], text: string): void {
    if (this.findings.some((finding) => finding.rule === rule && finding.text === text)) return;
    this.findings.push({ ...ZONE_RULES[rule], rule, text });
  }

  /** Names of SRV records with the transport they are for: those that NAPTR names, and those that RFC 3263 makes up. */
  #owners(): ReadonlyMap<string, HopTransport> {
    const made = new Map(EXPECTED.map((name) => [`${HOP_TRANSPORTS[name].srv}.${this.#domain}`, name] as const));
    const answer = this.#answer('NAPTR', this.#domain);
    if (answer === undefined) return new Map();
    const { services, ignored } = sipServices(answer.kind === 'records' ? answer.records : []);
    if (answer.kind === 'none' || (answer.kind === 'records' && services.length === 0)) {
      this.#tell(
        'no-naptr',
        `expected NAPTR records of SIP at ${this.#domain}, found none: nothing says that TLS comes first`,
      );
    }
    for (const text of ignored) this.#tell(/^NAPTR "SIPS\+D2U"/i.test(text) ? 'sips-udp' : 'naptr-form', text);
    if (services.length > 0) this.#order(services);
    const owners = new Map(services.map(({ owner, transport }) => [owner, transport] as const));
    for (const [owner, transport] of made) {
      if (owners.has(owner)) continue;
      const offered = services.some((service) => service.transport === transport);
      const there = this.#answer('SRV', owner);
      if (there?.kind === 'none' && offered) {
        const text = `expected SRV ${owner} too, found none: who does not ask for NAPTR asks for it`;
        this.#tell('other-srv', text);
      } else if (there?.kind === 'records') {
        owners.set(owner, transport);
      }
    }
    return owners;
  }

  /** TLS comes first by order, and all that must be there is. */
  #order(services: readonly OfferedService[]): void {
    const secure = services.filter(({ transport }) => HOP_TRANSPORTS[transport].secure);
    const plain = services.filter(({ transport }) => !HOP_TRANSPORTS[transport].secure);
    for (const [transport, rule] of [
      ['tls', 'no-sips'],
      ['tcp', 'no-tcp'],
      ['udp', 'no-udp'],
    ] as const) {
      if (services.some((service) => service.transport === transport)) continue;
      this.#tell(rule, `expected a NAPTR record with the service ${HOP_TRANSPORTS[transport].service}, found none`);
    }
    const [best] = [...secure].sort(byOrder);
    const [other] = [...plain].sort(byOrder);
    if (best === undefined || other === undefined || best.order < other.order) return;
    const text = `expected TLS to have the lowest order, found ${told(best)} and ${told(other)}`;
    const first = best.order === other.order && best.preference < other.preference;
    this.#tell(first ? 'tls-by-preference' : 'tls-not-first', text);
  }

  #places(owner: string, transport: HopTransport): readonly Place[] {
    const answer = this.#answer('SRV', owner);
    if (answer?.kind === 'none') this.#tell('no-srv', `expected SRV records at ${owner}, found none`);
    if (answer?.kind !== 'records') return [];
    return answer.records.flatMap(({ target, port }) => {
      const host = dnsName(target);
      if (host === '') {
        this.#tell('srv-off', `SRV ${owner}: the target "." says that there is no such service`);
        return [];
      }
      if (!isServiceName(host) || parseAddress(host) !== undefined || port === 0) {
        this.#tell(
          'srv-form',
          `SRV ${owner}: expected a host name and a port, found ${quoted(target, 80)}, port ${port}`,
        );
        return [];
      }
      if (HOP_TRANSPORTS[transport].secure && !isInside(host, this.#domain)) {
        this.#tell(
          'target-elsewhere',
          `SRV ${owner}: the certificate of ${host} has to name ${this.#domain} all the same`,
        );
      }
      return [{ transport, host, port }];
    });
  }

  /** TLS and TCP cannot be told apart on one port. */
  #shared(places: readonly Place[]): void {
    for (const { host, port } of places.filter(({ transport }) => transport === 'tls')) {
      if (!places.some((other) => other.transport === 'tcp' && other.host === host && other.port === port)) continue;
      this.#tell('port-shared', `expected a port of its own for TLS, found TCP and TLS both at ${host} port ${port}`);
    }
  }

  #addresses({ transport, host, port }: Place): readonly ZoneTarget[] {
    const answers = (['A', 'AAAA'] as const).map((type) => this.#answer(type, host));
    if (answers.some((answer) => answer?.aliased === true)) {
      this.#tell('srv-alias', `expected the SRV target ${host} to have addresses of its own, found an alias (CNAME)`);
    }
    const addresses = answers.flatMap((answer) => (answer?.kind === 'records' ? answer.records : []));
    if (addresses.length === 0 && answers.every((answer) => answer?.kind === 'none')) {
      this.#tell('no-address', `expected A or AAAA records of ${host}, found none`);
    }
    return transport === 'tls' ? addresses.map((address) => ({ host, address, port })) : [];
  }

  #answer<T extends DnsType>(type: T, name: string) {
    const answers: AnswersByName<T> = this.#answers[type];
    const known = answers.get(name);
    if (known === undefined) this.open.set(`${type} ${name}`, { type, name });
    else if (known.kind === 'failed' || known.kind === 'bogus') this.#tell('dns-failed', `${type} ${name}: no answer`);
    return known;
  }
}

function byOrder(a: OfferedService, b: OfferedService): number {
  return a.order - b.order || a.preference - b.preference;
}

function told({ transport, order, preference }: OfferedService): string {
  return `${HOP_TRANSPORTS[transport].service} with order ${order}, preference ${preference}`;
}
