/** Numbers by name, in memory that threads share: a Map of as many names would be looked through by each collection. */

import { entryAt, present } from '../../typed.js';
import { type Numbers, numbersOf, type Rows, RowsWriter, rowIs } from './rows.js';

export interface NameIndex {
  /** Each name once, in the order in which they came. */
  readonly names: Rows;
  /** Which of `values` belong to each name: from its own entry up to the next one. */
  readonly begins: Numbers;
  readonly values: Numbers;
  /** A table of twice as many places as names, at least; in each the number of a name and one, or 0. */
  readonly slots: Numbers;
}

/** Finds a name by the octets that it has written: a Map would hold them as texts, too. */
export class NameIndexWriter {
  readonly #names = new RowsWriter();
  readonly #hashes: number[] = [];
  #slots = slotsOf([]);
  /** Of each value the number of its name. */
  readonly #owners: number[] = [];
  readonly #values: number[] = [];

  /** One more value of a name. */
  add(name: string, value: number): void {
    this.#owners.push(this.#enter(name));
    this.#values.push(value);
  }

  /** The value of a name that has none. */
  addFirst(name: string, value: number): void {
    const names = this.#hashes.length;
    const number = this.#enter(name);
    if (number < names) return;
    this.#owners.push(number);
    this.#values.push(value);
  }

  written(): NameIndex {
    const names = this.#names.written();
    const [begins, values] = grouped(this.#owners, this.#values, this.#hashes.length);
    return { names, begins, values, slots: this.#slots };
  }

  /** The number of a name, which is entered where it is new. */
  #enter(name: string): number {
    const octets = octetsOf(name);
    const hash = hashOf(octets);
    const is = (number: number) => this.#hashes[number] === hash && this.#names.is(number, octets);
    const slot = slotOf(this.#slots, hash, is);
    const known = entryAt(this.#slots, slot);
    if (known !== 0) return known - 1;
    const number = this.#hashes.push(hash) - 1;
    this.#names.add(Buffer.from(octets, 'latin1'));
    if (2 * this.#hashes.length < this.#slots.length) this.#slots[slot] = number + 1;
    else this.#slots = slotsOf(this.#hashes);
    return number;
  }
}

/** The values of each owner beside each other, in the order in which they came. */
function grouped(owners: readonly number[], values: readonly number[], count: number): readonly [Numbers, Numbers] {
  const begins = numbersOf({ length: count + 1 });
  for (const owner of owners) begins[owner + 1] = entryAt(begins, owner + 1) + 1;
  for (let at = 0; at < count; at++) begins[at + 1] = entryAt(begins, at + 1) + entryAt(begins, at);
  const next = Uint32Array.from(begins);
  const placed = numbersOf({ length: values.length });
  for (const [at, owner] of owners.entries()) {
    const place = entryAt(next, owner);
    placed[place] = entryAt(values, at);
    next[owner] = place + 1;
  }
  return [begins, placed];
}

function slotsOf(hashes: readonly number[]): Numbers {
  const slots = numbersOf({ length: 2 ** Math.ceil(Math.log2(2 * hashes.length + 2)) });
  for (const [number, hash] of hashes.entries()) slots[slotOf(slots, hash, () => false)] = number + 1;
  return slots;
}

/** The place of a name in the table, or the free one where it would stand. */
function slotOf(slots: Numbers, hash: number, is: (number: number) => boolean): number {
  for (let slot = hash & (slots.length - 1); ; slot = (slot + 1) & (slots.length - 1)) {
    const number = present(slots[slot], 'a place of a name') - 1;
    if (number < 0 || is(number)) return slot;
  }
}

/** How many names there are. */
export function namesIn({ names }: NameIndex): number {
  return names.ends.length;
}

/** The values of a name, in the order in which they came. */
export function allOf(index: NameIndex, name: string): readonly number[] {
  const number = numberOf(index, name);
  if (number === undefined) return [];
  const { begins, values } = index;
  return [...values.subarray(entryAt(begins, number), entryAt(begins, number + 1))];
}

/** The first value of a name. */
export function firstOf(index: NameIndex, name: string): number | undefined {
  const number = numberOf(index, name);
  return number === undefined ? undefined : index.values[entryAt(index.begins, number)];
}

function numberOf({ names, slots }: NameIndex, name: string): number | undefined {
  const octets = octetsOf(name);
  const number =
    entryAt(
      slots,
      slotOf(slots, hashOf(octets), (each) => rowIs(names, each, octets)),
    ) - 1;
  return number < 0 ? undefined : number;
}

/** The octets of a name (UTF-8), each as a character: of most names these are its own, and nothing has to be made. */
function octetsOf(name: string): string {
  for (let at = 0; at < name.length; at++) if (name.charCodeAt(at) > 0x7f) return Buffer.from(name).toString('latin1');
  return name;
}

/** FNV-1a: nothing rests on it but that names lie apart. */
function hashOf(octets: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < octets.length; at++) hash = Math.imul(hash ^ octets.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
