/** IP addresses: strict text in, canonical bytes and text out. */

export interface Address {
  /** 4 or 16 bytes in network order. An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) is kept as IPv4. */
  readonly bytes: Uint8Array;
  /** Canonical text: dotted decimal, or RFC 5952; never in brackets. */
  readonly text: string;
}

/**
 * Reads one IP address. Accepts dotted decimal with four parts, IPv6 of RFC 4291 §2.2 in every form, and IPv6 in the
 * brackets of a URI. Refuses what programs disagree about: octal, hexadecimal and short IPv4 forms, leading zeros, zone
 * identifiers, surrounding blanks. Gives undefined for anything that is not an address.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.startsWith('[')) {
    return text.endsWith(']') && text.includes(':') ? parseAddress6(text.slice(1, -1)) : undefined;
  }
  return text.includes(':') ? parseAddress6(text) : parseAddress4(text);
}

/** The address with these 4 or 16 bytes; undefined for any other number of bytes. */
export function addressFromBytes(bytes: Uint8Array): Address | undefined {
  if (bytes.length === 4) return { bytes: bytes.slice(), text: bytes.join('.') };
  if (bytes.length !== 16) return undefined;
  return isMapped(bytes) ? addressFromBytes(bytes.slice(12)) : { bytes: bytes.slice(), text: text6(bytes) };
}

function parseAddress4(text: string): Address | undefined {
  const bytes = bytes4(text);
  return bytes && { bytes, text };
}

function bytes4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  // No leading zeros: `010` is eight to inet_aton and ten to others.
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255)) {
    return undefined;
  }
  return Uint8Array.from(parts, Number);
}

function parseAddress6(text: string): Address | undefined {
  const words = words6(text);
  if (!words) return undefined;
  const bytes = new Uint8Array(16);
  for (const [at, word] of words.entries()) {
    bytes[2 * at] = word >> 8;
    bytes[2 * at + 1] = word & 0xff;
  }
  return addressFromBytes(bytes);
}

/** The eight 16-bit groups of RFC 4291 §2.2: full form, one `::`, dotted decimal in the last 32 bits. */
function words6(text: string): readonly number[] | undefined {
  if (text.length > 45) return undefined;
  const halves = text.split('::');
  const [left, right] = halves.map((half, at) => groups6(half, at === halves.length - 1));
  if (!left || halves.length > 2) return undefined;
  if (halves.length === 1) return left.length === 8 ? left : undefined;
  // `::` stands for at least one group.
  if (!right || left.length + right.length > 7) return undefined;
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
}

function groups6(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const words: number[] = [];
  const groups = text.split(':');
  for (const [at, group] of groups.entries()) {
    if (/^[0-9A-Fa-f]{1,4}$/.test(group)) {
      words.push(Number.parseInt(group, 16));
      continue;
    }
    const tail = last && at === groups.length - 1 ? bytes4(group) : undefined;
    if (!tail) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = tail;
    words.push((a << 8) | b, (c << 8) | d);
  }
  return words;
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
}

/** RFC 5952 §4: lower case, no leading zeros, the longest run of two or more zero groups (the first of equals) as `::`. */
function text6(bytes: Uint8Array): string {
  const words = Array.from({ length: 8 }, (_, at) => ((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0));
  let start = -1;
  let length = 1;
  for (let at = 0; at < 8; at++) {
    let end = at;
    while (end < 8 && words[end] === 0) end++;
    if (end - at > length) {
      start = at;
      length = end - at;
    }
  }
  const hex = (part: readonly number[]) => part.map((word) => word.toString(16)).join(':');
  return start < 0 ? hex(words) : `${hex(words.slice(0, start))}::${hex(words.slice(start + length))}`;
}
