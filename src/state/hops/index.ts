/** The door of this room: where requests go next, and what DNS says of it. */

export { askDns } from './dns-exchange.js';
export { systemResolvers } from './dns-resolver.js';
export { type HopAbility, hopsWithoutDns, NextHops } from './next-hops.js';
