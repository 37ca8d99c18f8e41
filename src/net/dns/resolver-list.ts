/** Which resolvers a machine uses (resolv.conf(5)). */

import { parseAddress } from '../address/index.js';

export interface ResolverAddress {
  /** Canonical text, without brackets; an IPv6 link-local address keeps its zone. */
  readonly address: string;
  readonly port: number;
}

export const DNS_PORT = 53;
/** More are not asked, as in the C library. */
export const MOST_RESOLVERS = 3;

/** The `nameserver` lines of a resolv.conf. Lines that name no address are left out. */
export function listedResolvers(text: string): readonly ResolverAddress[] {
  return text
    .split('\n')
    .flatMap((line) => {
      const [, found = '', zone = ''] =
        /^nameserver[ \t]+([0-9A-Fa-f.:]+)(%[A-Za-z0-9._-]+)?(?:[ \t]|$)/.exec(line) ?? [];
      const address = parseAddress(found);
      return address === undefined ? [] : [{ address: `${address.text}${zone}`, port: DNS_PORT }];
    })
    .slice(0, MOST_RESOLVERS);
}
