/** Which of many prefixes holds an address: the longest one that does. */

import type { Address } from './address.js';
import { type Intervals, IntervalsBuilder } from './intervals.js';
import { type AddressPrefix, prefixOf } from './prefix.js';

/** What a look-up found. */
export interface PrefixMatch<V> {
  readonly prefix: AddressPrefix;
  readonly value: V;
}

/**
 * An immutable table from prefix to value. Prefixes may lie in one another; the longest that holds an address wins.
 * One family of addresses never answers for the other.
 */
export class PrefixTable<V> {
  /** The number of prefixes. */
  readonly size: number;
  readonly #four: Intervals;
  readonly #six: Intervals;
  readonly #fourValues: readonly V[];
  readonly #sixValues: readonly V[];

  /** Throws RangeError where one prefix is given twice: which value should win is for the caller to settle before. */
  constructor(entries: Iterable<readonly [AddressPrefix, V]>) {
    const four = { builder: new IntervalsBuilder(4), values: [] as V[] };
    const six = { builder: new IntervalsBuilder(16), values: [] as V[] };
    for (const [prefix, value] of entries) {
      const family = prefix.bytes.length === 4 ? four : six;
      family.builder.add(prefix);
      family.values.push(value);
    }
    this.#four = four.builder.build();
    this.#six = six.builder.build();
    this.#fourValues = four.values;
    this.#sixValues = six.values;
    this.size = four.values.length + six.values.length;
  }

  /** The value of the longest prefix that holds the address. */
  lookup(address: Address): V | undefined {
    return address.bytes.length === 4
      ? this.#fourValues[this.#four.find(address.bytes)]
      : this.#sixValues[this.#six.find(address.bytes)];
  }

  /** As `lookup`, with the prefix that was found. */
  match(address: Address): PrefixMatch<V> | undefined {
    const four = address.bytes.length === 4;
    const intervals = four ? this.#four : this.#six;
    const values = four ? this.#fourValues : this.#sixValues;
    const entry = intervals.find(address.bytes);
    if (entry < 0) return undefined;
    // The entry exists: `values` grew together with the intervals.
    return { prefix: prefixOf(address, intervals.prefixLength(entry)), value: values[entry] as V };
  }
}
