/**
 * Many short octets in memory that threads share, each found by its number: nothing is copied from thread to thread, and no
 * collector has to look at it.
 */

import { entryAt } from '../../typed.js';

type Octets = Uint8Array<SharedArrayBuffer>;
export type Numbers = Uint32Array<SharedArrayBuffer>;

/** Rows that may be written still. */
interface SomeRows {
  readonly chunks: readonly Uint8Array[];
  readonly firsts: readonly number[];
  readonly ends: { readonly [index: number]: number; readonly length: number };
}

export interface Rows extends SomeRows {
  /** None so large that its memory counts, none so small that there are many. */
  readonly chunks: readonly Octets[];
  /** The number of the first row in each chunk. */
  readonly firsts: readonly number[];
  /** Where each row ends in its chunk. */
  readonly ends: Numbers;
}

/** So much, and no more, waits for what comes after it in the same chunk. */
const CHUNK_OCTETS = 2 ** 18;

/** Writes rows one after the other. */
export class RowsWriter {
  readonly #chunks: Octets[] = [];
  readonly #firsts: number[] = [];
  readonly #ends: number[] = [];
  readonly #most: number;
  /** What stands in the chunk that is not full yet, and room for more. */
  #open = new Uint8Array();
  #octets = 0;

  /** @param most octets with which a chunk is full */
  constructor(most = CHUNK_OCTETS) {
    this.#most = most;
  }

  add(octets: Uint8Array): void {
    if (this.#firsts.length === this.#chunks.length) this.#firsts.push(this.#ends.length);
    const end = this.#octets + octets.length;
    if (end > this.#open.length) {
      const grown = new Uint8Array(2 * end);
      grown.set(this.#open.subarray(0, this.#octets));
      this.#open = grown;
    }
    this.#open.set(octets, this.#octets);
    this.#octets = end;
    this.#ends.push(end);
    if (end >= this.#most) this.#close();
  }

  /** As `rowIs`, of one that was added. */
  is(at: number, octets: string): boolean {
    return rowIs({ chunks: [...this.#chunks, this.#open], firsts: this.#firsts, ends: this.#ends }, at, octets);
  }

  written(): Rows {
    if (this.#firsts.length > this.#chunks.length) this.#close();
    return { chunks: this.#chunks, firsts: this.#firsts, ends: numbersOf(this.#ends) };
  }

  #close(): void {
    const chunk = new Uint8Array(new SharedArrayBuffer(this.#octets));
    chunk.set(this.#open.subarray(0, this.#octets));
    this.#chunks.push(chunk);
    this.#octets = 0;
  }
}

/** Rows of before, and these behind them. */
export function rowsWith({ chunks, firsts, ends }: Rows, more: readonly Uint8Array[]): Rows {
  const writer = new RowsWriter();
  for (const octets of more) writer.add(octets);
  const behind = writer.written();
  return {
    chunks: [...chunks, ...behind.chunks],
    firsts: [...firsts, ...behind.firsts.map((first) => ends.length + first)],
    ends: numbersOf([...ends, ...behind.ends]),
  };
}

/** Rows of before with others in the place of some: a chunk that holds none of those stays the same memory. */
export function rowsReplaced(rows: Rows, replaced: ReadonlyMap<number, Uint8Array>): Rows {
  const { firsts, ends } = rows;
  const touched = new Set([...replaced.keys()].map((at) => chunkOf(rows, at)));
  if (touched.size === 0) return rows;
  const moved = numbersOf(ends);
  const chunks = rows.chunks.map((chunk, of) => {
    if (!touched.has(of)) return chunk;
    const writer = new RowsWriter(Number.POSITIVE_INFINITY);
    const [first, next] = [entryAt(firsts, of), firsts[of + 1] ?? ends.length];
    for (let at = first; at < next; at++) writer.add(replaced.get(at) ?? rowAt(rows, at));
    const written = writer.written();
    moved.set(written.ends, first);
    return entryAt(written.chunks, 0);
  });
  return { chunks, firsts, ends: moved };
}

/** The chunk of a row, and where it begins and ends in it. @throws {Error} there are not so many */
function placeOf<R extends SomeRows>(rows: R, at: number): readonly [R['chunks'][number], begin: number, end: number] {
  const { chunks, firsts, ends } = rows;
  const end = entryAt(ends, at);
  const of = chunkOf(rows, at);
  return [entryAt(chunks, of), at === firsts[of] ? 0 : entryAt(ends, at - 1), end];
}

/** The number of the chunk that holds a row. */
function chunkOf({ firsts }: SomeRows, at: number): number {
  let [low, high] = [0, firsts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (entryAt(firsts, middle) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The octets of a row, in the memory that is shared. @throws {Error} there are not so many */
export function rowAt(rows: Rows, at: number): Buffer {
  const [{ buffer, byteOffset }, begin, end] = placeOf(rows, at);
  return Buffer.from(buffer, byteOffset + begin, end - begin);
}

/** Whether a row holds the octets that are the characters of a text. */
export function rowIs(rows: SomeRows, at: number, octets: string): boolean {
  const [chunk, begin, end] = placeOf(rows, at);
  if (end - begin !== octets.length) return false;
  for (let place = 0; place < octets.length; place++) {
    if (chunk[begin + place] !== octets.charCodeAt(place)) return false;
  }
  return true;
}

/** All rows in their order. */
export function* eachRow(rows: Rows): Generator<Buffer, undefined> {
  for (let at = 0; at < rows.ends.length; at++) yield rowAt(rows, at);
  return undefined;
}

/** Numbers in memory that threads share. */
export function numbersOf(values: ArrayLike<number>): Numbers {
  const numbers = new Uint32Array(new SharedArrayBuffer(values.length * Uint32Array.BYTES_PER_ELEMENT));
  numbers.set(values);
  return numbers;
}
