import { LRUCache } from 'lru-cache';
import { hasPassed } from '../../elapsed.js';
import { answersBy, type DnsAnswer, type DnsAnswers, type DnsQuery, type DnsType } from '../../net/dns/index.js';

/**
 * Seconds that answers are kept: what a zone says of itself, within bounds (RFC 2308 §5, §7). A failure is kept for as
 * long as the search for a next hop may take with servers that are silent, and asked again soon.
 */
const KEPT = {
  records: { least: 5, most: 86_400, refreshAt: 0.8 },
  none: { least: 5, most: 900, refreshAt: 0.8 },
  failed: { least: 30, most: 30, refreshAt: 0.2 },
  bogus: { least: 30, most: 60, refreshAt: 0.8 },
} as const satisfies Record<DnsAnswer['kind'], { least: number; most: number; refreshAt: number }>;

interface Entry {
  readonly answer: DnsAnswer;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly until: number;
  /** From then on it is asked for again before it ends. */
  readonly staleAt: number;
}

/** DNS answers by question, for the time that they hold. */
export class DnsCache {
  readonly #entries: LRUCache<string, Entry>;
  readonly #now: () => number;

  constructor(max: number, now: () => number) {
    this.#entries = new LRUCache({ max });
    this.#now = now;
  }

  get size(): number {
    return this.#entries.size;
  }

  put({ type, name }: DnsQuery, answer: DnsAnswer): void {
    const { least, most, refreshAt } = KEPT[answer.kind];
    const kept = Math.min(Math.max(answer.ttl, least), most) * 1000;
    const now = this.#now();
    const key = `${type} ${name}`;
    // A failure is no reason to forget what is known and still holds.
    const known = this.#entries.peek(key);
    if (
      answer.kind === 'failed' &&
      known !== undefined &&
      !hasPassed(known.since, known.until - known.since, now) &&
      known.answer.kind !== 'failed'
    ) {
      this.#entries.set(key, { ...known, staleAt: now + kept * refreshAt });
      return;
    }
    this.#entries.set(key, { answer, since: now, until: now + kept, staleAt: now + kept * refreshAt });
  }

  /** The answer, with the seconds that are left of it. */
  get(type: DnsType, name: string): DnsAnswer | undefined {
    const key = `${type} ${name}`;
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const now = this.#now();
    const left = entry.until - now;
    if (!hasPassed(entry.since, entry.until - entry.since, now))
      return { ...entry.answer, ttl: Math.ceil(left / 1000) };
    this.#entries.delete(key);
    return undefined;
  }

  /** All answers, as the choice of a next hop reads them; `stale` is told of those whose time ends soon. */
  view(stale: (query: DnsQuery) => void): DnsAnswers {
    const now = this.#now();
    return answersBy(({ type, name }) => {
      const answer = this.get(type, name);
      const entry = this.#entries.peek(`${type} ${name}`);
      if (entry !== undefined && now >= entry.staleAt) stale({ type, name });
      return answer;
    });
  }

  flush(): number {
    const { size } = this.#entries;
    this.#entries.clear();
    return size;
  }
}
