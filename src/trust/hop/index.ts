/** The door of this room: how a next hop may be reached, and under which name (hop.resolve). */

export { coversOut, findHop, type Hop, type HopOptions } from './hop.js';
export { type NextHopName, nextHopName } from './next-hop-name.js';
