/**
 * What may be fetched: URLs come out of certificates, so their hosts have to stand in the policy (server-side request
 * forgery), whole and with their port.
 */

import { parseAddress } from './address.js';
import { type AddressPrefix, prefixOf } from './prefix.js';

/** One entry of the allow-list: a lower-case domain in A-labels, or an address in canonical text without brackets. */
export interface FetchHost {
  readonly host: string;
  readonly port: number;
}

export interface FetchRules {
  readonly hosts: readonly FetchHost[];
  /** Private and other special addresses that a listed name may stand for. */
  readonly addresses: readonly AddressPrefix[];
}

export interface FetchTarget {
  /** Normal form, without a fragment. */
  readonly url: string;
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly path: string;
}

const HTTP_PORT = 80;
/** Longer ones are no URLs of lists. */
const MOST_CHARACTERS = 2048;

/** The parts of a URL that may be fetched, or why it may not be. */
export function fetchTarget(text: string, { hosts }: FetchRules): FetchTarget | { readonly refused: string } {
  if (text.length > MOST_CHARACTERS) return { refused: `expected at most ${MOST_CHARACTERS} characters in a URL` };
  // Blanks, controls and backslashes are where readers of URLs disagree.
  if (!/^[!-[\]-~]+$/.test(text)) return { refused: 'expected a URL of printable ASCII without blanks' };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // RFC 5280 §4.2.1.13: a list fetched over TLS would need a list to check that TLS.
  if (url?.protocol !== 'http:') return { refused: `expected an http URL, found ${JSON.stringify(text.slice(0, 60))}` };
  if (url.username !== '' || url.password !== '') return { refused: 'expected a URL without user and password' };
  url.hash = '';
  const bare = url.hostname.replace(/^\[|\]$/g, '');
  const host = parseAddress(bare)?.text ?? bare;
  const port = url.port === '' ? HTTP_PORT : Number(url.port);
  if (!hosts.some((entry) => entry.host === host && entry.port === port)) {
    return { refused: `host ${host} port ${port} is not in daemon.revocation.hosts` };
  }
  return { url: url.href, host, port, path: `${url.pathname}${url.search}` };
}

/** Special addresses that may be reached: the listed prefixes, and hosts that are listed by their address. */
export function allowedAddresses({ hosts, addresses }: FetchRules): readonly AddressPrefix[] {
  const literal = hosts.flatMap(({ host }) => {
    const address = parseAddress(host);
    return address === undefined ? [] : [prefixOf(address, address.bytes.length * 8)];
  });
  return [...addresses, ...literal];
}
