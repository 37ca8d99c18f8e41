/** The door of this room: what single values of a policy mean: names, dates, addresses, prefixes, pins. */

export { dayText, readInstant } from './dates.js';
export { entrySite } from './entries.js';
export { type ListenAddress, parseListen, readListen } from './listen-address.js';
export {
  assertedDomains,
  assertedHosts,
  checkName,
  domainNames,
  domainSite,
  isPlainName,
  policyDomain,
  wildcardSuffixes,
} from './names.js';
export { pinHashes } from './pins.js';
export { sourcePrefixes } from './prefixes.js';
export { staticTargets, targetSite } from './static-targets.js';
