import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { FetchFailure } from './fetch-failure.js';

/** Each look-up holds a thread of the pool that files and keys need too; four that hang would stop it. */
const MOST_AT_ONCE = 2;

type Callback = (error: Error | null, found: readonly LookupAddress[]) => void;
type LookUp = (name: string, options: LookupOptions & { readonly all: true }, callback: Callback) => void;

/** Names of servers to their addresses as the system knows them, each within a time, and a few at once. */
export class NameLookups {
  readonly #underWay = new Map<string, Callback[]>();
  readonly #queue: (() => void)[] = [];
  #running = 0;
  readonly #limitMs: number;
  readonly #lookUp: LookUp;

  constructor(limitMs: number, lookUp: LookUp = lookup) {
    this.#limitMs = limitMs;
    this.#lookUp = lookUp;
  }

  find(name: string, options: LookupOptions, callback: Callback): void {
    const key = `${options.family ?? 0} ${name}`;
    let late: NodeJS.Timeout | undefined;
    let done = false;
    const once: Callback = (error, found) => {
      clearTimeout(late);
      if (!done) callback(error, found);
      done = true;
    };
    late = setTimeout(() => {
      once(new FetchFailure(`${name}: expected its address within ${this.#limitMs} ms`), []);
    }, this.#limitMs);
    const waiting = this.#underWay.get(key);
    if (waiting !== undefined) {
      waiting.push(once);
      return;
    }
    this.#underWay.set(key, [once]);
    this.#queue.push(() => this.#start(key, name, options));
    this.#startNext();
  }

  #startNext(): void {
    if (this.#running >= MOST_AT_ONCE) return;
    this.#queue.shift()?.();
  }

  #start(key: string, name: string, options: LookupOptions): void {
    this.#running += 1;
    this.#lookUp(name, { ...options, all: true }, (error, found) => {
      const askers = this.#underWay.get(key) ?? [];
      this.#underWay.delete(key);
      this.#running -= 1;
      for (const each of askers) each(error, found);
      this.#startNext();
    });
  }
}
