/**
 * A quick reader of the YAML that policies are mostly written in: block mappings and lists, words, quoted text, flow lists
 * and mappings on one line, comments. Whatever is anything else (anchors, tags, text over several lines, escapes, tabs,
 * mistakes) it leaves to the library, which reads the whole file then. What it does read it reads as the library would;
 * a test holds the two against each other.
 */

import { EntryList, type EntryPlace } from './entry-list.js';
import { plainScalar } from './plain-scalar.js';

/** Deeper than policies are; the library decides beyond. */
const MOST_DEPTH = 32;

/** Of the lists right below the root. */
const ENTRIES_DEPTH = 1;

/** Where the parts of a container stand; offsets into the text. */
interface Places {
  /** Of the keys, where the container is a mapping. */
  readonly keys: ReadonlyMap<string, number> | undefined;
  /** Of the values, by key or in order. */
  readonly values: ReadonlyMap<string, number> | readonly number[];
}

export interface PlainDocument {
  /** A block list of mappings right below the root is an EntryList. */
  readonly value: Readonly<Record<string, unknown>>;
  /** Offset of the value at a key path, or of its key; where nothing stands there, of what would hold it. */
  locate(path: readonly (string | number)[], at: 'key' | 'value'): number;
}

/** The offset from which on a text is not plain. */
export interface NotPlainFrom {
  readonly notPlain: number;
}

/** The document, or where it stops being plain, or has more than `most` values. */
export function readPlainYaml(text: string, most: number): PlainDocument | NotPlainFrom {
  const reader = new Reader(text, most);
  const value = reader.document();
  if (value === undefined) return { notPlain: reader.at };
  let located: WeakRef<Reader> | undefined;
  return {
    value,
    locate: (path, at) => {
      // Places are only asked for where something is wrong: they are found by reading once more, and not kept for long.
      const places = located?.deref() ?? placesOf(text, most);
      located = new WeakRef(places);
      return places.locate(path, at);
    },
  };
}

function placesOf(text: string, most: number): Reader {
  const reader = new Reader(text, most, new Map());
  reader.document();
  return reader;
}

/** Thrown within this file alone, where the text is not plain. */
class NotPlain extends Error {}

const SPACE = 32;
const LINE = 10;
const HASH = 35;
const DASH = 45;
const COLON = 58;
const DOUBLE = 34;
const SINGLE = 39;

/** Characters that nothing but a comment or a quoted text may hold here, and some that nothing may. */
const ODD_ANYWHERE = /[\t\r\u0085\u2028\u2029\ufeff]|^(?:---|\.\.\.|%)/m;
/** YAML 1.2.2 §7.4.2: so far from its beginning the colon of a key stands at most. */
const LONGEST_KEY = 1024;
const KEY = /[A-Za-z_][A-Za-z0-9_-]*/y;
/**
 * A word or several; a colon only within one, where no reader takes it for the end of a key. Bounded in its pieces, each of
 * which takes room on the stack of the expression: a text of more is left to the library.
 */
const WORDS =
  /[A-Za-z0-9_+/.~\u00a0-\ufefe](?:[A-Za-z0-9_+/.~@=*\u00a0-\ufefe-]+|:(?=[A-Za-z0-9/:])| +(?=[A-Za-z0-9_+/.~@=*\u00a0-\ufefe-])){0,65535}/y;

class Reader {
  readonly #text: string;
  #places: Map<object, Places> | undefined;
  readonly #most: number;
  #count = 0;
  #at = 0;
  /** Of the line that #at is in. */
  #lineStart = 0;
  #root: object | undefined;

  constructor(text: string, most: number, places?: Map<object, Places>) {
    this.#text = text;
    this.#most = most;
    this.#places = places;
  }

  /** Where it is in the text. */
  get at(): number {
    return this.#at;
  }

  document(): Readonly<Record<string, unknown>> | undefined {
    const odd = ODD_ANYWHERE.exec(this.#text);
    if (odd) {
      this.#at = odd.index;
      return undefined;
    }
    try {
      if (this.#nextLine() !== 0) return undefined;
      const root = this.#mapping(0, 0);
      if (this.#at < this.#text.length) return undefined;
      this.#root = root;
      return root;
    } catch (error) {
      if (error instanceof NotPlain) return undefined;
      throw error;
    }
  }

  locate(path: readonly (string | number)[], at: 'key' | 'value'): number {
    let node: unknown = this.#root;
    let offset = this.#firstKey;
    let known = this.#places;
    for (const [index, step] of path.entries()) {
      if (node instanceof EntryList) {
        const place = node.place(Number(step));
        if (place === undefined) return offset;
        known = new Map();
        node = new Reader(this.#text, this.#most, known).entry(place);
        offset = place.at;
        continue;
      }
      const places = typeof node === 'object' && node !== null ? known?.get(node) : undefined;
      if (places === undefined) return offset;
      const { keys, values } = places;
      const key = keys?.get(String(step));
      if (key !== undefined && at === 'key' && index === path.length - 1) return key;
      const next = 'get' in values ? values.get(String(step)) : values[Number(step)];
      if (next === undefined) return offset;
      offset = next;
      node = Reflect.get(Object(node), step);
    }
    return offset;
  }

  /** The entry of a list that was read before. */
  entry({ at, lineStart }: EntryPlace): unknown {
    this.#at = at;
    this.#lineStart = lineStart;
    return this.#entry(ENTRIES_DEPTH);
  }

  get #firstKey(): number {
    const places = this.#root && this.#places?.get(this.#root);
    const first = places?.keys?.values().next().value;
    return first ?? 0;
  }

  #fail(): never {
    throw new NotPlain();
  }

  #counted<T>(value: T): T {
    this.#count += 1;
    if (this.#count > this.#most) this.#fail();
    return value;
  }

  /** Goes to the next line that holds more than a comment; its indentation, or -1 at the end. */
  #nextLine(): number {
    const text = this.#text;
    for (;;) {
      this.#lineStart = this.#at;
      let at = this.#at;
      while (text.charCodeAt(at) === SPACE) at++;
      const code = text.charCodeAt(at);
      if (at >= text.length) {
        this.#at = text.length;
        return -1;
      }
      if (code === LINE) {
        this.#at = at + 1;
      } else if (code === HASH) {
        this.#at = at;
        this.#skipLine();
      } else {
        this.#at = at;
        return at - this.#lineStart;
      }
    }
  }

  #skipLine(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end === -1 ? this.#text.length : end + 1;
  }

  /** Nothing but blanks and a comment stand until the end of the line; goes to the next one that holds something. */
  #endOfLine(): number {
    this.#blanks();
    const code = this.#text.charCodeAt(this.#at);
    const comment = code === HASH && this.#text.charCodeAt(this.#at - 1) === SPACE;
    if (this.#at < this.#text.length && code !== LINE && !comment) this.#fail();
    this.#skipLine();
    return this.#nextLine();
  }

  /** Indentation of what stands at #at, or -1 at the end. */
  #indent(): number {
    return this.#at >= this.#text.length ? -1 : this.#at - this.#lineStart;
  }

  /** A block mapping whose keys stand at this column; #at is at the first key. Leaves #at at what comes after it. */
  #mapping(column: number, depth: number): Record<string, unknown> {
    if (depth > MOST_DEPTH) this.#fail();
    const mapping = this.#counted<Record<string, unknown>>(Object.create(null));
    const keys = this.#places && new Map<string, number>();
    const values = this.#places && new Map<string, number>();
    do {
      const keyAt = this.#at;
      const key = this.#key();
      if (key in mapping) this.#fail();
      keys?.set(key, keyAt);
      this.#blanks();
      const code = this.#text.charCodeAt(this.#at);
      if (this.#at >= this.#text.length || code === LINE || code === HASH) {
        // Where nothing stands, the library says that it stands before the end of the line.
        const emptyAt = this.#at;
        const indent = this.#endOfLine();
        const list = indent >= column && this.#dash();
        if (indent > column || list) {
          values?.set(key, this.#at);
          mapping[key] = list ? this.#list(indent, depth + 1) : this.#mapping(indent, depth + 1);
        } else {
          values?.set(key, emptyAt);
          mapping[key] = this.#counted(null);
        }
      } else {
        values?.set(key, this.#at);
        mapping[key] = this.#inline(depth + 1);
        this.#endOfLine();
      }
      if (this.#indent() > column) this.#fail();
    } while (this.#indent() === column && !this.#dash());
    if (keys && values) this.#places?.set(mapping, { keys, values });
    return mapping;
  }

  /** A block list whose dashes stand at this column. */
  #list(column: number, depth: number): unknown[] | EntryList {
    if (depth > MOST_DEPTH) this.#fail();
    const list: unknown[] = this.#counted([]);
    const values: number[] | undefined = this.#places && [];
    do {
      this.#at++;
      this.#blanks();
      if (list.length === 0 && depth === ENTRIES_DEPTH && this.#startsKey()) return this.#entries(column);
      values?.push(this.#at);
      list.push(this.#entry(depth));
      if (this.#indent() > column) this.#fail();
    } while (this.#indent() === column && this.#dash());
    if (values) this.#places?.set(list, { keys: undefined, values });
    return list;
  }

  /** The rest of such a list, from its first entry on: each is read to see that it is plain, and let go. */
  #entries(column: number): EntryList {
    const places = this.#places;
    this.#places = undefined;
    const found: EntryPlace[] = [];
    for (;;) {
      found.push({ at: this.#at, lineStart: this.#lineStart });
      this.#entry(ENTRIES_DEPTH);
      if (this.#indent() > column) this.#fail();
      if (this.#indent() !== column || !this.#dash()) break;
      this.#at++;
      this.#blanks();
    }
    this.#places = places;
    const read = (text: string, place: EntryPlace) => new Reader(text, this.#most).entry(place);
    return new EntryList(found, { text: this.#text, end: this.#lineStart, read });
  }

  /** What stands behind a dash of a list of this depth. */
  #entry(depth: number): unknown {
    if (this.#startsKey()) return this.#mapping(this.#at - this.#lineStart, depth + 1);
    const value = this.#inline(depth + 1);
    this.#endOfLine();
    return value;
  }

  #dash(): boolean {
    return this.#text.charCodeAt(this.#at) === DASH && this.#text.charCodeAt(this.#at + 1) === SPACE;
  }

  #blanks(): void {
    while (this.#text.charCodeAt(this.#at) === SPACE) this.#at++;
  }

  /** Whether a key and its colon stand here. */
  #startsKey(): boolean {
    KEY.lastIndex = this.#at;
    if (!KEY.test(this.#text)) return false;
    const end = KEY.lastIndex;
    if (this.#text.charCodeAt(end) !== COLON) return false;
    const after = this.#text.charCodeAt(end + 1);
    return end + 1 >= this.#text.length || after === SPACE || after === LINE;
  }

  #key(): string {
    if (!this.#startsKey()) this.#fail();
    const key = this.#text.slice(this.#at, KEY.lastIndex);
    if (key === '__proto__' || key.length > LONGEST_KEY) this.#fail();
    this.#at = KEY.lastIndex + 1;
    return key;
  }

  /** A value on one line. */
  #inline(depth: number): unknown {
    switch (this.#text[this.#at]) {
      case '[':
        return this.#flowList(depth);
      case '{':
        return this.#flowMapping(depth);
      default:
        return this.#scalar();
    }
  }

  #scalar(): unknown {
    const code = this.#text.charCodeAt(this.#at);
    if (code === DOUBLE || code === SINGLE) return this.#counted(this.#quoted(code));
    WORDS.lastIndex = this.#at;
    if (!WORDS.test(this.#text)) this.#fail();
    const words = this.#text.slice(this.#at, WORDS.lastIndex);
    this.#at = WORDS.lastIndex;
    return this.#counted(plainScalar(words));
  }

  #quoted(quote: number): string {
    const begin = this.#at + 1;
    for (let at = begin; ; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === quote) {
        // Two single quotes in a row stand for one.
        if (this.#text.charCodeAt(at + 1) === quote) this.#fail();
        this.#at = at + 1;
        return this.#text.slice(begin, at);
      }
      if (code === LINE || code === 92 || at >= this.#text.length) this.#fail();
    }
  }

  #flowList(depth: number): unknown[] {
    if (depth > MOST_DEPTH) this.#fail();
    const list: unknown[] = this.#counted([]);
    const values: number[] | undefined = this.#places && [];
    this.#at++;
    this.#blanks();
    while (this.#text[this.#at] !== ']') {
      values?.push(this.#at);
      list.push(this.#inline(depth + 1));
      this.#between(']');
    }
    this.#at++;
    if (values) this.#places?.set(list, { keys: undefined, values });
    return list;
  }

  #flowMapping(depth: number): object {
    if (depth > MOST_DEPTH) this.#fail();
    const mapping = this.#counted<Record<string, unknown>>(Object.create(null));
    const keys = this.#places && new Map<string, number>();
    const values = this.#places && new Map<string, number>();
    this.#at++;
    this.#blanks();
    while (this.#text[this.#at] !== '}') {
      const keyAt = this.#at;
      const key = this.#key();
      if (key in mapping || this.#text.charCodeAt(this.#at) !== SPACE) this.#fail();
      this.#blanks();
      keys?.set(key, keyAt);
      values?.set(key, this.#at);
      mapping[key] = this.#inline(depth + 1);
      this.#between('}');
    }
    this.#at++;
    if (keys && values) this.#places?.set(mapping, { keys, values });
    return mapping;
  }

  /** A comma and what comes after it, or the end of a flow list or mapping. */
  #between(end: ']' | '}'): void {
    this.#blanks();
    if (this.#text[this.#at] === end) return;
    if (this.#text[this.#at] !== ',') this.#fail();
    this.#at++;
    this.#blanks();
    if (this.#text[this.#at] === end) this.#fail();
  }
}
