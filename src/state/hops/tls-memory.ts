import { LRUCache } from 'lru-cache';
import { hasPassed } from '../../elapsed.js';
import type { Logger } from '../../log/index.js';
import { StoreError, type TlsSeen, type TlsSeenStore } from '../store/index.js';

/** Strangers' domains that are remembered; those of agreements are as many as the policy names. */
const MOST_STRANGERS = 10_000;
/** Unseen for so long, a domain may have given up TLS for good. */
const FORGET_MS = 30 * 86_400_000;
/** What is seen all the time is written once in this time, and together with others. */
const REWRITE_MS = 86_400_000;
const WRITE_DELAY_MS = 1_000;

export interface TlsMemoryOptions {
  readonly clock: () => number;
  readonly log: Pick<Logger, 'warn'>;
  /** Where partners' domains are kept over restarts; undefined: nowhere. */
  readonly store?: TlsSeenStore | undefined;
}

/** Which domains were seen to offer TLS in DNS: where that vanishes, somebody may want us to do without (N-11). */
export class TlsMemory {
  readonly #partners = new Map<string, number>();
  readonly #strangers = new LRUCache<string, number>({ max: MOST_STRANGERS });
  readonly #written = new Map<string, number>();
  readonly #unwritten = new Set<string>();
  readonly #options: TlsMemoryOptions;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: TlsMemoryOptions) {
    this.#options = options;
  }

  /** Takes up what an earlier run has seen. */
  async load(): Promise<void> {
    const { store } = this.#options;
    this.#adopt((await store?.loadTlsSeen()) ?? []);
    store?.followTlsSeen?.((seen) => this.#adopt(seen));
  }

  #adopt(seen: readonly TlsSeen[]): void {
    const now = this.#options.clock();
    for (const { domain, seenAt } of seen) {
      if (now - seenAt >= FORGET_MS || seenAt <= (this.#partners.get(domain) ?? 0)) continue;
      this.#partners.set(domain, seenAt);
      this.#written.set(domain, seenAt);
    }
  }

  /** Strangers never push a partner out, and are not written. */
  note(domain: string, partner: boolean): void {
    const now = this.#options.clock();
    if (!partner) {
      this.#strangers.set(domain, now);
      return;
    }
    this.#partners.set(domain, now);
    const writtenAt = this.#written.get(domain);
    if (this.#options.store === undefined || (writtenAt !== undefined && !hasPassed(writtenAt, REWRITE_MS, now)))
      return;
    this.#unwritten.add(domain);
    this.#timer ??= setTimeout(() => void this.#write(), WRITE_DELAY_MS).unref();
  }

  has(domain: string): boolean {
    const seenAt = this.#partners.get(domain) ?? this.#strangers.get(domain);
    return seenAt !== undefined && this.#options.clock() - seenAt < FORGET_MS;
  }

  /** Writes what is not written yet. The store stays open. */
  async close(): Promise<void> {
    await this.#write();
  }

  #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#writeNow());
    return this.#writing;
  }

  async #writeNow(): Promise<void> {
    const { store, log, clock } = this.#options;
    const now = clock();
    const seen = [...this.#unwritten].map((domain) => ({ domain, seenAt: this.#partners.get(domain) ?? now }));
    this.#unwritten.clear();
    if (store === undefined || seen.length === 0) return;
    // Written or not: a store that fails is not tried again with every look.
    for (const { domain, seenAt } of seen) this.#written.set(domain, seenAt);
    try {
      await store.saveTlsSeen(seen, now - FORGET_MS);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      log.warn('which domains offer TLS was not written', { error: error.message });
    }
  }
}
