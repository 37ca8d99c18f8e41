/** IP prefixes as text and bytes. */

import { type Address, addressFromBytes, parseAddress } from './address.js';

export interface AddressPrefix {
  /** 4 or 16 bytes, host bits zero. IPv4-mapped IPv6 is kept as IPv4. */
  readonly bytes: Uint8Array;
  readonly length: number;
  /** Canonical text, for example `192.0.2.0/28`. */
  readonly text: string;
}

/** Why a text is no prefix, in words that name the text, what was expected and, where it can be told, the right form. */
export interface InvalidPrefix {
  readonly invalid: string;
}

/**
 * Reads `address/length`, or a bare address as the prefix of that one address. Bits set after the length are an error
 * and not cut off: who writes `192.0.2.17/28` may have meant the host or the network, and the two differ in who is trusted.
 */
export function parsePrefix(text: string): AddressPrefix | InvalidPrefix {
  const [addressText = '', lengthText, ...rest] = text.split('/');
  const address = addressText.includes('[') ? undefined : parseAddress(addressText);
  if (!address || rest.length > 0) {
    return {
      invalid: `"${text}" is no address prefix: expected an IPv4 or IPv6 address, "/" and a length, as in 192.0.2.0/28 or 2001:db8::/48`,
    };
  }
  const bits = address.bytes.length * 8;
  const mapped = bits === 32 && addressText.includes(':');
  const most = mapped ? 128 : bits;
  const given = lengthText ?? String(most);
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(given) || Number(given) > most) {
    return {
      invalid: `"${text}" is no address prefix: the length must be a number from 0 to ${most}, found "${given}"`,
    };
  }
  const length = mapped ? Number(given) - 96 : Number(given);
  if (length < 0) {
    return { invalid: `"${text}" mixes IPv4 and IPv6: an IPv4-mapped prefix needs a length of at least 96` };
  }
  const prefix = prefixOf(address, length);
  if (prefix.bytes.some((byte, at) => byte !== address.bytes[at])) {
    return {
      invalid: `"${text}" has bits set after the first ${given}: the network is ${prefix.text}, the single host is ${address.text}/${bits}`,
    };
  }
  return prefix;
}

/** The prefix of a length that an address lies in. */
export function prefixOf(address: Address, length: number): AddressPrefix {
  const bytes = address.bytes.map((byte, at) => byte & maskByte(length, at));
  return { bytes, length, text: `${addressFromBytes(bytes)?.text}/${length}` };
}

/** Whether an address lies in a prefix. An address of the other family never does. */
export function contains(prefix: AddressPrefix, address: Address): boolean {
  const { bytes } = address;
  if (prefix.bytes.length !== bytes.length) return false;
  return prefix.bytes.every((byte, at) => byte === ((bytes[at] ?? 0) & maskByte(prefix.length, at)));
}

/** The bits of the byte at `at` that belong to the first `length` bits. */
function maskByte(length: number, at: number): number {
  const bits = Math.min(8, Math.max(0, length - 8 * at));
  return (0xff00 >> bits) & 0xff;
}
