/** A DER writer that also writes what is not DER, where a test asks for it. */

const bytes = (...parts: readonly (Uint8Array | number)[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : part))));

function length(size: number): Uint8Array {
  if (size < 0x80) return Uint8Array.of(size);
  const octets: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}

/** One element with any identifier octet. */
export function tlv(tag: number, ...content: readonly (Uint8Array | number)[]): Uint8Array {
  const inner = bytes(...content);
  return bytes(tag, length(inner.length), inner);
}

/** A signed number in as many octets as it needs. */
function signedOctets(value: bigint): Uint8Array {
  const octets: number[] = [];
  let rest = value;
  do {
    octets.unshift(Number(BigInt.asUintN(8, rest)));
    rest >>= 8n;
  } while (!(rest === 0n && (octets[0] as number) < 0x80) && !(rest === -1n && (octets[0] as number) >= 0x80));
  return Uint8Array.from(octets);
}

function oidOctets(text: string): Uint8Array {
  const [top = 0n, second = 0n, ...rest] = text.split('.').map(BigInt);
  const octets = [top * 40n + second, ...rest].flatMap((arc) => {
    const out = [Number(arc & 0x7fn)];
    for (let left = arc >> 7n; left > 0n; left >>= 7n) out.unshift(Number(left & 0x7fn) | 0x80);
    return out;
  });
  return Uint8Array.from(octets);
}

/** Octets of a named bit list without trailing zero bits. */
function bitList(bits: readonly number[], tag = 0x03): Uint8Array {
  if (bits.length === 0) return tlv(tag, 0);
  const last = Math.max(...bits);
  const octets = new Uint8Array((last >> 3) + 1);
  for (const bit of bits) octets[bit >> 3] = (octets[bit >> 3] as number) | (0x80 >> (bit & 7));
  return tlv(tag, 7 - (last & 7), octets);
}

const text = (value: string, encoding: BufferEncoding = 'latin1'): Uint8Array =>
  new Uint8Array(Buffer.from(value, encoding));

const pad = (value: number, size = 2): string => String(value).padStart(size, '0');

function timeDigits(date: Date): string {
  const parts = [
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ];
  return `${parts.map((part) => pad(part)).join('')}Z`;
}

export const der = {
  seq: (...items: readonly Uint8Array[]): Uint8Array => tlv(0x30, ...items),
  set: (...items: readonly Uint8Array[]): Uint8Array => tlv(0x31, ...items),
  bool: (value: boolean): Uint8Array => tlv(0x01, value ? 0xff : 0),
  int: (value: bigint | number): Uint8Array => tlv(0x02, signedOctets(BigInt(value))),
  intOf: (octets: Uint8Array): Uint8Array => tlv(0x02, octets),
  enumerated: (value: number): Uint8Array => tlv(0x0a, value),
  oid: (value: string): Uint8Array => tlv(0x06, oidOctets(value)),
  null: (): Uint8Array => tlv(0x05),
  octets: (...content: readonly Uint8Array[]): Uint8Array => tlv(0x04, ...content),
  bits: (content: Uint8Array): Uint8Array => tlv(0x03, 0, content),
  bitList,
  utf8: (value: string): Uint8Array => tlv(0x0c, text(value, 'utf8')),
  printable: (value: string): Uint8Array => tlv(0x13, text(value)),
  teletex: (value: string): Uint8Array => tlv(0x14, text(value)),
  ia5: (value: string): Uint8Array => tlv(0x16, text(value)),
  utcTime: (date: Date): Uint8Array => tlv(0x17, text(`${pad(date.getUTCFullYear() % 100)}${timeDigits(date)}`)),
  generalizedTime: (date: Date): Uint8Array => tlv(0x18, text(`${pad(date.getUTCFullYear(), 4)}${timeDigits(date)}`)),
  /** The time type that RFC 5280 §4.1.2.5 asks for. */
  time: (date: Date): Uint8Array => {
    const year = date.getUTCFullYear();
    return year >= 1950 && year < 2050 ? der.utcTime(date) : der.generalizedTime(date);
  },
  text,
  concat: (...parts: readonly Uint8Array[]): Uint8Array => bytes(...parts),
};
