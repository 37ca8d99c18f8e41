/** NAPTR records of SIP (RFC 3263 §4.1): which services a domain offers, in which order. */

import { quoted } from '../../printable.js';
import { dnsName, type NaptrRecord } from '../dns/index.js';
import { type HopTransport, transportOfService } from './transport.js';

/** A transport and the name of its SRV records. */
export interface OfferedService {
  readonly transport: HopTransport;
  readonly owner: string;
  readonly order: number;
  readonly preference: number;
}

export interface SipServices {
  /** By order, and by preference within it (RFC 3403 §4.1). */
  readonly services: readonly OfferedService[];
  /** SIP records that RFC 3263 gives no meaning, and why. */
  readonly ignored: readonly string[];
}

/** The SIP services among the NAPTR records of a domain. Other applications share the name: theirs are passed over. */
export function sipServices(records: readonly NaptrRecord[]): SipServices {
  const services: OfferedService[] = [];
  const ignored: string[] = [];
  for (const { service, flags, regexp, replacement, order, preference } of records) {
    if (!/^sips?\+/i.test(service)) continue;
    const transport = transportOfService(service);
    const owner = dnsName(replacement);
    const subject = `NAPTR ${quoted(service, 80)} ${quoted(flags, 80)} to ${quoted(replacement, 80)}`;
    if (transport === undefined) {
      // SIPS+D2U among them: there is no TLS over UDP.
      ignored.push(`${subject}: no service of RFC 3263, RFC 4168 or RFC 7118`);
    } else if (flags.toLowerCase() !== 's' || regexp !== '' || !isServiceName(owner)) {
      ignored.push(`${subject}: expected flag "s", no regexp, and the name of SRV records`);
    } else {
      services.push({ transport, owner, order, preference });
    }
  }
  services.sort((a, b) => a.order - b.order || a.preference - b.preference);
  return { services, ignored };
}

/**
 * The services to try, of those that can be used: RFC 3403 §4.1 takes the lowest order that matches and no other, and
 * preference within it. Equal ones go by our own order of transports.
 */
export function preferredServices(
  services: readonly OfferedService[],
  usable: readonly HopTransport[],
): readonly OfferedService[] {
  const candidates = services.filter(({ transport }) => usable.includes(transport));
  const lowest = Math.min(...candidates.map(({ order }) => order));
  return candidates
    .filter(({ order }) => order === lowest)
    .sort((a, b) => a.preference - b.preference || usable.indexOf(a.transport) - usable.indexOf(b.transport));
}

/** A name that may be asked for: hosts and services, underscores included. */
export function isServiceName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9_][a-z0-9_-]{0,62}(?:\.[a-z0-9_][a-z0-9_-]{0,62})*$/.test(name);
}
