/** The door of this room: addresses, prefixes and ports, and which of them stand for what. */

export { type Address, parseAddress } from './address.js';
export { allowedAddresses, type FetchHost, type FetchRules, type FetchTarget, fetchTarget } from './fetch-target.js';
export { isLoopback } from './loopback.js';
export { holdsPort, type PortRange, parsePortRange, portsText } from './port-range.js';
export { type AddressPrefix, contains, parsePrefix, prefixOf } from './prefix.js';
export { type Prefixes, PrefixList } from './prefix-list.js';
export { PrefixTable, type PrefixTableParts } from './prefix-table.js';
export { forbiddenAddress, notOneHost } from './special-addresses.js';
