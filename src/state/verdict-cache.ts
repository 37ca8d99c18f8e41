import { LRUCache } from 'lru-cache';
import type { Evidence } from '../trust/evidence.js';
import type { Verdict } from '../trust/verdict.js';
import type { CacheCounters } from './counters.js';

/** Everything of the evidence that a verdict depends on; the source port and the connection id do not. */
function key({ direction, transport, sourceAddress, localAddress, localPort, tls, nextHop }: Evidence): string {
  const certificate = tls?.certificate;
  return JSON.stringify([
    direction,
    transport,
    sourceAddress,
    localAddress,
    localPort,
    nextHop,
    certificate === undefined || 'malformed' in certificate ? certificate : certificate.sha256,
    tls?.verified,
    tls?.version,
    tls?.cipher,
    tls?.sni,
    tls?.attributes,
  ]);
}

/** Verdicts by evidence; one of another revision, or past its time, is never given out (design rule 5). */
export class VerdictCache {
  readonly #verdicts: LRUCache<string, Verdict>;
  readonly #counters: CacheCounters;

  constructor(max: number, ttlMs: number, counters: CacheCounters) {
    this.#verdicts = new LRUCache({ max, ttl: ttlMs });
    this.#counters = counters;
  }

  /** The known verdict for this evidence at `now` under `revision`, or the one that `judge` makes. */
  get(evidence: Evidence, revision: number, now: number, judge: () => Verdict): Verdict {
    const name = key(evidence);
    const known = this.#verdicts.get(name);
    if (known !== undefined && known.revision === revision && now < known.validUntil) {
      this.#counters.hits += 1;
      return known;
    }
    this.#counters.misses += 1;
    const verdict = judge();
    this.#verdicts.set(name, verdict);
    return verdict;
  }

  get size(): number {
    return this.#verdicts.size;
  }

  flush(): number {
    const { size } = this.#verdicts;
    this.#verdicts.clear();
    return size;
  }
}
