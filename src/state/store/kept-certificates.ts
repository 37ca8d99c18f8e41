import { LRUCache } from 'lru-cache';
import type { Logger } from '../../log/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { type CertificateStore, type KeptCertificate, StoreError } from './store.js';

/** Certificates are written together, this long after the first one. */
const WRITE_DELAY_MS = 5_000;
/** Rows in one transaction, and how much later the next ones follow: nobody waits long for either. */
const MOST_ROWS = 100;
const NEXT_ROWS_MS = 50;
/** What waits to be written. Strangers can make certificates without end: they fill half of it at most. */
const MOST_WAITING = 1_000;
const MOST_STRANGERS_WAITING = MOST_WAITING / 2;
/** A certificate that is kept is written again, with the time that it was last seen, no sooner than this. */
const AGAIN_MS = 3_600_000;
const MOST_KNOWN = 100_000;

export interface KeptOptions {
  /** Octets of all certificates together. */
  readonly octets: number;
  readonly ageMs: number;
  readonly clock: () => number;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * Keeps the certificates that answers were about, bounded in octets and in time, so that what the decision log tells can
 * be asked again. Nothing waits for it: what the store cannot take is not kept, and a replay says so.
 */
export class KeptCertificates {
  readonly #store: CertificateStore;
  readonly #options: KeptOptions;
  /** When each was written last. */
  readonly #written: LRUCache<string, number>;
  readonly #waiting = new Map<string, KeptCertificate>();
  #strangers = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failing = false;

  constructor(store: CertificateStore, options: KeptOptions) {
    this.#store = store;
    this.#options = options;
    this.#written = new LRUCache({ max: MOST_KNOWN });
  }

  /** @param partner the leaf names a partner, whatever became of it */
  observe(certificates: readonly CertificateFacts[], partner: boolean): void {
    for (const certificate of certificates) this.#observe(certificate, partner);
  }

  #observe({ sha256, der }: CertificateFacts, partner: boolean): void {
    const lastSeen = this.#options.clock();
    const written = this.#written.get(sha256);
    if ((written !== undefined && lastSeen - written < AGAIN_MS) || this.#waiting.has(sha256)) return;
    if (this.#waiting.size >= MOST_WAITING || (!partner && this.#strangers >= MOST_STRANGERS_WAITING)) return;
    this.#waiting.set(sha256, { sha256, der, lastSeen, partner });
    if (!partner) this.#strangers += 1;
    this.#later(WRITE_DELAY_MS);
  }

  #later(delay: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#write();
    }, delay);
    this.#timer.unref();
  }

  async #write(): Promise<void> {
    const rows = [...this.#waiting.values()].slice(0, MOST_ROWS);
    for (const { sha256, lastSeen, partner } of rows) {
      this.#waiting.delete(sha256);
      if (!partner) this.#strangers -= 1;
      this.#written.set(sha256, lastSeen);
    }
    const { octets, ageMs, clock, log } = this.#options;
    try {
      await this.#store.saveCertificates(rows, { octets, since: clock() - ageMs });
      this.#failing = false;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      for (const { sha256 } of rows) this.#written.delete(sha256);
      if (!this.#failing) log.warn('certificates are not kept for a replay', { error: error.message });
      this.#failing = true;
    }
    if (this.#waiting.size > 0) this.#later(NEXT_ROWS_MS);
  }

  /** Writes what still waits. The store stays open. */
  async close(): Promise<void> {
    do {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      await this.#writing;
      this.#writing = this.#write();
      await this.#writing;
    } while (this.#waiting.size > 0 && !this.#failing);
    clearTimeout(this.#timer);
  }
}
