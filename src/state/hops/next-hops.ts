/** Next hops out of the DNS answers at hand; what is missing is asked for in the background (rulebook §7). */

import { LRUCache } from 'lru-cache';
import { hasPassed } from '../../elapsed.js';
import type { Logger } from '../../log/index.js';
import { DEFAULT_SETTINGS, type DnsSettings } from '../../policy/settings/index.js';
import { parentOf, type Snapshot } from '../../trust/agreement/index.js';
import { type HopQuestion, questionOfDomain } from '../../trust/evidence/index.js';
import { coversOut, findHop, type Hop, type HopOptions } from '../../trust/hop/index.js';
import type { TlsSeenStore } from '../store/index.js';
import type { Counters } from '../verdicts/index.js';
import { DnsResolver, type Whose } from './dns-resolver.js';
import { TlsMemory } from './tls-memory.js';

/** What the proxy can use. */
export type HopAbility = Pick<HopOptions, 'transports' | 'families'>;

export interface NextHopsDependencies {
  readonly settings: DnsSettings;
  readonly clock: () => number;
  readonly log: Logger;
  /**
   * Decides among equal SRV records. One for the whole run: the connections that a proxy keeps up are then to the
   * targets that it is told of.
   */
  readonly seed: number;
  /** Keeps over restarts which partners offer TLS; undefined: nothing is kept. */
  readonly store?: TlsSeenStore | undefined;
}

/** NAPTR, SRV and addresses are three rounds; what ends meanwhile may take some of them again. */
const MOST_ROUNDS = 8;
/** Searches under way at once for domains of no agreement: more is somebody who makes us ask. */
const MOST_SEARCHES = 1000;
/** For each domain of an agreement: ports, schemes and transports differ. */
const MOST_SEARCHES_OF_PARTNER = 16;
/** Partners' domains are looked after for so long after somebody asked for the list. */
const LIST_MS = 600_000;
const LOOK_MS = 1000;
/** One alarm line a domain in this time. */
const ALARM_MS = 3_600_000;
const MOST_ALARMS = 10_000;

/** Next hops by URI and DNS (RFC 3263): from memory at once, and asked for in the background. */
export class NextHops {
  readonly #deps: NextHopsDependencies;
  readonly #resolver: DnsResolver;
  #count: (name: string) => void = () => {};
  readonly #searches = new Map<string, Promise<void>>();
  /** How many of them there are for each partner's domain, and for all others together (''). */
  readonly #places = new Map<string, number>();
  readonly #memory: TlsMemory;
  /** When the alarm of a domain was told. */
  readonly #alarmed: LRUCache<string, number>;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: NextHopsDependencies) {
    this.#deps = deps;
    const { settings, clock } = deps;
    this.#resolver = new DnsResolver({ settings, clock, count: (name) => this.#count(name) });
    this.#memory = new TlsMemory(deps);
    this.#alarmed = new LRUCache({ max: MOST_ALARMS });
  }

  /**
   * With what an earlier run has seen of partners.
   * @throws {StoreError}
   */
  static async open(deps: NextHopsDependencies): Promise<NextHops> {
    const hops = new NextHops(deps);
    await hops.#memory.load();
    return hops;
  }

  /** Where it counts. */
  start(counters: Counters): void {
    this.#count = (name) => counters.add(name);
  }

  /** The answer at once; where questions are open they are asked in the background. */
  find(question: HopQuestion, ability: HopAbility, snapshot: Snapshot): Hop {
    const hop = this.#look(question, ability, snapshot);
    if (hop.status === 'pending') void this.#search(question, ability, snapshot);
    return hop;
  }

  /** The answer as soon as it is known, but not later than in `ms` milliseconds, under the policy in force by then. */
  async wait(question: HopQuestion, ability: HopAbility, snapshot: () => Snapshot, ms: number): Promise<Hop> {
    const hop = this.#look(question, ability, snapshot());
    if (hop.status !== 'pending') return hop;
    await within(ms, this.#search(question, ability, snapshot()));
    return this.#look(question, ability, snapshot());
  }

  /** The domains that agreements in force cover by TLS in direction out, in the order of the policy. */
  async list(limit: number, ability: HopAbility, snapshot: () => Snapshot, ms: number): Promise<readonly Hop[]> {
    const hops = (): readonly Hop[] =>
      partners(snapshot(), this.#deps.clock(), limit).map((domain) =>
        this.find(questionOfDomain(domain), ability, snapshot()),
      );
    this.#lookAfter(hops);
    const found = hops();
    const pending = found.filter(({ status }) => status === 'pending');
    if (ms === 0 || pending.length === 0) return found;
    const searches = pending.map(({ domain }) => this.#search(questionOfDomain(domain), ability, snapshot()));
    await within(ms, Promise.all(searches));
    return hops();
  }

  /** DNS answers that are kept. */
  get answers(): number {
    return this.#resolver.cache.size;
  }

  /** Forgets them: a partner has changed its zone. Which domains offered TLS stays known. */
  flush(): number {
    return this.#resolver.cache.flush();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#resolver.close();
    await Promise.all(this.#searches.values());
    await this.#memory.close();
  }

  /** Looking is what has answers asked for again before their time ends. */
  #lookAfter(hops: () => unknown): void {
    clearInterval(this.#timer);
    const until = this.#deps.clock() + LIST_MS;
    this.#timer = setInterval(() => {
      if (this.#deps.clock() > until) clearInterval(this.#timer);
      else hops();
    }, LOOK_MS);
    this.#timer.unref();
  }

  #look(question: HopQuestion, ability: HopAbility, snapshot: Snapshot): Hop {
    const { clock, seed, settings } = this.#deps;
    const tlsSeen = (domain: string): boolean => this.#memory.has(domain);
    const hop = findHop(question, snapshot, clock(), this.#resolver.answers, {
      ...{ ...ability, seed, tlsSeen },
      specialAddresses: settings.strangers === 'public' ? settings.addresses : undefined,
    });
    if (hop.tlsOffered) this.#memory.note(hop.domain, snapshot.byDomain.has(hop.domain));
    // What a URI asks for, and what strangers offer, is nothing that a partner has taken away.
    const vanished = hop.agreement !== undefined && !rulesOutTls(question);
    const downgrade = vanished ? hop.findings.find(({ code }) => code === 'tls-downgrade') : undefined;
    const now = clock();
    if (
      downgrade !== undefined &&
      hasPassed(this.#alarmed.get(hop.domain) ?? Number.NEGATIVE_INFINITY, ALARM_MS, now)
    ) {
      this.#alarmed.set(hop.domain, now);
      this.#count('dns.alarms');
      this.#deps.log.error('alarm: tls-downgrade', { domain: hop.domain, detail: downgrade.detail });
    }
    return hop;
  }

  #search(question: HopQuestion, ability: HopAbility, snapshot: Snapshot): Promise<void> {
    const key = JSON.stringify([question, ability]);
    const known = this.#searches.get(key);
    if (known !== undefined) return known;
    // A partner's place is taken up by its own domain alone: whatever users dial, partners are found.
    const partner = partnerDomain(question, snapshot);
    const place = partner ?? '';
    const taken = this.#places.get(place) ?? 0;
    if (taken >= (partner === undefined ? MOST_SEARCHES : MOST_SEARCHES_OF_PARTNER)) {
      this.#count('dns.searches.refused');
      return Promise.resolve();
    }
    this.#places.set(place, taken + 1);
    const whose = partner === undefined ? 'stranger' : 'partner';
    const search = this.#rounds(question, ability, snapshot, whose).finally(() => {
      this.#searches.delete(key);
      const left = (this.#places.get(place) ?? 1) - 1;
      if (left === 0) this.#places.delete(place);
      else this.#places.set(place, left);
    });
    this.#searches.set(key, search);
    return search;
  }

  async #rounds(question: HopQuestion, ability: HopAbility, snapshot: Snapshot, whose: Whose): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const { open } = this.#look(question, ability, snapshot);
      if (open.length === 0) return;
      await Promise.all(open.map((query) => this.#resolver.resolve(query, whose)));
    }
  }
}

/** The domain of an agreement that is searched for; undefined: of none. */
function partnerDomain(question: HopQuestion, { byDomain, byWildcard }: Snapshot): string | undefined {
  if ('why' in question || question.host.kind !== 'domain') return undefined;
  const { name } = question.host;
  if (byDomain.has(name)) return name;
  // Anybody may dial any label in front of a suffix: all of them share its places.
  const suffix = parentOf(name);
  return byWildcard.has(suffix) ? `*.${suffix}` : undefined;
}

/** Next hops for those who ask nobody: static targets and addresses alone. */
export function hopsWithoutDns(clock: () => number): NextHops {
  const quiet = () => {};
  const log: Logger = { error: quiet, warn: quiet, info: quiet, debug: quiet };
  return new NextHops({ settings: { ...DEFAULT_SETTINGS.dns, resolve: false }, clock, log, seed: 0 });
}

function partners({ agreements }: Snapshot, now: number, limit: number): readonly string[] {
  const domains: string[] = [];
  const outwards = agreements.where(
    ({ mechanism, enabled, directions }) => mechanism === 'tls' && enabled && directions.includes('out'),
  );
  for (const agreement of outwards) {
    if (!coversOut(agreement, now)) continue;
    domains.push(...agreement.domains);
    if (domains.length >= limit) break;
  }
  return domains.slice(0, limit);
}

/** Settles with `work`, or after `ms` milliseconds. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, patience]);
  clearTimeout(timer);
}

/** Whether the URI itself asks for a transport without TLS. */
function rulesOutTls(question: HopQuestion): boolean {
  if ('why' in question) return false;
  const { scheme, transport = 'tls' } = question;
  return transport !== 'tls' && !(scheme === 'sips' && transport === 'tcp');
}
