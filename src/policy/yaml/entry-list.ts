/** A long list of a file whose entries are made when they are looked at: 100,000 agreements are never there as a whole. */

/** Where an entry begins, and the line that it begins in; offsets into the text. */
export interface EntryPlace {
  readonly at: number;
  readonly lineStart: number;
}

/** A list, or one whose entries are made as they are looked at. */
export type Entries = readonly unknown[] | EntryList;

/** Whether a value of a document is a list, in either form. */
export function isEntries(value: unknown): value is Entries {
  return Array.isArray(value) || value instanceof EntryList;
}

/** What entries are made of. */
interface EntrySource {
  readonly text: string;
  /** Where the line after the last entry begins. */
  readonly end: number;
  /** The entry that stands at a place of a text, made anew. */
  readonly read: (text: string, place: EntryPlace) => unknown;
}

/** Knows where its entries stand, and keeps none of them. */
export class EntryList implements Iterable<unknown> {
  readonly #places: Uint32Array;
  readonly #source: EntrySource;

  constructor(places: readonly EntryPlace[], source: EntrySource) {
    this.#places = Uint32Array.from(places.flatMap(({ at, lineStart }) => [at, lineStart]));
    this.#source = source;
  }

  get length(): number {
    return this.#places.length / 2;
  }

  /** Where an entry stands; undefined where there is none. */
  place(index: number): EntryPlace | undefined {
    const [at, lineStart] = this.#places.subarray(2 * index, 2 * index + 2);
    return at === undefined || lineStart === undefined ? undefined : { at, lineStart };
  }

  /** Read from a copy of its lines: V8 cuts words out of a text by keeping the whole text, and agreements outlive files. */
  at(index: number): unknown {
    const place = this.place(index);
    const lines = Buffer.from(this.text(index)).toString();
    return place && this.#source.read(lines, { at: place.at - place.lineStart, lineStart: 0 });
  }

  /** All lines of an entry up to those of the next one: where they are the same, the entry is. */
  text(index: number): string {
    const { text, end } = this.#source;
    return text.slice(this.place(index)?.lineStart ?? end, this.place(index + 1)?.lineStart ?? end);
  }

  *[Symbol.iterator](): Generator<unknown, undefined> {
    for (let index = 0; index < this.length; index++) yield this.at(index);
    return undefined;
  }
}
