/** An address and a port, as policies write them. */

import { parseAddress } from '../../net/address/index.js';
import type { Site } from '../reading/index.js';

export interface ListenAddress {
  /** Canonical text of the address, without brackets. */
  readonly address: string;
  readonly port: number;
}

/** `address:port` with IPv6 in brackets; undefined for anything else. */
export function readListen(text: string, leastPort: number): ListenAddress | undefined {
  const match = /^(\[[^\]]*\]|[^:[\]]+):(0|[1-9][0-9]{0,4})$/.exec(text);
  const address = match?.[1] === undefined ? undefined : parseAddress(match[1]);
  const port = Number(match?.[2]);
  if (!address || port > 65535 || port < leastPort) return undefined;
  return { address: address.text, port };
}

/** The same, saying what is wrong with anything else. */
export function parseListen(text: string, site: Site, leastPort: number): ListenAddress | undefined {
  const read = readListen(text, leastPort);
  if (read === undefined) {
    const expected = 'expected an IP address and a port, as in 127.0.0.1:7060 or "[::1]:7060"';
    site.report('bad-address', `${expected}, found ${JSON.stringify(text)}`);
  }
  return read;
}
