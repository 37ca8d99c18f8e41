/** Kinds of fields that follow from the header table, or that no row of it may touch. */

import { asciiLower } from '../grammar/index.js';
import { BOUNDARY_RULES } from './boundary.js';

/** Keys of the fields that do not cross to or from a stranger; prefixes are left out. */
export const PRIVATE_KEYS: ReadonlySet<string> = new Set(
  BOUNDARY_RULES.filter(
    ({ kind, name, in: inbound, out }) =>
      kind === 'header' && !name.endsWith('*') && (inbound !== 'keep' || (out !== 'keep' && out !== 'on-privacy')),
  ).map(({ name }) => asciiLower(name)),
);

const CANONICAL: ReadonlyMap<string, string> = new Map(
  [
    ...BOUNDARY_RULES.filter(({ kind }) => kind === 'header').map(({ name }) => name),
    'Require',
    'Proxy-Require',
    'Priority',
    'Accept-Contact',
    'Reject-Contact',
  ].map((name) => [asciiLower(name), name]),
);

/** The long name of a field in the spelling that answers use: that of the table, else as it was received. */
export function canonicalName(key: string, received: string): string {
  return CANONICAL.get(key) ?? (asciiLower(received) === key ? received : key);
}

/** Mandatory in every message (RFC 3261 §8.1.1), or what carries it; no policy removes them. */
export const FUNDAMENTAL: ReadonlySet<string> = new Set([
  'via',
  'from',
  'to',
  'call-id',
  'cseq',
  'max-forwards',
  'contact',
  'route',
  'record-route',
  'content-length',
  'content-type',
]);
