/**
 * Changes of DER for the fuzz runs: of the tree of elements, with lengths that stay right, so that what is deep inside is
 * reached; and of bare octets, so that the form itself is attacked.
 */

import { tlv } from './der.js';
import type { Random } from './random.js';

/** An element: its children where it is constructed or wraps DER (after `prefix`), else its content. */
interface Element {
  tag: number;
  children: Element[] | undefined;
  content: Uint8Array;
  /** The count of unused bits in front of what a BIT STRING wraps. */
  prefix: Uint8Array;
}

const NOTHING = new Uint8Array(0);
const OCTET_STRING = 0x04;
const BIT_STRING = 0x03;

/** Octets that mean something in DER: tags, lengths, edges. */
const TELLING = [
  0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1e, 0x1f, 0x30, 0x31, 0x7f,
  0x80, 0x81, 0x82, 0x84, 0x86, 0xa0, 0xa1, 0xa3, 0xa4, 0xff,
];

/** Contents that stand at an edge of some type: numbers, times, names. */
const CONTENTS: readonly Uint8Array[] = [
  '',
  '00',
  'ff',
  '80',
  '7fffffff',
  '0080',
  '00'.repeat(21),
  'ff'.repeat(40),
  Buffer.from('991231235959Z').toString('hex'),
  Buffer.from('99991231235959Z').toString('hex'),
  Buffer.from('sip:a@b').toString('hex'),
  Buffer.from('*.a.example').toString('hex'),
  Buffer.from('a\0b').toString('hex'),
  '0a00000000000000',
  '551d13',
  '2a864886f70d01010b',
].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));

/** The elements of some octets; undefined: they are no DER. */
function parse(bytes: Uint8Array, depth = 0): Element[] | undefined {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] as number;
    let length = bytes[at + 1];
    if (length === undefined || depth > 12) return undefined;
    at += 2;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      if (octets === 0 || octets > 3) return undefined;
      length = 0;
      for (let i = 0; i < octets; i++) length = length * 256 + (bytes[at + i] ?? 0);
      at += octets;
    }
    if (at + length > bytes.length) return undefined;
    const content = bytes.subarray(at, at + length);
    at += length;
    const skipped = tag === BIT_STRING ? 1 : 0;
    const wraps = (tag & 0x20) !== 0 || ((tag === OCTET_STRING || tag === BIT_STRING) && length > 4);
    const children = wraps ? parse(content.subarray(skipped), depth + 1) : undefined;
    elements.push({ tag, children, content, prefix: children === undefined ? NOTHING : content.subarray(0, skipped) });
  }
  return elements;
}

function encode({ tag, children, content, prefix }: Element): Uint8Array {
  return children === undefined ? tlv(tag, content) : tlv(tag, prefix, ...children.map(encode));
}

/** Contents are never changed in place, so that they can be shared. */
const copy = (element: Element): Element => ({ ...element, children: element.children?.map(copy) });

interface Place {
  readonly among: Element[];
  readonly index: number;
}

function places(elements: Element[], into: Place[] = []): Place[] {
  elements.forEach((element, index) => {
    into.push({ among: elements, index });
    if (element.children !== undefined) places(element.children, into);
  });
  return into;
}

/** A source of changed DER: `seeds` are what is changed, and what pieces are taken from. */
export class Mutator {
  readonly #seeds: readonly Uint8Array[];
  readonly #random: Random;
  readonly #trees: readonly Element[][];

  constructor(seeds: readonly Uint8Array[], random: Random) {
    this.#seeds = seeds;
    this.#random = random;
    this.#trees = seeds.map((seed) => parse(seed) ?? []);
  }

  /** One changed seed: most by elements, some by octets, some by both. */
  next(): Uint8Array {
    const random = this.#random;
    const index = random.below(this.#seeds.length);
    const seed = this.#seeds[index] as Uint8Array;
    if (random.chance(0.25)) return this.#changeOctets(seed);
    const changed = this.#changeElements(index);
    return random.chance(0.1) ? this.#changeOctets(changed) : changed;
  }

  #changeElements(index: number): Uint8Array {
    const random = this.#random;
    const tree = (this.#trees[index] as Element[]).map(copy);
    for (let left = 1 + random.below(3); left > 0; left--) {
      const all = places(tree);
      if (all.length === 0) break;
      this.#changeElement(random.pick(all));
    }
    return new Uint8Array(Buffer.concat(tree.map(encode)));
  }

  #changeElement({ among, index }: Place): void {
    const random = this.#random;
    const element = among[index] as Element;
    switch (random.below(10)) {
      case 0:
        among.splice(index, 1);
        return;
      case 1:
        among.splice(index, 0, copy(element));
        return;
      case 2: {
        const other = random.below(among.length);
        among[index] = among[other] as Element;
        among[other] = element;
        return;
      }
      case 3: {
        const donor = random.pick(places(random.pick(this.#trees) as Element[]));
        among[index] = copy(donor.among[donor.index] as Element);
        return;
      }
      case 4:
        element.tag = random.pick(TELLING);
        return;
      case 5:
        element.tag ^= 1 << random.below(8);
        return;
      case 6:
        among[index] = { tag: random.pick([0x30, 0xa0, 0x04]), children: [element], content: NOTHING, prefix: NOTHING };
        return;
      case 7:
        Object.assign(element, { children: undefined, content: random.pick(CONTENTS) });
        return;
      default:
        if (element.children === undefined) element.content = this.#changeOctets(element.content);
        else element.children = random.shuffle(element.children);
    }
  }

  /** One to four changes: octets, bits, runs cut, doubled, the end cut off. */
  #changeOctets(bytes: Uint8Array): Uint8Array {
    const random = this.#random;
    let out = Uint8Array.from(bytes);
    for (let left = 1 + random.below(4); left > 0 && out.length > 0; left--) {
      const at = random.below(out.length);
      const end = Math.min(out.length, at + 1 + random.below(32));
      switch (random.below(6)) {
        case 0:
          out[at] = random.pick(TELLING);
          break;
        case 1:
          out[at] = (out[at] as number) ^ (1 << random.below(8));
          break;
        case 2:
          out = new Uint8Array(Buffer.concat([out.subarray(0, at), out.subarray(end)]));
          break;
        case 3:
          out = new Uint8Array(Buffer.concat([out.subarray(0, end), out.subarray(at, end), out.subarray(end)]));
          break;
        case 4:
          out[at] = random.below(256);
          break;
        default:
          out = out.subarray(0, at);
      }
    }
    return out;
  }
}
