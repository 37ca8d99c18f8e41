import { VerdictCounts } from './verdict-counts.js';

/** Counters of one cache. */
export interface CacheCounters {
  hits: number;
  misses: number;
}

/** What siptrust counts since its start; `stats.fetch` and `siptrustctl stats` print it. */
export class Counters {
  readonly certificates: CacheCounters = { hits: 0, misses: 0 };
  readonly verdicts: CacheCounters = { hits: 0, misses: 0 };
  readonly verdictCounts = new VerdictCounts();
  /** Alarms that messages gave, whatever the verdict on their sender: its place has the outcome of the plan. */
  readonly messageAlarms = new VerdictCounts();
  readonly #counts = new Map<string, number>();

  add(name: string, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  /** All counters by dotted name, in alphabetical order. */
  all(): Readonly<Record<string, number>> {
    const caches: [string, number][] = [
      ['cache.certificates.hits', this.certificates.hits],
      ['cache.certificates.misses', this.certificates.misses],
      ['cache.verdicts.hits', this.verdicts.hits],
      ['cache.verdicts.misses', this.verdicts.misses],
    ];
    return Object.fromEntries([...this.#counts, ...caches].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
