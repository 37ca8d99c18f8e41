/**
 * A strict reader for DER (X.690 §10, §11): definite minimal lengths, low tag numbers, no trailing bytes.
 *
 * Certificates that read differently in two parsers are an attack (RFC 5280 §4.1.1.3 signs one encoding only), so
 * anything that is not DER is refused here instead of being understood somehow. Offsets, not objects: the reader
 * copies nothing, every value is a view into the bytes that were given.
 */

import { shortened } from '../../printable.js';

/** What in the encoding is wrong: which field, what was expected there, what was found. */
export class MalformedDer extends Error {
  override readonly name = 'MalformedDer';
  constructor(
    readonly field: string,
    readonly expected: string,
    readonly found: string,
  ) {
    // What was found is of others, and may be all of a certificate.
    super(`${field}: expected ${shortened(expected, MOST_SHOWN)}, found ${shortened(found, MOST_SHOWN)}`);
  }
}

const MOST_SHOWN = 120;

/** Identifier octets of the universal types that X.509 uses. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

const hexByte = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`;

/** Reads one run of DER elements between two offsets. */
export class DerReader {
  #position: number;
  readonly #end: number;

  /** Set by `next`: where the element that was read last begins (its tag), where its content begins and ends. */
  start = 0;
  from = 0;
  to = 0;

  constructor(
    readonly bytes: Uint8Array,
    position = 0,
    end = bytes.length,
  ) {
    this.#position = position;
    this.#end = end;
  }

  /** How many octets have not been read. */
  get left(): number {
    return this.#end - this.#position;
  }

  /** Whether all elements of the run have been read. */
  get done(): boolean {
    return this.#position >= this.#end;
  }

  /** Identifier octet of the next element; -1 at the end. */
  peek(): number {
    return this.#position < this.#end ? (this.bytes[this.#position] as number) : -1;
  }

  /** Reads the header of the next element, whatever its tag, and steps over its content. */
  any(field: string): number {
    const { bytes } = this;
    const end = this.#end;
    let at = this.#position;
    if (at >= end) throw new MalformedDer(field, 'an element', 'the end of the data');
    const tag = bytes[at] as number;
    if ((tag & 0x1f) === 0x1f) throw new MalformedDer(field, 'a low tag number', `tag ${hexByte(tag)}`);
    if (at + 1 >= end) throw new MalformedDer(field, 'a length', 'the end of the data');
    let length = bytes[at + 1] as number;
    at += 2;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      // 0x80 is the indefinite form of BER; four octets hold 4 GB, more than any certificate or CRL.
      if (octets === 0 || octets > 4) throw new MalformedDer(field, 'a definite length', hexByte(length));
      if (at + octets > end) throw new MalformedDer(field, 'a length', 'the end of the data');
      length = 0;
      for (let i = 0; i < octets; i++) length = length * 256 + (bytes[at + i] as number);
      if (length < 0x80 || (octets > 1 && length < 2 ** (8 * (octets - 1)))) {
        throw new MalformedDer(field, 'the shortest form of the length', `${octets} octets for ${length}`);
      }
      at += octets;
    }
    if (length > end - at) throw new MalformedDer(field, `${length} octets of content`, `${end - at}`);
    this.start = this.#position;
    this.from = at;
    this.to = at + length;
    this.#position = this.to;
    return tag;
  }

  /** Reads the header of the next element, which must have this tag. */
  next(tag: number, field: string): this {
    const found = this.peek();
    if (found !== tag) {
      throw new MalformedDer(field, `tag ${hexByte(tag)}`, found < 0 ? 'the end of the data' : `tag ${hexByte(found)}`);
    }
    this.any(field);
    return this;
  }

  /** Reads the next element if it has this tag; otherwise stays and answers false. */
  optional(tag: number, field: string): boolean {
    if (this.peek() !== tag) return false;
    this.any(field);
    return true;
  }

  /** A reader over the content of the element that was read last. */
  inside(): DerReader {
    return new DerReader(this.bytes, this.from, this.to);
  }

  /** Content octets of the element that was read last, as a view. */
  content(): Uint8Array {
    return this.bytes.subarray(this.from, this.to);
  }

  /** A reader over what has not been read. */
  rest(): DerReader {
    return new DerReader(this.bytes, this.#position, this.#end);
  }

  /** Whole element that was read last (tag, length, content), as a view. */
  element(): Uint8Array {
    return this.bytes.subarray(this.start, this.to);
  }

  /** Reads a constructed element and answers a reader over its content. */
  sequence(field: string, tag: number = TAG.sequence): DerReader {
    return this.next(tag, field).inside();
  }

  /** Refuses anything that follows. */
  finish(field: string): void {
    if (this.#position < this.#end) {
      throw new MalformedDer(field, 'the end of the data', `${this.#end - this.#position} more octets`);
    }
  }

  boolean(field: string, tag: number = TAG.boolean): boolean {
    this.next(tag, field);
    const value = this.to - this.from === 1 ? this.bytes[this.from] : -1;
    // X.690 §11.1: TRUE is 0xFF and nothing else.
    if (value === 0xff) return true;
    if (value === 0x00) return false;
    throw new MalformedDer(field, 'a BOOLEAN of one octet 0x00 or 0xff', hexHead(this.content()));
  }

  /** Content octets of an INTEGER: two's complement, shortest form (X.690 §8.3.2). */
  integer(field: string, tag: number = TAG.integer): Uint8Array {
    this.next(tag, field);
    const octets = this.content();
    const [first, second] = octets;
    if (first === undefined) throw new MalformedDer(field, 'an INTEGER', 'no octets');
    if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
      throw new MalformedDer(field, 'the shortest form of an INTEGER', `${hex(octets.subarray(0, 2))}...`);
    }
    return octets;
  }

  /** An INTEGER that must fit 0..2^31-1 (path lengths, skip counts, versions). */
  count(field: string, tag: number = TAG.integer): number {
    const octets = this.integer(field, tag);
    if (octets.length > 4 || (octets[0] as number) >= 0x80) {
      throw new MalformedDer(field, 'an INTEGER of 0 or more', hex(octets.subarray(0, 8)));
    }
    return octets.reduce((value, octet) => value * 256 + octet, 0);
  }

  /** Dotted form of an OBJECT IDENTIFIER. */
  oid(field: string): string {
    this.next(TAG.oid, field);
    return oidText(this.bytes, this.from, this.to, field);
  }

  /** A BIT STRING: its octets without the leading count, and the count of unused bits, which must be zero bits. */
  bits(field: string, tag: number = TAG.bitString): { octets: Uint8Array; unused: number } {
    this.next(tag, field);
    const unused = this.from < this.to ? (this.bytes[this.from] as number) : -1;
    const octets = this.bytes.subarray(this.from + 1, this.to);
    if (unused < 0 || unused > 7 || (unused > 0 && octets.length === 0)) {
      throw new MalformedDer(field, 'a BIT STRING', `${unused} unused bits of ${octets.length} octets`);
    }
    // X.690 §11.2.1
    if (unused > 0 && ((octets.at(-1) as number) & ((1 << unused) - 1)) !== 0) {
      throw new MalformedDer(field, 'unused bits that are zero', hexByte(octets.at(-1) as number));
    }
    return { octets, unused };
  }

  /**
   * Names of the bits set in a named bit list. Trailing zero bits are not DER (X.690 §11.2.2), but many CAs have written
   * them, and they read one way only: `cert lint` tells of them.
   */
  namedBits<Name extends string>(field: string, names: readonly Name[], tag: number = TAG.bitString): Set<Name> {
    const { octets } = this.bits(field, tag);
    const set = new Set<Name>();
    names.forEach((name, bit) => {
      if ((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) set.add(name);
    });
    return set;
  }
}

/** Longest OBJECT IDENTIFIER that is read: one with a UUID in it has 20 octets. */
const MOST_OID_OCTETS = 256;

/**
 * Dotted form of the content octets of an OBJECT IDENTIFIER between two offsets.
 * @throws {MalformedDer}
 */
export function oidText(bytes: Uint8Array, from: number, to: number, field: string): string {
  if (from >= to) throw new MalformedDer(field, 'an OBJECT IDENTIFIER', 'no octets');
  if (to - from > MOST_OID_OCTETS) {
    throw new MalformedDer(field, `an OBJECT IDENTIFIER of at most ${MOST_OID_OCTETS} octets`, `${to - from}`);
  }
  let text = '';
  let arc = 0;
  let fresh = true;
  for (let at = from; at < to; at++) {
    const octet = bytes[at] as number;
    // X.690 §8.19.2: no padding; 2^53 is beyond any arc in use.
    if (fresh && octet === 0x80) throw new MalformedDer(field, 'an arc in its shortest form', 'a leading 0x80');
    if (arc > Number.MAX_SAFE_INTEGER / 256) {
      // UUID-based arcs (2.25.*) are larger: they are kept exactly, as the field's octets in hex would lose the form.
      return bigOidText(bytes, from, to, field);
    }
    arc = arc * 128 + (octet & 0x7f);
    fresh = octet < 0x80;
    if (fresh) {
      if (text === '') {
        const top = arc < 40 ? 0 : arc < 80 ? 1 : 2;
        text = `${top}.${arc - 40 * top}`;
      } else text += `.${arc}`;
      arc = 0;
    }
  }
  if (!fresh) throw new MalformedDer(field, 'a complete arc', 'the end of the OBJECT IDENTIFIER');
  return text;
}

function bigOidText(bytes: Uint8Array, from: number, to: number, field: string): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  let fresh = true;
  for (let at = from; at < to; at++) {
    const octet = bytes[at] as number;
    if (fresh && octet === 0x80) throw new MalformedDer(field, 'an arc in its shortest form', 'a leading 0x80');
    // An arc of a thousand bits would make this quadratic, and nobody has one: 2.25 arcs have 128.
    if (arc >> 256n) throw new MalformedDer(field, 'an arc below 2^256', 'a larger one');
    arc = arc * 128n + BigInt(octet & 0x7f);
    fresh = octet < 0x80;
    if (fresh) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  if (!fresh) throw new MalformedDer(field, 'a complete arc', 'the end of the OBJECT IDENTIFIER');
  const first = arcs[0] ?? 0n;
  const top = first < 40n ? 0n : first < 80n ? 1n : 2n;
  return [top, first - 40n * top, ...arcs.slice(1)].join('.');
}

/** Lower-case hex of some octets. */
export function hex(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('hex');
}

/** The same for a message: of many octets the first ones. */
export function hexHead(octets: Uint8Array, most = MOST_SHOWN / 2): string {
  return `${hex(octets.subarray(0, most))}${octets.length > most ? '...' : ''}`;
}

/** Whether two runs of octets are the same. */
export function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}
