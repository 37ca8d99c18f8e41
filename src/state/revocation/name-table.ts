/**
 * A map from names in many small pieces: one of 200,000 entries that grows moves them all at once, and nobody gets a verdict
 * for the 50 ms that this takes.
 */

import { entryAt } from '../../typed.js';

const PIECES = 256;

/** A map by names, in pieces. */
export class NameTable<V> implements Iterable<readonly [string, V]> {
  readonly #pieces = Array.from({ length: PIECES }, () => new Map<string, V>());

  set(name: string, value: V): void {
    this.#piece(name).set(name, value);
  }

  get(name: string): V | undefined {
    return this.#piece(name).get(name);
  }

  has(name: string): boolean {
    return this.#piece(name).has(name);
  }

  *[Symbol.iterator](): Generator<[string, V], undefined> {
    for (const piece of this.#pieces) yield* piece;
    return undefined;
  }

  *values(): Generator<V, undefined> {
    for (const piece of this.#pieces) yield* piece.values();
    return undefined;
  }

  #piece(name: string): Map<string, V> {
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
