/** Where revocation lists and statuses may be fetched (`daemon.revocation:`). */

import { type AddressPrefix, type FetchHost, parseAddress, parsePrefix } from '../../net/address/index.js';
import { kind } from '../kinds/index.js';
import { words } from '../reading/index.js';
import { policyDomain } from '../values/index.js';

/** `name`, `name:port`, `address:port` or `"[IPv6]:port"`; without a port it is that of http. */
export const fetchHosts = kind({
  shape: words('a host, as in crl.operator.example or crl.operator.example:8080'),
  values: 'list of `name`, `name:port`, `address:port`',
  read: (texts, site): readonly FetchHost[] => {
    const hosts = new Map<string, FetchHost>();
    for (const [index, text] of texts.entries()) {
      const read = fetchHost(text);
      const here = site.at(index);
      if ('fault' in read) {
        const expected = 'expected a host, as in crl.operator.example or crl.operator.example:8080';
        here.report('bad-value', `${expected}, found ${JSON.stringify(text)}: ${read.fault}`);
        continue;
      }
      const key = `${read.host} ${read.port}`;
      if (hosts.has(key)) here.report('repeated-value', `${text} stands in this list already`);
      hosts.set(key, read);
    }
    return [...hosts.values()];
  },
  said: () => 'none',
});

function fetchHost(text: string): FetchHost | { readonly fault: string } {
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::([0-9]{1,5}))?$/.exec(text);
  const bare = parseAddress(text);
  if (bare !== undefined) return { host: bare.text, port: 80 };
  if (match === null) return { fault: 'it is no host with a port' };
  const [, host = '', digits = '80'] = match;
  const port = Number(digits);
  if (port < 1 || port > 65535) return { fault: `port ${digits} is none` };
  const address = parseAddress(host);
  if (address !== undefined) return { host: address.text, port };
  const name = policyDomain(host);
  return 'domain' in name ? { host: name.domain, port } : name;
}

/** Private, loopback and other special addresses that a name may stand for all the same. */
export const fetchAddresses = kind({
  shape: words('an address prefix, as in 10.1.0.0/24'),
  values: 'list of prefixes',
  read: (texts, site): readonly AddressPrefix[] =>
    texts.flatMap((text, index) => {
      const prefix = parsePrefix(text);
      if (!('invalid' in prefix)) return [prefix];
      site.at(index).report('bad-prefix', prefix.invalid);
      return [];
    }),
  said: () => 'none',
});
