/**
 * Lists of name-addr and addr-spec (RFC 3261 §20, RFC 8217), with the place of every part. Strings are latin1 and
 * unfolded.
 *
 * What can be read in two ways is malformed: a bare addr-spec with `?`, quotes that do not end, text behind `>` that
 * is no parameter, a display name that holds a URI.
 */

import { printable } from '../../printable.js';
import { isBlank, isControl, isToken, skipBlanks, trimBlanks } from './ascii.js';
import { type Param, paramKey, parseUri, type Uri, type UriFault } from './uri.js';

export interface NameAddr {
  /** Display name without quotes and escapes; empty if there is none. */
  readonly display: string;
  readonly uri: Uri;
  /** Header parameters: those behind the `>`, or behind a bare addr-spec. Offsets are in `raw`. */
  readonly params: readonly Param[];
  /** The whole list element, without SP/HT at both ends. */
  readonly raw: string;
  /** Does the URI stand between `<` and `>`? */
  readonly bracketed: boolean;
  /** Where the URI stands in `raw`. */
  readonly uriStart: number;
  readonly uriEnd: number;
}

export interface MalformedAddr {
  readonly malformed: string;
  /** What is wrong with the URI, where that is what is wrong. */
  readonly fault: UriFault | undefined;
  readonly raw: string;
}

/**
 * Splits at the commas that stand outside `<>` and quoted strings. The pieces joined by `,` are the value again.
 * A quoted string or `<` that never ends takes the rest of the value.
 */
export function splitList(value: string): readonly string[] {
  const pieces: string[] = [];
  let start = 0;
  let quoted = false;
  let angle = false;
  for (let i = 0; i < value.length; i++) {
    const char = value.charAt(i);
    if (quoted) {
      if (char === '\\') i++;
      else if (char === '"') quoted = false;
    } else if (angle) {
      if (char === '>') angle = false;
    } else if (char === '"') quoted = true;
    else if (char === '<') angle = true;
    else if (char === ',') {
      pieces.push(value.slice(start, i));
      start = i + 1;
    }
  }
  pieces.push(value.slice(start));
  return pieces;
}

/** Does a quoted string of this value never end? Quotes inside `<>` count too: no URI holds one. */
export function hasOpenQuote(value: string): boolean {
  let quoted = false;
  for (let i = 0; i < value.length; i++) {
    const char = value.charAt(i);
    if (quoted && char === '\\') i++;
    else if (char === '"') quoted = !quoted;
  }
  return quoted;
}

/** Reads one name-addr or addr-spec with its parameters. Never throws. */
export function parseNameAddr(text: string): NameAddr | MalformedAddr {
  const raw = trimBlanks(text);
  const malformed = (detail: string, fault?: UriFault): MalformedAddr => ({ malformed: detail, fault, raw });
  if (raw === '') return malformed('expected an address, found nothing');
  const head = readDisplay(raw);
  if ('malformed' in head) return malformed(head.malformed);
  const bracketed = head.angle >= 0;
  const uriStart = bracketed ? head.angle + 1 : 0;
  const uriEnd = bracketed ? raw.indexOf('>', uriStart) : endOfBareUri(raw);
  if (uriEnd < 0) return malformed('expected ">" behind the URI, found none');
  const uri = parseUri(raw.slice(uriStart, uriEnd));
  if (uri.kind === 'malformed') return malformed(uri.detail, uri.fault);
  // RFC 8217: a URI with a comma, question mark or semicolon stands in <>; the semicolon already ended this one.
  if (!bracketed && uri.raw.includes('?')) return malformed('expected "<" and ">" around a URI with "?", found none');
  const params = readParams(raw, bracketed ? uriEnd + 1 : uriEnd, bracketed);
  if (!Array.isArray(params)) return malformed(params.malformed);
  return { display: head.display, uri, params, raw, bracketed, uriStart, uriEnd };
}

interface Display {
  readonly display: string;
  /** Index of the `<`, or -1 for a bare addr-spec. */
  readonly angle: number;
}

function readDisplay(raw: string): Display | { readonly malformed: string } {
  if (raw.startsWith('"')) {
    let display = '';
    let i = 1;
    for (; i < raw.length && raw.charAt(i) !== '"'; i++) {
      if (raw.charAt(i) === '\\') i++;
      display += raw.charAt(i);
    }
    if (i >= raw.length) return { malformed: 'expected the end of a quoted string, found none' };
    const angle = skipBlanks(raw, i + 1);
    if (raw.charAt(angle) !== '<') return { malformed: 'expected "<" behind the display name, found none' };
    return { display, angle };
  }
  const angle = raw.indexOf('<');
  const semicolon = raw.indexOf(';');
  if (angle < 0 || (semicolon >= 0 && semicolon < angle)) return { display: '', angle: -1 };
  const display = trimBlanks(raw.slice(0, angle));
  for (let i = 0; i < display.length; i++) {
    // RFC 3261 wants tokens here. Brackets, "@" and bytes of UTF-8 are seen in the field and change nobody's reading;
    // these would: with a colon the display name can be taken for the URI.
    if (':,;"\\<>'.includes(display.charAt(i)) || isControl(display.charCodeAt(i))) {
      return { malformed: `expected a display name, found "${printable(display)}"` };
    }
  }
  return { display, angle };
}

function endOfBareUri(raw: string): number {
  for (let i = 0; i < raw.length; i++) if (raw.charAt(i) === ';' || isBlank(raw.charCodeAt(i))) return i;
  return raw.length;
}

/** `*( SEMI generic-param )` from an index to the end of the text; LWS is allowed around `;` and `=`. */
function readParams(raw: string, from: number, bracketed: boolean): Param[] | { readonly malformed: string } {
  const params: Param[] = [];
  let pos = skipBlanks(raw, from);
  while (pos < raw.length) {
    if (raw.charAt(pos) !== ';')
      return { malformed: `expected ";" behind the URI, found "${printable(raw.slice(pos))}"` };
    const start = pos;
    pos = skipBlanks(raw, pos + 1);
    const nameStart = pos;
    while (pos < raw.length && !';='.includes(raw.charAt(pos)) && !isBlank(raw.charCodeAt(pos))) pos++;
    const name = raw.slice(nameStart, pos);
    let end = pos;
    pos = skipBlanks(raw, pos);
    let value: string | undefined;
    if (raw.charAt(pos) === '=') {
      const valueStart = skipBlanks(raw, pos + 1);
      pos = endOfValue(raw, valueStart);
      if (pos < 0) return { malformed: `expected the end of the quoted value of "${printable(name)}", found none` };
      value = raw.slice(valueStart, pos);
      // Behind a bare addr-spec an "@" means that the user part was cut in two (P-6): <> were needed.
      if (!bracketed && !value.startsWith('"') && value.includes('@')) {
        return { malformed: 'expected "<" and ">" around a URI with ";", found none' };
      }
      end = pos;
      pos = skipBlanks(raw, pos);
    } else if (name === '') {
      continue; // `;;`: an empty parameter says nothing
    }
    if (!isToken(name)) return { malformed: `expected a parameter name, found "${printable(name)}"` };
    params.push({ name, key: paramKey(name), value, start, end });
  }
  return params;
}

/** End of a token, host or quoted string; -1 for a quoted string that never ends. */
function endOfValue(raw: string, from: number): number {
  let pos = from;
  if (raw.charAt(pos) === '"') {
    for (pos++; pos < raw.length; pos++) {
      if (raw.charAt(pos) === '\\') pos++;
      else if (raw.charAt(pos) === '"') return pos + 1;
    }
    return -1;
  }
  while (pos < raw.length && !';,"<>'.includes(raw.charAt(pos)) && !isBlank(raw.charCodeAt(pos))) pos++;
  return pos;
}
