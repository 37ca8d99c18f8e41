/** The transports of a SIP hop: one row each, with what DNS calls them (RFC 3263 §4.1, RFC 4168 §5, RFC 7118 §8). */

import { keysOf } from '../../typed.js';

export type HopTransport = 'udp' | 'tcp' | 'tls' | 'sctp' | 'tls-sctp' | 'ws' | 'wss';

interface Row {
  readonly secure: boolean;
  /** NAPTR service field, upper case. */
  readonly service: string;
  /** Labels in front of the domain in an SRV question. */
  readonly srv: string;
  readonly port: number;
  /** Value of the transport parameter of a sip: URI, and of a sips: URI; undefined: it has none there. */
  readonly sip: string | undefined;
  readonly sips: string | undefined;
}

/** `transport=tls` is deprecated, yet met (RFC 3261 §26.2.2, RFC 5630 §3.1.4). There is no TLS over UDP. */
export const HOP_TRANSPORTS: Readonly<Record<HopTransport, Row>> = {
  udp: { secure: false, service: 'SIP+D2U', srv: '_sip._udp', port: 5060, sip: 'udp', sips: undefined },
  tcp: { secure: false, service: 'SIP+D2T', srv: '_sip._tcp', port: 5060, sip: 'tcp', sips: undefined },
  tls: { secure: true, service: 'SIPS+D2T', srv: '_sips._tcp', port: 5061, sip: 'tls', sips: 'tcp' },
  sctp: { secure: false, service: 'SIP+D2S', srv: '_sip._sctp', port: 5060, sip: 'sctp', sips: undefined },
  'tls-sctp': { secure: true, service: 'SIPS+D2S', srv: '_sips._sctp', port: 5061, sip: 'tls-sctp', sips: 'sctp' },
  ws: { secure: false, service: 'SIP+D2W', srv: '_sip._ws', port: 80, sip: 'ws', sips: undefined },
  wss: { secure: true, service: 'SIPS+D2W', srv: '_sips._ws', port: 443, sip: 'wss', sips: 'ws' },
};

const NAMES = keysOf(HOP_TRANSPORTS);

/** The transport that a `transport` parameter asks for. With `secure` (sips:, or TLS is a must) only one that bears TLS. */
export function transportOf(parameter: string, secure: boolean): HopTransport | undefined {
  const wanted = parameter.toLowerCase();
  const spelled = (name: HopTransport) => HOP_TRANSPORTS[name][secure ? 'sips' : 'sip'] === wanted;
  const already = (name: HopTransport) => HOP_TRANSPORTS[name].secure && HOP_TRANSPORTS[name].sip === wanted;
  return NAMES.find(spelled) ?? NAMES.find(already);
}

/** The transport of a NAPTR service field, which compares case-insensitively (RFC 3403 §4.1). */
export function transportOfService(service: string): HopTransport | undefined {
  const wanted = service.toUpperCase();
  return NAMES.find((name) => HOP_TRANSPORTS[name].service === wanted);
}
