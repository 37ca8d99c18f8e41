/**
 * SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966), with the place of every part, so that an edit can leave all other
 * bytes as they were. Strings are latin1.
 */

import { printable } from '../../printable.js';
import { asciiLower, isBlank, isControl, onlyToken } from './ascii.js';
import { fieldKey } from './field-names.js';

/** One `;name=value`. `start` is the index of its `;`, `end` the index behind it, in the text it was parsed from. */
export interface Param {
  readonly name: string;
  /** Lower case and percent-decoded, since `%63pc` and `cpc` are one name (RFC 3261 §19.1.4). */
  readonly key: string;
  /** As received (quotes and escapes kept); undefined without `=`. */
  readonly value: string | undefined;
  readonly start: number;
  readonly end: number;
}

/** One `name=value` behind the `?`. `start` and `end` leave out the `?` or `&` before it. */
export interface EmbeddedHeader {
  readonly name: string;
  /** Field key: percent-decoded, lower case, compact forms mapped. */
  readonly key: string;
  /** As received: percent-encoded. */
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

export interface SipUri {
  readonly kind: 'sip';
  readonly scheme: 'sip' | 'sips';
  readonly raw: string;
  /** User part as received, with the parameters that may hide in it, without the password; undefined without `@`. */
  readonly user: string | undefined;
  /**
   * tel-style parameters inside the user part (`+1555;cpc=x@host`). An escaped `;` (`%3B`) starts one too: whoever
   * decodes the user part before looking for parameters finds it. Offsets are in `raw`.
   */
  readonly userParams: readonly Param[];
  readonly password: string | undefined;
  /** As received; an IPv6 literal keeps its brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly params: readonly Param[];
  readonly headers: readonly EmbeddedHeader[];
}

export interface TelUri {
  readonly kind: 'tel';
  readonly scheme: 'tel';
  readonly raw: string;
  /** With visual separators, and without escapes. */
  readonly number: string;
  readonly params: readonly Param[];
}

/** A URI of another scheme: nothing behind the colon is looked into. */
export interface OtherUri {
  readonly kind: 'other';
  /** Lower case. */
  readonly scheme: string;
  readonly raw: string;
}

/** What is wrong: bytes no URI has, no scheme, no or several `@`, no tel number, no host, no port, bare IPv6. */
export type UriFault = 'characters' | 'scheme' | 'user' | 'number' | 'host' | 'port' | 'ipv6';

export interface MalformedUri {
  readonly kind: 'malformed';
  readonly raw: string;
  readonly fault: UriFault;
  readonly detail: string;
}

export type Uri = SipUri | TelUri | OtherUri;
export type ParsedUri = Uri | MalformedUri;

type Malformed = (fault: UriFault, detail: string) => MalformedUri;

/** Reads one URI, as it stands between `<` and `>`. Never throws. */
export function parseUri(text: string): ParsedUri {
  const malformed: Malformed = (fault, detail) => ({ kind: 'malformed', raw: text, fault, detail });
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // RFC 3261 §25.1 has none of these in a URI: `<`, `>`, quotes and white space are where readers part. It has no byte
    // above 0x7F either, but in a user part or parameter that changes nobody's reading.
    if (isControl(code) || isBlank(code) || code === 0x22 || code === 0x3c || code === 0x3e) {
      return malformed('characters', `expected URI characters, found ${printable(text.charAt(i))} at byte ${i + 1}`);
    }
  }
  const colon = text.indexOf(':');
  const scheme = asciiLower(text.slice(0, Math.max(colon, 0)));
  if (!isScheme(scheme)) return malformed('scheme', `expected a scheme and a colon, found "${printable(text)}"`);
  if (scheme === 'sip' || scheme === 'sips') return parseSip(text, scheme, colon + 1, malformed);
  if (scheme === 'tel') return parseTel(text, colon + 1, malformed);
  return { kind: 'other', scheme, raw: text };
}

function isScheme(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    const letter = char >= 'a' && char <= 'z';
    if (!letter && (i === 0 || !((char >= '0' && char <= '9') || char === '+' || char === '-' || char === '.'))) {
      return false;
    }
  }
  return text !== '';
}

function parseSip(raw: string, scheme: 'sip' | 'sips', from: number, malformed: Malformed): SipUri | MalformedUri {
  // The user part may hold `;`, `?` and `/` but no `@`, and nothing behind it may either (RFC 3261 §25.1).
  const at = raw.indexOf('@', from);
  if (at >= 0 && raw.indexOf('@', at + 1) >= 0) return malformed('user', 'expected at most one "@", found several');
  if (at === from) return malformed('user', 'expected a user part before "@", found none');
  let user: string | undefined;
  let password: string | undefined;
  let userParams: readonly Param[] = [];
  if (at >= 0) {
    const info = raw.slice(from, at);
    const split = info.indexOf(':');
    user = split < 0 ? info : info.slice(0, split);
    password = split < 0 ? undefined : info.slice(split + 1);
    userParams = readUserParams(raw, from, from + user.length);
  }
  const hostFrom = at < 0 ? from : at + 1;
  const question = raw.indexOf('?', hostFrom);
  const paramsEnd = question < 0 ? raw.length : question;
  let hostEnd = raw.indexOf(';', hostFrom);
  if (hostEnd < 0 || hostEnd > paramsEnd) hostEnd = paramsEnd;
  const hostPort = parseHostPort(raw.slice(hostFrom, hostEnd));
  if ('malformed' in hostPort) return malformed(hostPort.fault, hostPort.malformed);
  return {
    kind: 'sip',
    scheme,
    raw,
    user,
    userParams,
    password,
    host: hostPort.host,
    port: hostPort.port,
    params: readUriParams(raw, hostEnd, paramsEnd),
    headers: question < 0 ? [] : readEmbedded(raw, question + 1),
  };
}

function parseTel(raw: string, from: number, malformed: Malformed): TelUri | MalformedUri {
  const semicolon = raw.indexOf(';', from);
  const end = semicolon < 0 ? raw.length : semicolon;
  // In a URI the `#` of RFC 3966 §3 stands escaped (RFC 3986 §3.5).
  const number = decodePercent(raw.slice(from, end));
  if (!isTelNumber(number)) return malformed('number', `expected a telephone number, found "${printable(number)}"`);
  return { kind: 'tel', scheme: 'tel', raw, number, params: readUriParams(raw, end, raw.length) };
}

/** RFC 3966 §3: phonedigits, hex digits of local numbers, `*`, `#`, visual separators, a leading `+`. */
function isTelNumber(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (!'0123456789abcdefABCDEF*#-.()'.includes(char) && !(char === '+' && i === 0)) return false;
  }
  return text !== '' && text !== '+';
}

export interface HostPort {
  readonly host: string;
  readonly port: number | undefined;
}

export interface MalformedHostPort {
  readonly fault: UriFault;
  readonly malformed: string;
}

/** Host and optional port. An IPv6 literal must stand in brackets (RFC 5118 §4.2). */
export function parseHostPort(text: string): HostPort | MalformedHostPort {
  let hostEnd: number;
  if (text.startsWith('[')) {
    const close = text.indexOf(']');
    if (close < 0) return { fault: 'ipv6', malformed: 'expected "]" behind an IPv6 address, found none' };
    const inner = text.slice(1, close);
    if (!IPV6.test(inner) || !inner.includes(':')) {
      return { fault: 'ipv6', malformed: `expected an IPv6 address in brackets, found "${printable(inner)}"` };
    }
    hostEnd = close + 1;
  } else {
    const colon = text.indexOf(':');
    if (colon >= 0 && text.indexOf(':', colon + 1) >= 0) {
      return { fault: 'ipv6', malformed: `expected an IPv6 address in brackets, found "${printable(text)}"` };
    }
    hostEnd = colon < 0 ? text.length : colon;
    const host = text.slice(0, hostEnd);
    if (!HOST_NAME.test(host)) return { fault: 'host', malformed: `expected a host, found "${printable(host)}"` };
  }
  const host = text.slice(0, hostEnd);
  if (hostEnd === text.length) return { host, port: undefined };
  const digits = text.slice(hostEnd + 1);
  if (text.charAt(hostEnd) !== ':' || !PORT.test(digits) || Number(digits) > 65535) {
    return { fault: 'port', malformed: `expected a port, found "${printable(text.slice(hostEnd))}"` };
  }
  return { host, port: Number(digits) };
}

// Character classes alone: such a pattern cannot backtrack.
const IPV6 = /^[0-9A-Fa-f:.]+$/;
const PORT = /^[0-9]{1,5}$/;
/** Letters, digits, `.`, `-`, and the `_` that real host names hold. */
const HOST_NAME = /^[A-Za-z0-9._-]+$/;

/** `;a=b;c` between two indices of a URI. Empty parameters are skipped; their bytes stay. */
function readUriParams(text: string, from: number, until: number): readonly Param[] {
  const params: Param[] = [];
  let pos = from;
  while (pos < until) {
    let end = text.indexOf(';', pos + 1);
    if (end < 0 || end > until) end = until;
    addParam(params, text, pos, 1, end);
    pos = end;
  }
  return params;
}

/** Parameters behind the first `;` or `%3B` of a user part. */
function readUserParams(text: string, from: number, until: number): readonly Param[] {
  const params: Param[] = [];
  let start = -1;
  let width = 0;
  for (let i = from; i <= until; i++) {
    const escaped = text.charAt(i) === '%' && asciiLower(text.slice(i, i + 3)) === '%3b' && i + 3 <= until;
    if (i < until && text.charAt(i) !== ';' && !escaped) continue;
    if (start >= 0) addParam(params, text, start, width, i);
    start = i;
    width = escaped ? 3 : 1;
    if (escaped) i += 2;
  }
  return params;
}

function addParam(params: Param[], text: string, start: number, separator: number, end: number): void {
  const body = text.slice(start + separator, end);
  if (body === '') return;
  const equals = body.indexOf('=');
  const name = equals < 0 ? body : body.slice(0, equals);
  const value = equals < 0 ? undefined : body.slice(equals + 1);
  params.push({ name, key: paramKey(name), value, start, end });
}

/**
 * The name that a careless reader finds who decodes first: an escaped `=` ends it, and what no name holds does not count
 * (a vertical tab, or the no-break space of Latin-1, which many a `trim` takes for white space).
 */
export function paramKey(name: string): string {
  const decoded = asciiLower(decodePercent(name));
  const equals = decoded.indexOf('=');
  return onlyToken(equals < 0 ? decoded : decoded.slice(0, equals));
}

function readEmbedded(text: string, from: number): readonly EmbeddedHeader[] {
  const headers: EmbeddedHeader[] = [];
  let pos = from;
  while (pos < text.length) {
    let end = text.indexOf('&', pos);
    if (end < 0) end = text.length;
    const body = text.slice(pos, end);
    const equals = body.indexOf('=');
    const name = equals < 0 ? body : body.slice(0, equals);
    if (body !== '') {
      const value = equals < 0 ? '' : body.slice(equals + 1);
      headers.push({ name, key: fieldKey(decodePercent(name)), value, start: pos, end });
    }
    pos = end + 1;
  }
  return headers;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/**
 * Percent-decoding into bytes, for comparison only (RFC 4475 §3.1.1.4: `%00` is legal and ends nothing).
 * What is no escape stays as it is.
 */
export function decodePercent(text: string): string {
  if (!text.includes('%')) return text;
  let out = '';
  for (let i = 0; i < text.length; i++) {
    if (text.charAt(i) === '%' && i + 2 < text.length) {
      const high = hexDigit(text.charCodeAt(i + 1));
      const low = hexDigit(text.charCodeAt(i + 2));
      if (high >= 0 && low >= 0) {
        out += String.fromCharCode(high * 16 + low);
        i += 2;
        continue;
      }
    }
    out += text.charAt(i);
  }
  return out;
}

/** The host for comparison: lower case, without one trailing dot. */
export function hostKey(uri: SipUri): string {
  const lower = asciiLower(uri.host);
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}
