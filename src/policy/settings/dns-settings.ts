/** Whom siptrustd asks about next hops, and how long it waits (`daemon.dns:`). */

import { parseAddress } from '../../net/address/index.js';
import { DNS_PORT, type ResolverAddress } from '../../net/dns/index.js';
import type { Site } from '../reading/index.js';
import { readListen } from '../values/index.js';
import type { DaemonInput } from './schema.js';

export interface DnsSettings {
  /** Whether anybody is asked at all. */
  readonly resolve: boolean;
  /** Servers in the order to ask; empty: those of /etc/resolv.conf. */
  readonly servers: readonly ResolverAddress[];
  /** Seconds that one server has for one answer. */
  readonly timeout: number;
  /** Times that all servers are asked before a question has failed. */
  readonly attempts: number;
  /** Most answers that are kept. */
  readonly cache: number;
  /** The AD bit of these servers is believed: they validate, and the way to them is safe (RFC 4035 §4.9.3). */
  readonly trustAd: boolean;
}

/** In force where the policy file says nothing else. */
export const DEFAULT_DNS: DnsSettings = {
  resolve: true,
  servers: [],
  timeout: 2,
  attempts: 2,
  cache: 10_000,
  trustAd: false,
};

/** Settings of a `daemon.dns:` section. */
export function compileDns(input: NonNullable<DaemonInput['dns']> | undefined, site: Site): DnsSettings {
  const servers = resolvers(input?.servers ?? [], site.at('servers'));
  const settings: DnsSettings = {
    resolve: (input?.resolve ?? 'on') === 'on',
    servers,
    timeout: input?.timeout ?? DEFAULT_DNS.timeout,
    attempts: input?.attempts ?? DEFAULT_DNS.attempts,
    cache: input?.cache ?? DEFAULT_DNS.cache,
    trustAd: (input?.trust_ad ?? false) && servers.length > 0,
  };
  if (input?.trust_ad === true && (input.servers ?? []).length === 0) {
    const text = 'trust_ad has no effect without servers: whom resolv.conf names is not for it to say';
    site.at('trust_ad').report('no-effect', text, 'key');
  }
  return settings;
}

/** `address`, `address:port` or `"[IPv6]:port"`; undefined for anything else. */
export function readResolver(text: string): ResolverAddress | undefined {
  const bare = parseAddress(text.replace(/^\[(.*)\]$/, '$1'));
  return bare === undefined ? readListen(text, 1) : { address: bare.text, port: DNS_PORT };
}

function resolvers(texts: readonly string[], site: Site): readonly ResolverAddress[] {
  return texts.flatMap((text, index) => {
    const server = readResolver(text);
    if (server !== undefined) return [server];
    const expected = 'expected the address of a DNS server, as in 192.0.2.53, 127.0.0.1:5353 or "[2001:db8::53]:53"';
    site.at(index).report('bad-address', `${expected}, found ${JSON.stringify(text)}`);
    return [];
  });
}
