/**
 * A quick reader of the YAML that policies are mostly written in: block mappings and lists, words, quoted text, flow lists
 * and mappings on one line, comments. Whatever is anything else (anchors, tags, text over several lines, escapes, tabs,
 * mistakes) it leaves to the library, which reads the whole file then. What it does read it reads as the library would;
 * a test holds the two against each other.
 */

import { Cursor, fail, NotPlain } from './cursor.js';
import { EntryList, type EntryPlace } from './entry-list.js';
import { locate, type Parts, type Placed, type Places } from './places.js';
import { plainScalar } from './plain-scalar.js';

/** Deeper than policies are; the library decides beyond. */
const MOST_DEPTH = 32;

/** Of the lists right below the root. */
const ENTRIES_DEPTH = 1;

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
  const odd = ODD_ANYWHERE.exec(text);
  if (odd) return { notPlain: odd.index };
  const reader = new Reader(new Cursor(text), most);
  const value = reader.document();
  if (value === undefined) return { notPlain: reader.at };
  let located: WeakRef<Placed> | undefined;
  return {
    value,
    locate: (path, at) => {
      // Places are only asked for where something is wrong: they are found by reading once more, and not kept for long.
      const placed = located?.deref() ?? readPlaces(text, most);
      located = new WeakRef(placed);
      return locate(placed, path, at);
    },
  };
}

function readPlaces(text: string, most: number): Placed {
  const places: Places = new Map();
  const root = new Reader(new Cursor(text), most, places).document();
  return { root, places, entry: (place, found) => readEntry(text, most, place, found) };
}

/** The entry of a list that was read before. */
function readEntry(text: string, most: number, { at, lineStart }: EntryPlace, places?: Places): unknown {
  return new Reader(new Cursor(text, at, lineStart), most, places).entry(ENTRIES_DEPTH);
}

const SPACE = 32;
const LINE = 10;
const BACKSLASH = 92;
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

type Mapping = Record<string, unknown>;

/** Reads each value once, from where the cursor stands, and leaves the cursor at what comes after it. */
class Reader {
  readonly #cursor: Cursor;
  readonly #most: number;
  #count = 0;
  #places: Places | undefined;

  /** @param places where the parts of containers are put down; undefined: nowhere */
  constructor(cursor: Cursor, most: number, places?: Places) {
    this.#cursor = cursor;
    this.#most = most;
    this.#places = places;
  }

  /** Where it is in the text. */
  get at(): number {
    return this.#cursor.at;
  }

  /** The whole text; undefined: it is not plain. */
  document(): Readonly<Mapping> | undefined {
    try {
      if (this.#cursor.nextLine() !== 0) return undefined;
      const root = this.#mapping(0, 0);
      return this.#cursor.indent === -1 ? root : undefined;
    } catch (error) {
      if (error instanceof NotPlain) return undefined;
      throw error;
    }
  }

  /**
   * What stands behind a dash of a list of this depth.
   * @throws {NotPlain}
   */
  entry(depth: number): unknown {
    if (this.#startsKey()) return this.#mapping(this.#cursor.indent, depth + 1);
    const value = this.#inline(depth + 1);
    this.#cursor.endOfLine();
    return value;
  }

  #counted<T>(value: T): T {
    this.#count += 1;
    if (this.#count > this.#most) fail();
    return value;
  }

  /** An empty container, and where its parts are put down. */
  #opened<T extends object>(container: T, depth: number): readonly [T, Parts | undefined] {
    if (depth > MOST_DEPTH) fail();
    const parts = this.#places && { keys: new Map<string, number>(), values: new Map<string, number>() };
    if (parts) this.#places?.set(container, parts);
    return [this.#counted(container), parts];
  }

  /** A block mapping whose keys stand at this column. */
  #mapping(column: number, depth: number): Mapping {
    const cursor = this.#cursor;
    const [mapping, parts] = this.#opened<Mapping>(Object.create(null), depth);
    do {
      const key = this.#key(mapping, parts);
      cursor.skipBlanks();
      if (cursor.isAtLineEnd) {
        mapping[key] = this.#below(column, depth, (at) => parts?.values.set(key, at));
      } else {
        parts?.values.set(key, cursor.at);
        mapping[key] = this.#inline(depth + 1);
        cursor.endOfLine();
      }
      if (cursor.indent > column) fail();
    } while (cursor.indent === column && !cursor.isAtDash);
    return mapping;
  }

  /** What stands below a key of this column. */
  #below(column: number, depth: number, found: (at: number) => void): unknown {
    // Where nothing stands, the library says that it stands before the end of the line.
    const emptyAt = this.at;
    const indent = this.#cursor.endOfLine();
    const isList = indent >= column && this.#cursor.isAtDash;
    if (indent <= column && !isList) {
      found(emptyAt);
      return this.#counted(null);
    }
    found(this.at);
    return isList ? this.#list(indent, depth + 1) : this.#mapping(indent, depth + 1);
  }

  /** A block list whose dashes stand at this column. */
  #list(column: number, depth: number): unknown[] | EntryList {
    const cursor = this.#cursor;
    const [list, parts] = this.#opened<unknown[]>([], depth);
    do {
      cursor.skipDash();
      if (list.length === 0 && depth === ENTRIES_DEPTH && this.#startsKey()) return this.#entries(column);
      parts?.values.set(String(list.length), cursor.at);
      list.push(this.entry(depth));
    } while (this.#goesOn(column));
    return list;
  }

  /** Whether another entry of such a list comes. */
  #goesOn(column: number): boolean {
    if (this.#cursor.indent > column) fail();
    return this.#cursor.indent === column && this.#cursor.isAtDash;
  }

  /** The rest of such a list, from its first entry on: each is read to see that it is plain, and let go. */
  #entries(column: number): EntryList {
    const cursor = this.#cursor;
    const places = this.#places;
    this.#places = undefined;
    const found: EntryPlace[] = [{ at: cursor.at, lineStart: cursor.lineStart }];
    this.entry(ENTRIES_DEPTH);
    while (this.#goesOn(column)) {
      cursor.skipDash();
      found.push({ at: cursor.at, lineStart: cursor.lineStart });
      this.entry(ENTRIES_DEPTH);
    }
    this.#places = places;
    const read = (text: string, place: EntryPlace) => readEntry(text, this.#most, place);
    return new EntryList(found, { text: cursor.text, end: cursor.lineStart, read });
  }

  /** Whether a key and its colon stand here. */
  #startsKey(): boolean {
    const { text, at } = this.#cursor;
    KEY.lastIndex = at;
    if (!KEY.test(text)) return false;
    const end = KEY.lastIndex;
    if (text.charCodeAt(end) !== COLON) return false;
    const after = text.charCodeAt(end + 1);
    return end + 1 >= text.length || after === SPACE || after === LINE;
  }

  /** A key that the mapping does not have yet, and its colon. */
  #key(mapping: Mapping, parts: Parts | undefined): string {
    if (!this.#startsKey()) fail();
    const { text, at } = this.#cursor;
    const key = text.slice(at, KEY.lastIndex);
    if (key === '__proto__' || key.length > LONGEST_KEY || key in mapping) fail();
    parts?.keys.set(key, at);
    this.#cursor.at = KEY.lastIndex + 1;
    return key;
  }

  /** A value on one line. */
  #inline(depth: number): unknown {
    switch (this.#cursor.text[this.#cursor.at]) {
      case '[':
        return this.#flowList(depth);
      case '{':
        return this.#flowMapping(depth);
      default:
        return this.#counted(this.#scalar());
    }
  }

  #scalar(): unknown {
    const { text, at, code } = this.#cursor;
    if (code === DOUBLE || code === SINGLE) return this.#quoted(code);
    WORDS.lastIndex = at;
    if (!WORDS.test(text)) fail();
    this.#cursor.at = WORDS.lastIndex;
    return plainScalar(text.slice(at, WORDS.lastIndex));
  }

  #quoted(quote: number): string {
    const { text } = this.#cursor;
    const begin = this.#cursor.at + 1;
    for (let at = begin; ; at++) {
      const code = text.charCodeAt(at);
      if (code === quote) {
        // Two single quotes in a row stand for one.
        if (text.charCodeAt(at + 1) === quote) fail();
        this.#cursor.at = at + 1;
        return text.slice(begin, at);
      }
      if (code === LINE || code === BACKSLASH || at >= text.length) fail();
    }
  }

  #flowList(depth: number): unknown[] {
    const [list, parts] = this.#opened<unknown[]>([], depth);
    for (let more = this.#flowBegins(']'); more; more = this.#flowGoesOn(']')) {
      parts?.values.set(String(list.length), this.at);
      list.push(this.#inline(depth + 1));
    }
    return list;
  }

  #flowMapping(depth: number): Mapping {
    const [mapping, parts] = this.#opened<Mapping>(Object.create(null), depth);
    for (let more = this.#flowBegins('}'); more; more = this.#flowGoesOn('}')) {
      const key = this.#key(mapping, parts);
      if (this.#cursor.code !== SPACE) fail();
      this.#cursor.skipBlanks();
      parts?.values.set(key, this.at);
      mapping[key] = this.#inline(depth + 1);
    }
    return mapping;
  }

  /** Whether anything stands between the brackets of a flow list or mapping; goes there, or behind them. */
  #flowBegins(end: ']' | '}'): boolean {
    this.#cursor.at++;
    this.#cursor.skipBlanks();
    return !this.#passed(end);
  }

  /** Whether another part of it comes behind a comma; the same. */
  #flowGoesOn(end: ']' | '}'): boolean {
    this.#cursor.skipBlanks();
    if (this.#passed(end)) return false;
    if (!this.#passed(',')) fail();
    this.#cursor.skipBlanks();
    if (this.#passed(end)) fail();
    return true;
  }

  /** Goes past this character, if it stands here. */
  #passed(char: string): boolean {
    const { text, at } = this.#cursor;
    if (text[at] !== char) return false;
    this.#cursor.at++;
    return true;
  }
}
