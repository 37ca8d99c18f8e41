import type { Logger } from '../../log/index.js';
import { coalesced, type Database, isRefused, type Run } from '../postgres/index.js';
import { type KeptCertificate, type Pin, StoreError, type TlsSeen } from '../store/index.js';
import { keepCertificates } from './certificate-table.js';
import { seePins } from './pin-table.js';
import { seeTls } from './tls-seen-table.js';

/** Rows of one transaction. */
const MOST_ROWS = 500;
/** Of more than that, the oldest are not written until they are seen again. */
const MOST_WAITING = 100_000;
const MOST_CERTIFICATES_WAITING = 1_000;
const DELAY_MS = 1_000;
const TELL_MS = 60_000;

/**
 * What this node has seen and the store does not know yet. Of each thing the last word waits, so that what waits is bounded
 * by what there is to see; this node's own disk has it meanwhile.
 */
export class Outbox {
  readonly #database: Database;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #pins = new Map<string, Pin>();
  readonly #tls = new Map<string, TlsSeen>();
  readonly #certificates = new Map<string, KeptCertificate>();
  readonly #send = coalesced(() => this.#sendAll());
  #timer: NodeJS.Timeout | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(database: Database, log: Pick<Logger, 'warn'>) {
    this.#database = database;
    this.#log = log;
    database.onStatus((up) => {
      if (up && this.size > 0) this.#later();
    });
  }

  get size(): number {
    return this.#pins.size + this.#tls.size + this.#certificates.size;
  }

  addPins(pins: readonly Pin[]): void {
    for (const pin of pins) put(this.#pins, `${pin.agreement} ${pin.spkiSha256}`, pin, MOST_WAITING);
    this.#later();
  }

  addTls(seen: readonly TlsSeen[]): void {
    for (const each of seen) put(this.#tls, each.domain, each, MOST_WAITING);
    this.#later();
  }

  addCertificates(seen: readonly KeptCertificate[]): void {
    for (const each of seen) put(this.#certificates, each.sha256, each, MOST_CERTIFICATES_WAITING);
    this.#later();
  }

  /** Sends what waits, where the store is there; what could not be sent still waits. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#send();
  }

  /** Tries again what waits. */
  retry(): void {
    this.#later();
  }

  #later(): void {
    if (this.#timer !== undefined || this.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#send();
    }, DELAY_MS);
    this.#timer.unref();
  }

  async #sendAll(): Promise<void> {
    while (this.#database.status.up && this.size > 0) {
      const sent =
        (await this.#sendSome(this.#pins, seePins)) &&
        (await this.#sendSome(this.#tls, seeTls)) &&
        (await this.#sendSome(this.#certificates, keepCertificates));
      if (!sent) return;
    }
  }

  /** Whether they were taken. Never rejects. */
  async #sendSome<T>(waiting: Map<string, T>, write: (run: Run, rows: readonly T[]) => Promise<void>) {
    const some = [...waiting].slice(0, MOST_ROWS);
    if (some.length === 0) return true;
    try {
      await this.#database.transaction((run) =>
        write(
          run,
          some.map(([, row]) => row),
        ),
      );
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // With the database gone it is tried when that is back; what it refuses would be refused again.
      if (this.#database.status.up) this.#tell(error.message, some.length);
      if (!isRefused(error)) return false;
    }
    for (const [key, row] of some) if (waiting.get(key) === row) waiting.delete(key);
    return true;
  }

  #tell(error: string, rows: number): void {
    const now = performance.now();
    if (now - this.#toldAt < TELL_MS) return;
    this.#toldAt = now;
    this.#log.warn('the store did not take what this node has seen', { error, rows });
  }
}

/** To the end: what waits longest goes first. */
function put<T>(waiting: Map<string, T>, key: string, row: T, most: number): void {
  waiting.delete(key);
  waiting.set(key, row);
  for (const oldest of waiting.keys()) {
    if (waiting.size <= most) break;
    waiting.delete(oldest);
  }
}
