import type { Logger } from '../../log/index.js';
import type { Pin, PinKey, Store } from '../store/index.js';
import type { Counters } from '../verdicts/index.js';
import { nameOf } from './held-pins.js';

/** Observations are written together, this long after the first one: until then a crash may lose them. */
const WRITE_DELAY_MS = 5_000;
/** Rows in one transaction: a verdict never waits for more than a few milliseconds of writing. */
const MOST_ROWS = 500;
/** The rest of many rows is written this much later. */
const NEXT_ROWS_MS = 50;

interface Changes {
  readonly put: readonly Pin[];
  readonly forget: readonly PinKey[];
}

export interface PinWriterOptions {
  /** The pin of a name that is held. */
  readonly find: (name: string) => Pin | undefined;
  readonly log: Pick<Logger, 'warn' | 'info'>;
}

/** What the store does not know yet of the pins that are held, and changes of it one after the other. */
export class PinWriter {
  /** undefined: nothing is written. */
  readonly #store: Store | undefined;
  readonly #options: PinWriterOptions;
  /** Names of pins that were seen, and pins that had to make room. */
  readonly #seen = new Set<string>();
  readonly #gone = new Map<string, PinKey>();
  readonly #stored = new WeakSet<Pin>();
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #counters: Counters | undefined;
  #failing = false;

  constructor(store: Store | undefined, options: PinWriterOptions) {
    this.#store = store;
    this.#options = options;
  }

  start(counters: Counters): void {
    this.#counters = counters;
    if (this.#gone.size > 0) this.#writeLater(WRITE_DELAY_MS);
  }

  /** Whether the last write failed; it is tried again. */
  get failing(): boolean {
    return this.#failing;
  }

  /** Was seen again, or for the first time. */
  saw(name: string): void {
    this.#gone.delete(name);
    this.#seen.add(name);
    this.#writeLater(WRITE_DELAY_MS);
  }

  /** Has made room. */
  letGo(name: string, pin: Pin): void {
    this.#seen.delete(name);
    if (this.#stored.has(pin)) this.#gone.set(name, pin);
  }

  /** The store has it. */
  has(name: string, pin: Pin): void {
    this.#stored.add(pin);
    this.#gone.delete(name);
  }

  /** The store has removed it. */
  removed(name: string): void {
    this.#seen.delete(name);
  }

  /** One change after the other, in the order they were asked for. */
  alone<T>(work: (store: Store | undefined) => Promise<T>): Promise<T> {
    const done = this.#writing.then(() => work(this.#store));
    this.#writing = done.then(
      () => {},
      () => {},
    );
    return done;
  }

  /** Writes what is not written yet and closes the store. */
  async close(): Promise<void> {
    do {
      await this.#write();
    } while (this.#left > 0 && !this.#failing);
    clearTimeout(this.#timer);
    await this.alone(async (store) => store?.close());
  }

  get #left(): number {
    return this.#seen.size + this.#gone.size;
  }

  #writeLater(delay: number): void {
    if (this.#timer !== undefined || this.#store === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#write();
    }, delay);
    this.#timer.unref();
  }

  /** Writes some of what the store does not know yet. Never rejects: what could not be written is tried again later. */
  #write(): Promise<void> {
    return this.alone(async (store) => {
      const changes = this.#taken();
      try {
        for (const pin of changes.put) this.#stored.add(pin);
        await store?.save(changes);
        if (this.#failing) this.#options.log.info('observed pins are written again');
        this.#failing = false;
      } catch (error) {
        this.#giveBack(changes);
        this.#counters?.add('pins.unwritten');
        if (!this.#failing) this.#options.log.warn('observed pins were not written', { error: String(error) });
        this.#failing = true;
      }
      if (this.#left > 0) this.#writeLater(this.#failing ? WRITE_DELAY_MS : NEXT_ROWS_MS);
    });
  }

  #taken(): Changes {
    const seen = [...firstRows(this.#seen)];
    const gone = [...firstRows(this.#gone)];
    for (const name of seen) this.#seen.delete(name);
    for (const [name] of gone) this.#gone.delete(name);
    return { put: seen.flatMap((name) => this.#options.find(name) ?? []), forget: gone.map(([, key]) => key) };
  }

  /** What was taken and not written, as far as it is still so. */
  #giveBack({ put, forget }: Changes): void {
    for (const name of put.map(nameOf)) if (this.#options.find(name) !== undefined) this.#seen.add(name);
    for (const key of forget) {
      const name = nameOf(key);
      if (this.#options.find(name) === undefined) this.#gone.set(name, key);
    }
  }
}

/** As many as are written at once. */
function* firstRows<T>(items: Iterable<T>): Generator<T> {
  let left = MOST_ROWS;
  for (const item of items) {
    yield item;
    left -= 1;
    if (left === 0) return;
  }
}
