/**
 * A map from names in many small pieces: one of 200,000 entries that grows moves them all at once, and nobody gets a verdict
 * for the 50 ms that this takes.
 */

const PIECES = 256;

/** Filled, sealed, and changed by nobody from then on. */
export class NameTable<V> implements ReadonlyMap<string, V> {
  readonly #pieces: readonly Map<string, V>[] = Array.from({ length: PIECES }, () => new Map<string, V>());
  #sealed = false;

  static of<V>(entries: Iterable<readonly [string, V]>): NameTable<V> {
    const table = new NameTable<V>();
    for (const [name, value] of entries) table.set(name, value);
    return table.seal();
  }

  /** @throws {TypeError} it is sealed */
  set(name: string, value: V): void {
    if (this.#sealed) throw new TypeError('this NameTable is part of a snapshot and cannot be changed');
    this.#piece(name).set(name, value);
  }

  seal(): this {
    this.#sealed = true;
    return Object.freeze(this);
  }

  get size(): number {
    return this.#pieces.reduce((sum, { size }) => sum + size, 0);
  }

  get(name: string): V | undefined {
    return this.#piece(name).get(name);
  }

  has(name: string): boolean {
    return this.#piece(name).has(name);
  }

  *entries(): MapIterator<[string, V]> {
    for (const piece of this.#pieces) yield* piece.entries();
  }

  *keys(): MapIterator<string> {
    for (const piece of this.#pieces) yield* piece.keys();
  }

  *values(): MapIterator<V> {
    for (const piece of this.#pieces) yield* piece.values();
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }

  forEach(call: (value: V, name: string, table: ReadonlyMap<string, V>) => void): void {
    for (const [name, value] of this) call(value, name, this);
  }

  /** FNV-1a: nothing rests on it but that pieces are small. */
  #piece(name: string): Map<string, V> {
    let hash = 0x811c9dc5;
    for (let at = 0; at < name.length && at < MOST_HASHED; at += 1) {
      hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
    }
    return this.#pieces[(hash ^ (hash >>> 16)) & (PIECES - 1)] as Map<string, V>;
  }
}

/** Characters that choose the piece. */
const MOST_HASHED = 64;
