/** Who was diverted, in front of a peer outside the trust domain: History-Info and Diversion (rulebook §5.3). */

import {
  anonymousDiversion,
  anonymousEntry,
  asksPrivacy,
  diversionEntry,
  editAddrList,
  historyEntry,
  isAnonymous,
  isAnonymousAddr,
  withoutEmbeddedPrivacy,
} from '../../sip/edit/index.js';
import { hasOpenQuote, hostKey, isDigits, type Privacy, parseNameAddr, type Uri } from '../../sip/grammar/index.js';

/**
 * Do we answer for this URI? Beside our domains and what lies under them that is what bears no domain at all: a
 * telephone number or an address, of which nobody can say whose they are.
 */
function isOurs(uri: Uri, ownDomains: ReadonlySet<string>): boolean {
  if (uri.kind === 'tel') return true;
  if (uri.kind === 'other') return uri.scheme !== 'urn';
  const host = hostKey(uri);
  if (host.startsWith('[') || host.split('.').every(isDigits)) return true;
  if (ownDomains.has(host)) return true;
  for (const domain of ownDomains) if (host.endsWith(`.${domain}`)) return true;
  return false;
}

/**
 * One History-Info value by RFC 7044 §10.1.2. Entries of other domains are not ours to anonymise. An entry that cannot
 * be read is dropped; undefined: so must be the whole row.
 */
export function anonymiseHistory(value: string, privacy: Privacy, ownDomains: ReadonlySet<string>): string | undefined {
  if (hasOpenQuote(value)) return undefined;
  const all = privacy.values.has('header') || privacy.values.has('history');
  return editAddrList(value, (addr) => {
    if ('malformed' in addr) return undefined;
    const entry = historyEntry(addr);
    const asked = all || entry.privacy.has('history');
    // An anonymous host is nobody's: what may stand before it still names somebody.
    return asked && (isAnonymous(addr.uri) || isOurs(addr.uri, ownDomains))
      ? anonymousEntry(entry)
      : withoutEmbeddedPrivacy(entry);
  });
}

/** One Diversion value by RFC 7544 §3.2: what its `privacy` parameter or the Privacy header field hides. */
export function anonymiseDiversion(value: string, privacy: Privacy): string | undefined {
  if (hasOpenQuote(value)) return undefined;
  const all = privacy.values.has('header') || privacy.values.has('history');
  return editAddrList(value, (addr) => {
    if ('malformed' in addr) return undefined;
    const entry = diversionEntry(addr);
    return all || asksPrivacy(entry) ? anonymousDiversion(entry) : addr.raw;
  });
}

/** Is the address of this value anonymous, its display name too (RFC 3323 §4.1.1.3)? */
export function isAnonymousAddress(value: string): boolean {
  const addr = parseNameAddr(value);
  return !('malformed' in addr) && isAnonymousAddr(addr);
}
