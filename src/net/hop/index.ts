/** The door of this room: the choice of transport and server (RFC 3263). */

export { isServiceName, type OfferedService, printable, sipServices } from './naptr.js';
export {
  MAX_TTL,
  type NextHopAnswer,
  type NextHopOptions,
  type NextHopQuestion,
  type NextHopTarget,
  nextHops,
  type TlsCapability,
} from './next-hop.js';
export { HOP_TRANSPORTS, type HopTransport } from './transport.js';
