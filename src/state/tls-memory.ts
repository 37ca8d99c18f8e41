import { LRUCache } from 'lru-cache';

/** Strangers' domains that are remembered; those of agreements are as many as the policy names. */
const MOST_STRANGERS = 10_000;
/** Unseen for so long, a domain may have given up TLS for good. */
const FORGET_MS = 30 * 86_400_000;

/** Which domains were seen to offer TLS in DNS: where that vanishes, somebody may want us to do without (N-11). */
export class TlsMemory {
  readonly #partners = new Map<string, number>();
  readonly #strangers: LRUCache<string, number>;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
    this.#strangers = new LRUCache({ max: MOST_STRANGERS });
  }

  /** Strangers never push a partner out. */
  note(domain: string, partner: boolean): void {
    if (partner) this.#partners.set(domain, this.#now());
    else this.#strangers.set(domain, this.#now());
  }

  has(domain: string): boolean {
    const seenAt = this.#partners.get(domain) ?? this.#strangers.get(domain);
    return seenAt !== undefined && this.#now() - seenAt < FORGET_MS;
  }
}
