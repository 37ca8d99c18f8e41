/** What a trusted peer may assert (rulebook §5.4, §5.6; RFC 3324 §2.2, RFC 5876 §4.5). */

import { parseAddress } from '../../net/address/index.js';
import { printable } from '../../printable.js';
import type { Finding, ReasonCode } from '../../reasons.js';
import { NOBODY } from '../../sip/edit/index.js';
import {
  asciiLower,
  decodePercent,
  hasOpenQuote,
  hostKey,
  isDigits,
  type NameAddr,
  type Param,
  parseNameAddr,
  type SipUri,
  splitList,
  type TelUri,
  trimBlanks,
} from '../../sip/grammar/index.js';
import { type Agreement, parentOf } from '../agreement/index.js';

/** Who may say what: the agreement of the peer, and the domains that are ours. */
export interface AssertionTerms {
  readonly asserts: Agreement['asserts'];
  readonly interconnect: Agreement['interconnect'];
  readonly ownDomains: ReadonlySet<string>;
  /** The networks that agreements name: below one of our domains may stand one of these. */
  readonly byDomain: Pick<ReadonlyMap<string, unknown>, 'has'>;
}

export type Judgement =
  | { readonly outcome: 'keep' }
  | { readonly outcome: 'drop'; readonly finding: Finding }
  | { readonly outcome: 'own'; readonly finding: Finding<'assert-own'> };

const KEEP: Judgement = { outcome: 'keep' };

/** Judges one value of P-Asserted-Identity or its kin by S-1 to S-6. */
export function judgeAssertion(addr: NameAddr, terms: AssertionTerms): Judgement {
  const { uri } = addr;
  if (uri.kind === 'other') {
    return drop('assert-invalid', `expected a sip, sips or tel URI, found "${printable(uri.scheme)}"`);
  }
  return uri.kind === 'tel' ? judgeTel(uri, terms) : judgeSip(uri, terms);
}

function drop(code: 'assert-invalid' | 'assert-foreign' | 'assert-own', detail: string): Judgement {
  return { outcome: 'drop', finding: { code, detail } };
}

/** S-2: one of our own domains from outside, where no roaming explains it. */
export function isOwnSpoof(host: string, terms: AssertionTerms): boolean {
  const explained = terms.interconnect === 'roaming' || terms.interconnect === 'loopback';
  return !explained && terms.ownDomains.has(host);
}

/**
 * Our domain above a host that a transit peer passes on. Who may assert any domain but ours (S-4) may not make one up in
 * ours: a name there is ours, unless an agreement says whose it is.
 */
function ownAbove(host: string, { asserts, interconnect, ownDomains, byDomain }: AssertionTerms): string | undefined {
  const explained = interconnect === 'roaming' || interconnect === 'loopback';
  if (!asserts.transit || explained || isAgreedHost(host, asserts)) return undefined;
  if (byDomain.has(host)) return undefined;
  for (let above = parentOf(host); above !== ''; above = parentOf(above)) {
    if (ownDomains.has(above)) return above;
  }
  return undefined;
}

/** Gone, and no more: unlike our domain itself it may be a network that nobody has named to us. */
function belowOwn(host: string, above: string): Judgement {
  const detail = `the peer, a transit network, asserts an identity of ${printable(host)}, below ${above}, one of our own domains`;
  return drop('assert-own', `${detail}; if that is another network, an agreement or asserts.domains names it`);
}

function own(host: string): Judgement {
  return { outcome: 'own', finding: { code: 'assert-own', detail: `the peer asserts an identity of ${host}` } };
}

function judgeSip(uri: SipUri, terms: AssertionTerms): Judgement {
  const host = hostKey(uri);
  // A number there still does stand for somebody.
  if (!NOBODY.has(host)) {
    if (isOwnSpoof(host, terms)) return own(host);
    if (!mayAssertHost(host, terms)) return foreignHost(host, terms);
    const above = ownAbove(host, terms);
    if (above !== undefined) return belowOwn(host, above);
  }
  const number = numberOf(uri);
  // RFC 3261 §19.1.6: what a tel URI says of its context goes into the user part, or by mistake behind the host.
  return number === undefined ? KEEP : judgeSubscriber(number, [...uri.userParams, ...uri.params], terms);
}

/** Whether an identity of this host is the peer's to assert; what is ours here gets so far only where roaming explains it (S-2). */
export function mayAssertHost(host: string, { asserts, ownDomains }: AssertionTerms): boolean {
  if (asserts.transit || ownDomains.has(host)) return true;
  return isAgreedHost(host, asserts);
}

/** Whether the agreement names this host: as a domain, or, since an address is nobody's domain (S-5), as a host. */
function isAgreedHost(host: string, { domains, hosts = [] }: Agreement['asserts']): boolean {
  if (!isAddress(host)) return domains.includes(host) || hosts.includes(host);
  if (hosts.length === 0) return false;
  const address = parseAddress(/^\[(.*)\]$/.exec(host)?.[1] ?? host);
  if (address === undefined) return false;
  return hosts.includes(address.text.includes(':') ? `[${address.text}]` : address.text);
}

function foreignHost(host: string, { asserts }: AssertionTerms): Judgement {
  const named = [...asserts.domains, ...(asserts.hosts ?? [])];
  const allowed = named.length === 0 ? 'no domain' : named.join(', ');
  const next = isAddress(host) ? ' (where that is a machine of the peer: asserts.hosts)' : '';
  return drop('assert-foreign', `expected an identity of ${allowed}, found one of ${printable(host)}${next}`);
}

function isAddress(host: string): boolean {
  return host.startsWith('[') || host.split('.').every(isDigits);
}

function judgeTel(uri: TelUri, terms: AssertionTerms): Judgement {
  return judgeSubscriber(withoutSeparators(uri.number), uri.params, terms);
}

function judgeSubscriber(number: string, params: readonly Param[], terms: AssertionTerms): Judgement {
  const scopes = localScopes(number, params);
  const spoof = scopes.find((scope) => isOwnSpoof(scope, terms));
  if (spoof !== undefined) return own(spoof);
  // Of several contexts nobody can say which a reader takes (RFC 3966 §3 allows one): each has to hold.
  const judged = scopes.map((scope) => judgeScope(scope, number, terms));
  return judged.find(({ outcome }) => outcome !== 'keep') ?? (judged.length > 0 ? KEEP : judgeNumber(number, terms));
}

/** RFC 3966 §5.1.5: a local number belongs to the domain or the global prefix of its context. */
function judgeScope(scope: string, number: string, terms: AssertionTerms): Judgement {
  if (scope.startsWith('+')) return judgeNumber(withoutSeparators(scope) + number, terms);
  if (!mayAssertHost(scope, terms)) return foreignHost(scope, terms);
  const above = ownAbove(scope, terms);
  return above === undefined ? judgeNumber(number, terms) : belowOwn(scope, above);
}

/** The contexts of a local number, lower case, without one trailing dot. */
function localScopes(number: string, params: readonly Param[]): readonly string[] {
  if (number.startsWith('+')) return [];
  return params.flatMap(({ key, value }) => {
    if (key !== 'phone-context' || value === undefined) return [];
    const scope = asciiLower(decodePercent(value));
    return [scope.endsWith('.') ? scope.slice(0, -1) : scope];
  });
}

/** The domains that an address speaks for: its host, or the contexts of its local number. */
export function domainsOf({ uri }: NameAddr): readonly string[] {
  if (uri.kind === 'sip') return [hostKey(uri)];
  const scopes = uri.kind === 'tel' ? localScopes(withoutSeparators(uri.number), uri.params) : [];
  return scopes.filter((scope) => !scope.startsWith('+'));
}

/**
 * The number in the user part of a SIP URI: `user=phone` says so, and a user part of digits, or one with a plus in front, is
 * one without saying so. What is no number behind the plus is a wrong one: readers skip what they do not know.
 */
function numberOf(uri: SipUri): string | undefined {
  if (uri.user === undefined) return undefined;
  const subscriber = decodePercent(uri.user.split(';')[0] ?? '');
  const number = withoutSeparators(subscriber);
  const phone = uri.params.some(({ key, value }) => key === 'user' && asciiLower(value ?? '') === 'phone');
  return phone || number.startsWith('+') || isDigits(number) ? number : undefined;
}

function withoutSeparators(number: string): string {
  return number.replace(/[-.()]/g, '');
}

/** S-3. */
function judgeNumber(number: string, { asserts }: AssertionTerms): Judgement {
  if (asserts.numbers === 'any') return KEEP;
  const allowed = asserts.numbers.map(withoutSeparators);
  const valid = number.startsWith('+') && isDigits(number.slice(1));
  if (valid && allowed.some((prefix) => number.startsWith(prefix))) return KEEP;
  const expected = allowed.length === 0 ? 'no number' : `a number of ${allowed.join(', ')}`;
  return drop('assert-foreign', `expected ${expected}, found "${printable(number)}"`);
}

/** What is left of the rows of an assertion field. */
export interface Screened {
  /** New value of each row, in order; empty: nothing of it is left. */
  readonly values: readonly string[];
  readonly findings: readonly Finding[];
  /** One of our own domains was asserted. */
  readonly own: Finding<'assert-own'> | undefined;
}

/** A value of a row: what it says, or why it cannot be read, and what is made of it. */
interface Value {
  readonly piece: string;
  readonly addr?: NameAddr;
  readonly judgement: Judgement;
}

/**
 * Holds every value of an assertion field, told by its name, against the agreement. Where `legal` is set, of what may be asserted only
 * the first SIP or SIPS URI and the first tel URI stay (RFC 3325 §9.1; RFC 5876 §4.5), and nobody beside somebody does not.
 */
export function screenRows(
  rows: readonly string[],
  judge: (addr: NameAddr) => Judgement,
  { field, legal }: { readonly field: string; readonly legal: boolean },
): Screened {
  const findings: Finding[] = [];
  const seen = new Set<'sip' | 'tel'>();
  let spoof: Finding<'assert-own'> | undefined;
  const read = rows.map((row): readonly Value[] | undefined => {
    // P-7: where a quoted string ends is anybody's guess, and with it how many values there are.
    if (hasOpenQuote(row)) return undefined;
    return splitList(row).map((piece) => {
      const addr = parseNameAddr(piece);
      if ('malformed' in addr) return { piece, judgement: drop('assert-invalid', addr.malformed) };
      return { piece, addr, judgement: judge(addr) };
    });
  });
  const named = read.some((row) =>
    row?.some(
      ({ addr, judgement }) => judgement.outcome === 'keep' && addr?.uri.kind === 'sip' && !standsForNobody(addr.uri),
    ),
  );
  const values = rows.map((row, at) => {
    const pieces = read[at];
    if (pieces === undefined) {
      findings.push({ code: 'assert-invalid', detail: 'expected the end of a quoted string, found none' });
      return '';
    }
    const kept = pieces.filter(({ addr, judgement }) => {
      if (judgement.outcome !== 'keep' || addr === undefined) {
        if (judgement.outcome !== 'keep') findings.push(judgement.finding);
        if (judgement.outcome === 'own') spoof ??= judgement.finding;
        return false;
      }
      const kind = addr.uri.kind === 'tel' ? 'tel' : 'sip';
      if (legal && (seen.has(kind) || (named && addr.uri.kind === 'sip' && standsForNobody(addr.uri)))) {
        findings.push({ code: 'assert-invalid', detail: `expected at most one ${kind} identity, found another` });
        return false;
      }
      seen.add(kind);
      return true;
    });
    return kept.length === pieces.length ? row : kept.map(({ piece }) => trimBlanks(piece)).join(', ');
  });
  return { values, findings: findings.map(told), own: spoof && told(spoof) };

  function told<Code extends ReasonCode>({ code, detail }: Finding<Code>): Finding<Code> {
    return { code, detail: `${field}: ${detail}` };
  }
}

function standsForNobody(uri: SipUri): boolean {
  return NOBODY.has(hostKey(uri)) && numberOf(uri) === undefined;
}
