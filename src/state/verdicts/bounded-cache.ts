import { LRUCache } from 'lru-cache';

export interface CacheBounds {
  /** Most octets that all values may take up together; each value says for itself how many it takes. */
  readonly octets: number;
  /** A value that nobody asked for in this time goes. */
  readonly idleMs: number;
  readonly clock?: (() => number) | undefined;
}

/**
 * A cache that is bounded in octets. Anybody may make us remember something by connecting with a certificate of his
 * own, so half of the room is kept for partners: strangers push out strangers alone.
 */
export class BoundedCache<Value extends object> {
  readonly #partners: LRUCache<string, Value>;
  readonly #strangers: LRUCache<string, Value>;

  constructor({ octets, idleMs, clock }: CacheBounds) {
    const bounds = {
      ...{ maxSize: Math.max(1, Math.floor(octets / 2)), ttl: idleMs, updateAgeOnGet: true },
      ...(clock === undefined ? {} : { perf: { now: clock }, ttlResolution: 0 }),
    };
    this.#partners = new LRUCache(bounds);
    this.#strangers = new LRUCache(bounds);
  }

  get(key: string): Value | undefined {
    return this.#partners.get(key) ?? this.#strangers.get(key);
  }

  /** Keeps a value in the place of the one of this key; one that takes more than all the room is not kept at all. */
  set(key: string, value: Value, octets: number, whose: 'partner' | 'stranger'): void {
    const [home, other] = whose === 'partner' ? [this.#partners, this.#strangers] : [this.#strangers, this.#partners];
    other.delete(key);
    home.set(key, value, { size: Math.max(1, octets) });
  }

  delete(key: string): boolean {
    return this.#partners.delete(key) || this.#strangers.delete(key);
  }

  get size(): number {
    return this.#partners.size + this.#strangers.size;
  }

  /** What the values take up, as they said. */
  get octets(): number {
    return this.#partners.calculatedSize + this.#strangers.calculatedSize;
  }

  clear(): void {
    this.#partners.clear();
    this.#strangers.clear();
  }
}
