/** Names of SIP header fields: compact forms, and the classes that the audit treats alike. */

import { asciiLower, onlyToken } from './ascii.js';

/**
 * Compact forms (RFC 3261 §7.3.3; the IANA table of SIP header fields). `n` (Identity-Info) was withdrawn by RFC 8224
 * and stays an unknown name. Neither Privacy nor any P- header has one.
 */
export const COMPACT_FORMS: ReadonlyMap<string, string> = new Map([
  ['a', 'accept-contact'], // RFC 3841
  ['b', 'referred-by'], // RFC 3892
  ['c', 'content-type'],
  ['d', 'request-disposition'], // RFC 3841
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'], // RFC 3841
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['o', 'event'], // RFC 6665
  ['r', 'refer-to'], // RFC 3515
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'], // RFC 6665
  ['v', 'via'],
  ['x', 'session-expires'], // RFC 4028
  ['y', 'identity'], // RFC 8224
]);

const compactOf: ReadonlyMap<string, string> = new Map([...COMPACT_FORMS].map(([short, long]) => [long, short]));

/** The lower-case long name under which all spellings of a field are one (RFC 3261 §7.3.1, §7.3.3). */
export function fieldKey(name: string): string {
  const lower = asciiLower(name);
  return COMPACT_FORMS.get(lower) ?? lower;
}

/**
 * The key of a field to whoever decodes escapes in its name, as unescape() of JavaScript does (drachtio, node-sip); to RFC 3261 §25.1
 * they are letters like others, and `C%6Fntact` is none of its fields (RFC 4475 §3.1.1.5).
 */
export function decodedKey(key: string): string {
  if (!key.includes('%')) return key;
  const decoded = key.replace(/%(?:u00)?([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return fieldKey(onlyToken(decoded));
}

/** Every name, in lower case, that means the field of this key: the long one, and the compact one if there is one. */
export function spellings(key: string): readonly string[] {
  const short = compactOf.get(key);
  return short === undefined ? [key] : [key, short];
}

/** Chars of a token (RFC 3261 §25.1) that Kamailio does not read in a header name by default. */
const RARE_NAME_CHARS = "!%*'`";

/** Does the name hold a char that is legal, and that proxies trip over? */
export function hasRareChar(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (RARE_NAME_CHARS.includes(name.charAt(i))) return true;
  return false;
}

/** Fields of which a second row, or a second value in one row, contradicts the first (RFC 4475 §3.3.8, §3.3.9). */
export const SINGLE_FIELDS: ReadonlySet<string> = new Set([
  'from',
  'to',
  'call-id',
  'cseq',
  'max-forwards',
  'content-length',
]);

/** Further fields that a message bears once; a repetition is odd but decides nothing at the boundary. */
export const ONCE_FIELDS: ReadonlySet<string> = new Set([
  'content-type',
  'content-disposition',
  'date',
  'event',
  'expires',
  'min-expires',
  'mime-version',
  'refer-to',
  'referred-by',
  'replaces',
  'join',
  'target-dialog',
  'session-expires',
  'min-se',
  'rack',
  'rseq',
  'subject',
  'timestamp',
  'session-id',
]);

/** Fields that hold identities or assertions as name-addr: a malformed one is dropped as a whole (RFC 4475 §3.1.2.6). */
export const IDENTITY_FIELDS: ReadonlySet<string> = new Set([
  'p-asserted-identity',
  'p-preferred-identity',
  'p-associated-uri',
  'p-called-party-id',
  'p-served-user',
  'p-profile-key',
  'p-user-database',
  'p-charge-info',
  'p-dcs-trace-party-id',
  'remote-party-id',
  'history-info',
  'diversion',
  'additional-identity',
]);

/** Fields of name-addr or addr-spec that stay in the message: what they hold must be readable in one way only. */
export const ADDRESS_FIELDS: ReadonlySet<string> = new Set([
  'from',
  'to',
  'contact',
  'route',
  'record-route',
  'path',
  'service-route',
  'refer-to',
  'referred-by',
  'reply-to',
]);

/** Fields that hold URIs and that a message can do without: one that cannot be read is no reason to refuse it. */
export const OTHER_URI_FIELDS: ReadonlySet<string> = new Set([
  'call-info',
  'alert-info',
  'error-info',
  'geolocation', // RFC 6442
  'geolocation-error',
  'permission-missing', // RFC 5360
  'trigger-consent',
  'policy-contact', // RFC 6794
  'refer-events-at', // RFC 7614
]);

/** Names besides the P- ones and those above that tell something private or claim a privilege (rulebook §4). */
const OTHER_PRIVATE: ReadonlySet<string> = new Set([
  'privacy',
  'rpid-privacy',
  'identity',
  'resource-priority',
  'accept-resource-priority',
  'feature-caps',
  'restoration-info',
  'relayed-charge',
  'service-interact-info',
  'cellular-network-info',
  'response-source',
  'attestation-info',
  'origination-id',
  'priority-verstat',
  'priority',
  'priority-share',
  'resource-share',
  'dc-info',
  'security-client',
  'security-server',
  'security-verify',
  'geolocation',
  'geolocation-routing',
  'user-to-user',
  'authorization',
  'proxy-authorization',
]);

/**
 * Is this a name that a boundary cares about? Used where text only looks like a field (a continuation line), so it
 * takes every `P-` and `X-` name, known or not.
 */
export function isPrivateName(key: string): boolean {
  return key.startsWith('p-') || key.startsWith('x-') || IDENTITY_FIELDS.has(key) || OTHER_PRIVATE.has(key);
}
