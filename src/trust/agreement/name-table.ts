/**
 * A map from names in many small pieces: one of 200,000 entries that grows moves them all at once, and nobody gets a verdict
 * for the 50 ms that this takes.
 */

import { entryAt } from '../../typed.js';

const PIECES = 256;

/** Filled, sealed, and changed by nobody from then on. */
export class NameTable<V> implements ReadonlyMap<string, V> {
  readonly #pieces: ReadonlyMap<string, V>[];
  /** Pieces that are not those of another table. */
  readonly #own = new Map<number, Map<string, V>>();
  #sealed = false;

  private constructor(pieces: ReadonlyMap<string, V>[]) {
    this.#pieces = pieces;
  }

  /** A table to be filled, with nothing in it. */
  static empty<V>(): NameTable<V> {
    return new NameTable<V>(new Array<ReadonlyMap<string, V>>(PIECES).fill(new Map()));
  }

  /** A table to be changed, with all that is in another one: it shares the pieces in which nothing is changed. */
  static from<V>(before: NameTable<V>): NameTable<V> {
    return new NameTable([...before.#pieces]);
  }

  static of<V>(entries: Iterable<readonly [string, V]>): NameTable<V> {
    const table = NameTable.empty<V>();
    for (const [name, value] of entries) table.set(name, value);
    return table.seal();
  }

  /** @throws {TypeError} it is sealed */
  set(name: string, value: V): void {
    this.#ownPiece(name).set(name, value);
  }

  /** @throws {TypeError} it is sealed */
  delete(name: string): void {
    if (this.has(name)) this.#ownPiece(name).delete(name);
  }

  seal(): this {
    this.#sealed = true;
    this.#own.clear();
    return Object.freeze(this);
  }

  /** Pieces that it shares with another table, out of all. */
  sharedWith(other: NameTable<V>): { readonly shared: number; readonly of: number } {
    return { shared: this.#pieces.filter((piece, at) => piece === other.#pieces[at]).length, of: PIECES };
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

  #ownPiece(name: string): Map<string, V> {
    if (this.#sealed) throw new TypeError('this NameTable is part of a snapshot and cannot be changed');
    const at = pieceOf(name);
    const known = this.#own.get(at);
    if (known !== undefined) return known;
    const copy = new Map(this.#pieces[at]);
    this.#own.set(at, copy);
    this.#pieces[at] = copy;
    return copy;
  }

  #piece(name: string): ReadonlyMap<string, V> {
    return entryAt(this.#pieces, pieceOf(name));
  }
}

/** Characters that choose the piece. */
const MOST_HASHED = 64;

/** FNV-1a: nothing rests on it but that pieces are small. */
function pieceOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length && at < MOST_HASHED; at += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  }
  return (hash ^ (hash >>> 16)) & (PIECES - 1);
}
