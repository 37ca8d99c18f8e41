/** Addresses that are no hosts of the public internet: what a fetch must not reach unless the operator says so. */

import { type Address, parseAddress } from './address.js';
import { type AddressPrefix, contains, parsePrefix } from './prefix.js';

/** IANA special-purpose address registries (RFC 6890), multicast (RFC 5771, RFC 4291 §2.7), and what embeds IPv4. */
const SPECIAL: readonly (readonly [prefix: string, what: string])[] = [
  ['0.0.0.0/8', 'this network'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'shared'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.2.0/24', 'documentation'],
  ['192.88.99.0/24', 'reserved'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'benchmarking'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['255.255.255.255/32', 'broadcast'],
  ['240.0.0.0/4', 'reserved'],
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['::/96', 'IPv4-compatible'],
  ['64:ff9b::/96', 'translated IPv4'],
  ['64:ff9b:1::/48', 'translated IPv4'],
  ['100::/64', 'discard-only'],
  ['2001::/23', 'reserved'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', '6to4'],
  ['3fff::/20', 'documentation'],
  ['fc00::/7', 'private'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'site-local'],
  ['ff00::/8', 'multicast'],
  // Of all others 2000::/3 alone is global unicast (RFC 4291 §2.4, IANA registry of the address space).
  ['::/3', 'reserved'],
  ['4000::/2', 'reserved'],
  ['8000::/1', 'reserved'],
];

const PREFIXES: readonly (readonly [AddressPrefix, string])[] = SPECIAL.map(([text, what]) => {
  const prefix = parsePrefix(text);
  if ('invalid' in prefix) throw new Error(prefix.invalid);
  return [prefix, what];
});

/** What kind of special address this is, in a word; undefined: a host of the public internet. */
export function specialAddress(address: Address): string | undefined {
  return PREFIXES.find(([prefix]) => contains(prefix, address))?.[1];
}

const NO_HOST: ReadonlySet<string> = new Set(['this network', 'unspecified', 'multicast', 'broadcast']);

/** Why an address is that of no single host (a packet to 0.0.0.0 goes to the sender himself); undefined: it may be. */
export function notOneHost(address: Address): string | undefined {
  const kind = specialAddress(address);
  return kind !== undefined && NO_HOST.has(kind)
    ? `expected the address of a host, found ${address.text} (${kind})`
    : undefined;
}

/** Why nothing may be fetched from the address `text`; undefined: it may. `allowed`: special ones that may all the same. */
export function forbiddenAddress(text: string, allowed: readonly AddressPrefix[]): string | undefined {
  const address = parseAddress(text);
  if (address === undefined) return `expected an IP address, found ${JSON.stringify(text)}`;
  if (allowed.some((prefix) => contains(prefix, address))) return undefined;
  const kind = specialAddress(address);
  return kind === undefined ? undefined : `${address.text} is a ${kind} address, which the policy does not list`;
}
