/** Asks DNS in the background and keeps what it learns: nobody who asks here waits for a server unless he wants to. */

import { readFileSync } from 'node:fs';
import { hasPassed } from '../../elapsed.js';
import {
  type DnsAnswer,
  type DnsAnswers,
  type DnsQuery,
  listedResolvers,
  type ResolverAddress,
} from '../../net/dns/index.js';
import type { DnsSettings } from '../../policy/settings/index.js';
import { DnsCache } from './dns-cache.js';
import { askDns, type DnsServers, type DnsSilence } from './dns-exchange.js';

export interface DnsResolverDependencies {
  readonly settings: DnsSettings;
  readonly clock: () => number;
  /** Counts something by its dotted name. */
  readonly count: (name: string) => void;
  readonly ask?: (query: DnsQuery, from: DnsServers, stop: AbortSignal) => Promise<DnsAnswer | DnsSilence>;
}

/** Whom a question is for: a domain of an agreement, or any other that somebody dialled. */
export type Whose = 'partner' | 'stranger';

/** Questions under way at once, and those that wait for a place: more is somebody who asks for us to ask. */
const MOST_AT_ONCE = 64;
const MOST_WAITING = 2000;
/** Places beyond these that partners' questions alone may take. */
const RESERVED = 32;
/** resolv.conf is read again after this time. */
const REREAD_MS = 10_000;
const RESOLV_CONF = '/etc/resolv.conf';

function most(whose: Whose): number {
  return whose === 'partner' ? MOST_AT_ONCE + RESERVED : MOST_AT_ONCE;
}

/** Asks the resolvers of the settings, and keeps what they say by its ttl. */
export class DnsResolver {
  readonly cache: DnsCache;
  readonly #deps: DnsResolverDependencies;
  readonly #underWay = new Map<string, Promise<void>>();
  /** Who waits for a place, by key: partners' questions are asked first. */
  readonly #waiting: Readonly<Record<Whose, Map<string, () => void>>> = { partner: new Map(), stranger: new Map() };
  readonly #stop = new AbortController();
  #running = 0;
  #listed: { readonly servers: readonly ResolverAddress[]; readonly readAt: number } | undefined;
  /** Why the last question that failed did. */
  lastFailure = '';

  constructor(deps: DnsResolverDependencies) {
    this.#deps = deps;
    this.cache = new DnsCache(deps.settings.cache, deps.clock);
  }

  /** What is known now; answers whose time ends soon are asked for again in the background. */
  get answers(): DnsAnswers {
    return this.cache.view((query) => void this.resolve(query));
  }

  /** Asks, whatever is known, unless the same is asked already; settles when the cache holds the answer. Never rejects. */
  resolve(query: DnsQuery, whose: Whose = 'stranger'): Promise<void> {
    const key = `${query.type} ${query.name}`;
    const known = this.#underWay.get(key);
    if (known !== undefined) {
      if (whose === 'partner') this.#prefer(key);
      return known;
    }
    if (this.#stop.signal.aborted) return Promise.resolve();
    const asked = this.#ask(query, key, whose).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, asked);
    return asked;
  }

  /** Stops what is under way. */
  async close(): Promise<void> {
    this.#stop.abort();
    for (const waiting of Object.values(this.#waiting)) {
      for (const start of waiting.values()) start();
      waiting.clear();
    }
    await Promise.all(this.#underWay.values());
  }

  async #ask(query: DnsQuery, key: string, whose: Whose): Promise<void> {
    const { settings, count, ask = askDns } = this.#deps;
    const place = await this.#place(key, whose);
    if (!place) return this.#failed(query, `more than ${MOST_WAITING} questions are waiting`);
    try {
      if (!settings.resolve) return this.#failed(query, 'daemon.dns.resolve is off');
      const { timeout, attempts } = settings;
      count('dns.questions');
      const from = { servers: this.#servers(), timeoutMs: timeout * 1000, attempts };
      const answer = await ask(query, from, this.#stop.signal);
      if ('silent' in answer) return this.#failed(query, answer.silent);
      count(`dns.answers.${answer.kind}`);
      this.cache.put(query, { ...answer, authentic: settings.trustAd && answer.authentic === true });
    } finally {
      this.#running -= 1;
      this.#startNext();
    }
  }

  #failed(query: DnsQuery, why: string): void {
    this.#deps.count('dns.answers.failed');
    this.lastFailure = `${query.type} ${query.name}: ${why}`;
    this.cache.put(query, { kind: 'failed', ttl: 0 });
  }

  /** Waits for a place among those who ask; false: too many are waiting. */
  async #place(key: string, whose: Whose): Promise<boolean> {
    if (this.#running >= most(whose)) {
      const waiting = this.#waiting[whose];
      if (waiting.size >= MOST_WAITING) return false;
      await new Promise<void>((resolve) => waiting.set(key, resolve));
    }
    this.#running += 1;
    return true;
  }

  #startNext(): void {
    const whose = this.#waiting.partner.size > 0 ? 'partner' : 'stranger';
    const [next] = this.#waiting[whose];
    if (next === undefined || this.#running >= most(whose)) return;
    const [key, start] = next;
    this.#waiting[whose].delete(key);
    start();
  }

  /** A stranger's question that a partner's search waits for too is a partner's. */
  #prefer(key: string): void {
    const start = this.#waiting.stranger.get(key);
    if (start === undefined) return;
    this.#waiting.stranger.delete(key);
    if (this.#running < most('partner')) start();
    else this.#waiting.partner.set(key, start);
  }

  #servers(): readonly ResolverAddress[] {
    const { settings, clock } = this.#deps;
    if (settings.servers.length > 0) return settings.servers;
    const now = clock();
    if (this.#listed === undefined || hasPassed(this.#listed.readAt, REREAD_MS, now)) {
      this.#listed = { servers: systemResolvers(), readAt: now };
    }
    return this.#listed.servers;
  }
}

/** The resolvers of this machine; resolv.conf(5): without a nameserver line it is the one on it. */
export function systemResolvers(): readonly ResolverAddress[] {
  try {
    const listed = listedResolvers(readFileSync(RESOLV_CONF, 'utf8'));
    if (listed.length > 0) return listed;
  } catch {
    // As without a line.
  }
  return [{ address: '127.0.0.1', port: 53 }];
}
