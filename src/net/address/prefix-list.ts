/** Prefixes in a few octets each: an agreement may have a million of them, and as objects they would take 200 MB. */

import { addressFromBytes } from './address.js';
import type { AddressPrefix } from './prefix.js';

/** Prefixes in their order; an array of them is one, too. */
export interface Prefixes extends Iterable<AddressPrefix> {
  readonly length: number;
}

/** Set in the first octet of a prefix of IPv6; below it is the length. */
const SIX = 0x100;

/** An immutable list of prefixes, made anew as they are looked at. */
export class PrefixList implements Prefixes {
  /** Most agreements have no prefix: one list for all of them. */
  static readonly #none = new PrefixList(new Uint16Array(0), new Uint8Array(0));

  readonly length: number;
  readonly #kinds: Uint16Array;
  readonly #octets: Uint8Array;

  private constructor(kinds: Uint16Array, octets: Uint8Array) {
    this.length = kinds.length;
    this.#kinds = kinds;
    this.#octets = octets;
    Object.freeze(this);
  }

  static of(prefixes: readonly Pick<AddressPrefix, 'bytes' | 'length'>[]): PrefixList {
    if (prefixes.length === 0) return PrefixList.#none;
    const kinds = Uint16Array.from(prefixes, ({ bytes, length }) => (bytes.length === 4 ? length : SIX | length));
    const octets = new Uint8Array(prefixes.reduce((sum, { bytes }) => sum + bytes.length, 0));
    let at = 0;
    for (const { bytes } of prefixes) {
      octets.set(bytes, at);
      at += bytes.length;
    }
    return new PrefixList(kinds, octets);
  }

  /** What `restore` makes the list of again. */
  get parts(): { readonly kinds: Uint16Array; readonly octets: Uint8Array } {
    return { kinds: this.#kinds, octets: this.#octets };
  }

  static restore({ kinds, octets }: PrefixList['parts']): PrefixList {
    return kinds.length === 0 ? PrefixList.of([]) : new PrefixList(kinds, octets);
  }

  *[Symbol.iterator](): Generator<AddressPrefix, undefined> {
    let at = 0;
    for (const kind of this.#kinds) {
      const end = at + (kind < SIX ? 4 : 16);
      const bytes = this.#octets.slice(at, end);
      const length = kind & (SIX - 1);
      yield { bytes, length, text: `${addressFromBytes(bytes)?.text}/${length}` };
      at = end;
    }
    return undefined;
  }
}
