/** The door of this room: the choice of transport and server (RFC 3263). */

export { MAX_TTL } from './lookups.js';
export { isServiceName, type OfferedService, sipServices } from './naptr.js';
export { nextHops } from './next-hop.js';
export type {
  NextHopAnswer,
  NextHopOptions,
  NextHopQuestion,
  NextHopTarget,
  TlsCapability,
} from './question.js';
export { HOP_TRANSPORTS, type HopTransport } from './transport.js';
