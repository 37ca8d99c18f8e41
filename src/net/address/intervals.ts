/**
 * The prefixes of one address family, flattened into disjoint intervals: a look-up is one bisection, 21 steps at a
 * million prefixes whatever their lengths. No choice of prefixes slows it down, as it would a hash table per length, and
 * typed arrays keep it small.
 */

import { addressFromBytes } from './address.js';
import type { AddressPrefix } from './prefix.js';

/** What a flattened family consists of. */
export interface IntervalParts {
  readonly width: number;
  readonly starts: Uint32Array;
  readonly entries: Int32Array;
  readonly lengths: Uint8Array;
}

/** Sorted interval starts, and for each the entry whose prefix is the longest over it. */
export class Intervals {
  readonly #width: number;
  /** `width` words for each interval, ascending; the first interval starts at address zero. */
  readonly #starts: Uint32Array;
  /** Entry of each interval; -1: no prefix covers it. */
  readonly #entries: Int32Array;
  readonly #lengths: Uint8Array;

  constructor({ width, starts, entries, lengths }: IntervalParts) {
    this.#width = width;
    this.#starts = starts;
    this.#entries = entries;
    this.#lengths = lengths;
  }

  /** The entry (counted in order of `add`) with the longest prefix that holds the address, or -1. */
  find(bytes: Uint8Array): number {
    let low = 0;
    let high = this.#entries.length;
    const first = wordAt(bytes, 0);
    // Invariant: start(low) <= address < start(high), so that the last of equal starts is found.
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      const start = this.#starts[middle * this.#width] ?? 0;
      if (start < first || (start === first && this.#notAfter(middle, bytes))) low = middle;
      else high = middle;
    }
    return this.#entries[low] ?? -1;
  }

  prefixLength(entry: number): number {
    return this.#lengths[entry] ?? 0;
  }

  /** Whether an interval whose first word equals that of the address starts at or before the address. */
  #notAfter(interval: number, bytes: Uint8Array): boolean {
    for (let word = 1; word < this.#width; word++) {
      const start = this.#starts[interval * this.#width + word] ?? 0;
      const sought = wordAt(bytes, 4 * word);
      if (start !== sought) return start < sought;
    }
    return true;
  }
}

/** In memory that threads share. Octets of its own would be counted by V8 of the thread that gets them, which marks its heap for it. */
export function sharedWords(words: ArrayLike<number>): Uint32Array {
  const shared = new Uint32Array(new SharedArrayBuffer(words.length * Uint32Array.BYTES_PER_ELEMENT));
  shared.set(words);
  return shared;
}

function sharedOctets(octets: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(octets.length));
  shared.set(octets);
  return shared;
}

/** Collects prefixes of one family and flattens them. */
export class IntervalsBuilder {
  readonly #width: number;
  #size = 0;
  #words: Uint32Array;
  #lengths = new Uint8Array(64);
  #starts = new Uint32Array(0);
  #entries = new Int32Array(0);
  #intervals = 0;

  /** `bytes`: 4 or 16, what an address of the family has. */
  constructor(bytes: number) {
    this.#width = bytes / 4;
    this.#words = new Uint32Array(64 * this.#width);
  }

  add(prefix: Pick<AddressPrefix, 'bytes' | 'length'>): void {
    if (this.#size === this.#lengths.length) {
      const lengths = new Uint8Array(2 * this.#size);
      const words = new Uint32Array(2 * this.#size * this.#width);
      lengths.set(this.#lengths);
      words.set(this.#words);
      this.#lengths = lengths;
      this.#words = words;
    }
    for (let word = 0; word < this.#width; word++) {
      this.#words[this.#size * this.#width + word] = wordAt(prefix.bytes, 4 * word);
    }
    this.#lengths[this.#size++] = prefix.length;
  }

  /** Throws RangeError where one prefix was added twice. */
  build(): IntervalParts {
    const sorted = Uint32Array.from({ length: this.#size }, (_, at) => at).sort((a, b) => this.#compare(a, b));
    // Each prefix opens an interval and closes one; one more starts at zero.
    this.#starts = new Uint32Array((2 * this.#size + 1) * this.#width);
    this.#entries = new Int32Array(2 * this.#size + 1);
    this.#intervals = 0;
    this.#emit(new Uint32Array(this.#width), -1);
    // The prefixes around the current place, outermost first: sorted order visits a prefix after all that hold it.
    const open: number[] = [];
    for (const entry of sorted) {
      this.#close(open, entry);
      const inner = open.at(-1);
      if (inner !== undefined && this.#compare(inner, entry) === 0) {
        throw new RangeError(`prefix ${this.#textOf(entry)} was given twice`);
      }
      this.#emit(this.#words.subarray(entry * this.#width, (entry + 1) * this.#width), entry);
      open.push(entry);
    }
    this.#close(open, undefined);
    return {
      width: this.#width,
      starts: sharedWords(this.#starts.subarray(0, this.#intervals * this.#width)),
      entries: new Int32Array(sharedWords(this.#entries.subarray(0, this.#intervals)).buffer),
      lengths: sharedOctets(this.#lengths.subarray(0, this.#size)),
    };
  }

  /** Takes leave of the open prefixes that do not hold the next one: after each, the one around it goes on. */
  #close(open: number[], next: number | undefined): void {
    for (let inner = open.at(-1); inner !== undefined; inner = open.at(-1)) {
      if (next !== undefined && this.#holds(inner, next)) return;
      open.pop();
      const after = this.#after(inner);
      if (after) this.#emit(after, open.at(-1) ?? -1);
    }
  }

  /** Starts an interval. Of several that start at one address the last counts: the others hold nothing. */
  #emit(start: Uint32Array, entry: number): void {
    this.#starts.set(start, this.#intervals * this.#width);
    this.#entries[this.#intervals++] = entry;
  }

  #compare(a: number, b: number): number {
    for (let word = 0; word < this.#width; word++) {
      const difference = (this.#words[a * this.#width + word] ?? 0) - (this.#words[b * this.#width + word] ?? 0);
      if (difference !== 0) return difference;
    }
    return (this.#lengths[a] ?? 0) - (this.#lengths[b] ?? 0);
  }

  #holds(outer: number, inner: number): boolean {
    const length = this.#lengths[outer] ?? 0;
    for (let word = 0; word < this.#width; word++) {
      const differing = (this.#words[outer * this.#width + word] ?? 0) ^ (this.#words[inner * this.#width + word] ?? 0);
      if (differing & ~hostBits(length, word)) return false;
    }
    return true;
  }

  /** The first address after a prefix; undefined where the prefix reaches to the last address. */
  #after(entry: number): Uint32Array | undefined {
    const length = this.#lengths[entry] ?? 0;
    const after = new Uint32Array(this.#width);
    let carry = 1;
    for (let word = this.#width - 1; word >= 0; word--) {
      const end = ((this.#words[entry * this.#width + word] ?? 0) | hostBits(length, word)) >>> 0;
      after[word] = end + carry;
      carry = end + carry > 0xffffffff ? 1 : 0;
    }
    return carry ? undefined : after;
  }

  #textOf(entry: number): string {
    const bytes = new Uint8Array(4 * this.#width);
    const view = new DataView(bytes.buffer);
    for (let word = 0; word < this.#width; word++)
      view.setUint32(4 * word, this.#words[entry * this.#width + word] ?? 0);
    return `${addressFromBytes(bytes)?.text}/${this.#lengths[entry]}`;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0
  );
}

/** The bits of one 32-bit word that come after the first `length` bits of the address. */
function hostBits(length: number, word: number): number {
  const bits = Math.min(32, Math.max(0, length - 32 * word));
  return bits === 32 ? 0 : 0xffffffff >>> bits;
}
