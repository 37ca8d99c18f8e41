/** Which of many prefixes holds an address: the longest one that does. */

import { entryAt } from '../../typed.js';
import type { Address } from './address.js';
import { type IntervalParts, Intervals, IntervalsBuilder, sharedWords } from './intervals.js';
import { type AddressPrefix, prefixOf } from './prefix.js';

/** What a look-up found. */
export interface PrefixMatch<V> {
  readonly prefix: AddressPrefix;
  readonly value: V;
}

/** The prefixes of one family: their intervals, and of each entry which of the values is its own. */
interface Family {
  readonly intervals: IntervalParts;
  readonly owners: Uint32Array;
}

/** A table without its values, as flat arrays in memory that threads share. */
export interface PrefixTableParts {
  readonly four: Family;
  readonly six: Family;
}

/**
 * An immutable table from prefix to value. Prefixes may lie in one another; the longest that holds an address wins.
 * One family of addresses never answers for the other.
 */
export class PrefixTable<V> {
  /** The number of prefixes. */
  readonly size: number;
  /** Each value once, as long as its prefixes came in a row. */
  readonly values: readonly V[];
  readonly parts: PrefixTableParts;
  readonly #four: Intervals;
  readonly #six: Intervals;

  private constructor(parts: PrefixTableParts, values: readonly V[]) {
    this.parts = parts;
    this.values = values;
    this.#four = new Intervals(parts.four.intervals);
    this.#six = new Intervals(parts.six.intervals);
    this.size = parts.four.owners.length + parts.six.owners.length;
  }

  /** Throws RangeError where one prefix is given twice: which value should win is for the caller to settle before. */
  static of<V>(entries: Iterable<readonly [Pick<AddressPrefix, 'bytes' | 'length'>, V]>): PrefixTable<V> {
    const four = building(4);
    const six = building(16);
    const values: V[] = [];
    for (const [prefix, value] of entries) {
      const family = prefix.bytes.length === 4 ? four : six;
      family.builder.add(prefix);
      if (values.length === 0 || values[values.length - 1] !== value) values.push(value);
      family.owners.push(values.length - 1);
    }
    const built = ({ builder, owners }: typeof four): Family => {
      return { intervals: builder.build(), owners: sharedWords(owners) };
    };
    return new PrefixTable({ four: built(four), six: built(six) }, values);
  }

  /** The table of `parts`, with values that stand for those it was made with. */
  static restore<V>(parts: PrefixTableParts, values: readonly V[]): PrefixTable<V> {
    return new PrefixTable(parts, values);
  }

  /** The value of the longest prefix that holds the address. */
  lookup(address: Address): V | undefined {
    const four = address.bytes.length === 4;
    const entry = (four ? this.#four : this.#six).find(address.bytes);
    return this.values[(four ? this.parts.four : this.parts.six).owners[entry] ?? -1];
  }

  /** As `lookup`, with the prefix that was found. */
  match(address: Address): PrefixMatch<V> | undefined {
    const four = address.bytes.length === 4;
    const intervals = four ? this.#four : this.#six;
    const entry = intervals.find(address.bytes);
    const owner = (four ? this.parts.four : this.parts.six).owners[entry];
    if (owner === undefined) return undefined;
    return { prefix: prefixOf(address, intervals.prefixLength(entry)), value: entryAt(this.values, owner) };
  }
}

function building(octets: 4 | 16): { readonly builder: IntervalsBuilder; readonly owners: number[] } {
  return { builder: new IntervalsBuilder(octets), owners: [] };
}
