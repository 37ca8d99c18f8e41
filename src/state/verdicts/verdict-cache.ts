import { LRUCache } from 'lru-cache';
import { isSetBack } from '../../elapsed.js';
import type { Snapshot } from '../../trust/agreement/index.js';
import type { Evidence } from '../../trust/evidence/index.js';
import { usesPorts } from '../../trust/peer/index.js';
import type { Verdict } from '../../trust/verdict/index.js';
import type { CacheCounters } from './counters.js';

/** Everything of the evidence that a verdict depends on; the connection id is nothing of it, the source port seldom. */
function key(evidence: Evidence, sourcePort: number | undefined): string {
  const { direction, transport, sourceAddress, localAddress, localPort, tls, nextHop } = evidence;
  const certificate = tls?.certificate;
  return JSON.stringify([
    direction,
    transport,
    sourceAddress,
    sourcePort,
    localAddress,
    localPort,
    nextHop,
    certificate === undefined || 'malformed' in certificate ? certificate : certificate.sha256,
    tls?.chain && [tls.chain.certificates.map(({ sha256 }) => sha256), tls.chain.ignored],
    tls?.verified,
    tls?.version,
    tls?.cipher,
    tls?.sni,
    tls?.attributes,
  ]);
}

/** What a verdict takes up beside its texts, and each row of its checks and findings beside theirs, as the heap shows it. */
const ENTRY_OCTETS = 700;
const ROW_OCTETS = 120;

function weight({ checks, findings, domains }: Verdict, name: string): number {
  let octets = ENTRY_OCTETS + name.length;
  for (const { compared } of checks) octets += ROW_OCTETS + compared.length;
  for (const { detail } of findings) octets += ROW_OCTETS + detail.length;
  for (const domain of domains) octets += ROW_OCTETS + domain.length;
  return octets;
}

export interface VerdictBounds {
  readonly entries: number;
  readonly octets: number;
  readonly ttlMs: number;
}

/** Verdicts by evidence; one of another revision, or past its time, is never given out (design rule 5). */
export class VerdictCache {
  readonly #verdicts: LRUCache<string, Verdict>;
  readonly #counters: CacheCounters;
  /** The latest time that was asked at. */
  #latest = Number.NEGATIVE_INFINITY;

  constructor({ entries, octets, ttlMs }: VerdictBounds, counters: CacheCounters) {
    this.#verdicts = new LRUCache({ max: entries, maxSize: octets, ttl: ttlMs, sizeCalculation: weight });
    this.#counters = counters;
  }

  /** The known verdict for this evidence at `now` under the policy, or the one that `judge` makes. */
  get(evidence: Evidence, snapshot: Snapshot, now: number, judge: () => Verdict): Verdict {
    // What a clock that was ahead made of certificates and lists may be wrong.
    if (isSetBack(this.#latest, now)) this.flush();
    this.#latest = now;
    const name = key(evidence, usesPorts(snapshot, evidence) ? evidence.sourcePort : undefined);
    const known = this.#verdicts.get(name);
    if (known !== undefined && known.revision === snapshot.revision && now < known.validUntil) {
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

  get octets(): number {
    return this.#verdicts.calculatedSize;
  }

  flush(): number {
    const { size } = this.#verdicts;
    this.#verdicts.clear();
    return size;
  }
}
