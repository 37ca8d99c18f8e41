/** The zone lines by which a domain is reached over TLS first (RFC 3263 §4.1; what `zone-review.ts` wants). */

import { HOP_TRANSPORTS, type HopTransport } from '../hop/index.js';

export interface ZoneHost {
  /** Lower case, without a trailing dot. */
  readonly host: string;
  /** Where it takes TLS. */
  readonly port: number;
  /** Canonical text. */
  readonly addresses: readonly string[];
}

/** TLS first: by order, since clients may choose by themselves among equal orders (RFC 3403 §4.1). */
const ORDERS: readonly (readonly [transport: HopTransport, order: number])[] = [
  ['tls', 10],
  ['tcp', 20],
  ['udp', 30],
];
const TTL = 3600;

/** Master file lines (RFC 1035 §5) for `domain`; hosts that come first are preferred. */
export function zoneLines(domain: string, hosts: readonly ZoneHost[]): string {
  const line = (owner: string, type: string, data: string): string => `${owner}. ${TTL} IN ${type} ${data}`;
  const naptr = ORDERS.map(([transport, order]) => {
    const { service, srv } = HOP_TRANSPORTS[transport];
    return line(domain, 'NAPTR', `${order} 10 "s" "${service}" "" ${srv}.${domain}.`);
  });
  const srv = ORDERS.flatMap(([transport]) => {
    const { srv: labels, port } = HOP_TRANSPORTS[transport];
    return hosts.map((each, at) => {
      const own = transport === 'tls' ? each.port : port;
      return line(`${labels}.${domain}`, 'SRV', `${(at + 1) * 10} 0 ${own} ${each.host}.`);
    });
  });
  const addresses = hosts.flatMap(({ host, addresses: all }) => {
    if (!isInside(host, domain)) return [`; ${host} lies outside ${domain}: its addresses belong into its own zone`];
    return all.map((address) => line(host, address.includes(':') ? 'AAAA' : 'A', address));
  });
  return [
    `; The certificate of each host has to name ${domain} (RFC 5922 §7.1).`,
    ...naptr,
    ...srv,
    ...addresses,
    '',
  ].join('\n');
}

/** Whether a host is this domain or stands below it; both lower-case. */
export function isInside(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}
