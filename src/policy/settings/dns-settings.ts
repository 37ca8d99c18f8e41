/** Whom siptrustd asks about next hops (`daemon.dns:`). */

import { parseAddress } from '../../net/address/index.js';
import { DNS_PORT, type ResolverAddress } from '../../net/dns/index.js';
import { kind } from '../kinds/index.js';
import { words } from '../reading/index.js';
import { readListen } from '../values/index.js';

/** `address`, `address:port` or `"[IPv6]:port"`; undefined for anything else. */
export function readResolver(text: string): ResolverAddress | undefined {
  const bare = parseAddress(text.replace(/^\[(.*)\]$/, '$1'));
  return bare === undefined ? readListen(text, 1) : { address: bare.text, port: DNS_PORT };
}

/** Servers in the order to ask; none: those of /etc/resolv.conf. */
export const resolvers = kind({
  shape: words('the address of a DNS server, as in 192.0.2.53'),
  values: 'list of `address` or `address:port`',
  read: (texts, site): readonly ResolverAddress[] =>
    texts.flatMap((text, index) => {
      const server = readResolver(text);
      if (server !== undefined) return [server];
      const expected = 'expected the address of a DNS server, as in 192.0.2.53, 127.0.0.1:5353 or "[2001:db8::53]:53"';
      site.at(index).report('bad-address', `${expected}, found ${JSON.stringify(text)}`);
      return [];
    }),
  said: () => 'those of /etc/resolv.conf',
});
