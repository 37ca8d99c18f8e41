/**
 * Takes parameters, embedded header fields, option tags and list values out of header values, and says whether the
 * result is clean by any reading. The addresses themselves are edited in edit.ts.
 */

import {
  asciiLower,
  decodePercent,
  fieldKey,
  hasOpenQuote,
  isPrivateName,
  isTokenCode,
  type MalformedAddr,
  type NameAddr,
  onlyToken,
  paramKey,
  parseNameAddr,
  parseUri,
  splitList,
  trimBlanks,
} from '../grammar/index.js';
import type { ParamsGoing } from '../table/index.js';
import { editAddrList, withoutAddrParams, withoutEmbeddedHeaders, withUri } from './edit.js';

/** What has to go out of the URIs of one field. */
export interface UriRules {
  /** Lower-case names of parameters, in every position (P-10). */
  readonly params: ReadonlySet<string>;
  /** Embedded header fields that may stay (lower case); undefined: all stay. */
  readonly embedded: ReadonlySet<string> | undefined;
}

export interface Cleaned {
  readonly value: string;
  /** False: something that should go may still be there for some reader. */
  readonly clean: boolean;
}

/** What every parameter and every embedded field begins with, in whatever place, escaped or not; or one that stands for a URI. */
const BEGINS_MORE = /[;?%=]/;

/** Cleans all URIs of a header value that is a list of addresses. */
export function cleanAddrs(value: string, rules: UriRules): Cleaned {
  if (!BEGINS_MORE.test(value)) return { value, clean: true };
  // Where a quoted string never ends, nobody can say what stands in quotes.
  if (hasOpenQuote(value)) return { value, clean: !hasResidue(value, rules, 'quotes too') };
  let clean = true;
  const edit = (addr: NameAddr | MalformedAddr): string => {
    if ('malformed' in addr) {
      if (hasResidue(addr.raw, rules, 'quotes too')) clean = false;
      return addr.raw;
    }
    const edited = cleanAddr(addr, rules);
    if (hasResidue(edited, rules)) clean = false;
    return edited;
  };
  // A row of commas is tens of thousands of elements.
  const text = editAddrList(value, edit, (piece) => BEGINS_MORE.test(piece));
  return { value: text, clean };
}

function cleanAddr(addr: NameAddr, rules: UriRules): string {
  const { params, embedded } = rules;
  let text = withoutAddrParams(addr, params);
  if (embedded !== undefined) {
    text = reparsed(text, (again) => withUri(again, withoutEmbeddedHeaders(again.uri, embedded)));
  }
  return reparsed(text, (again) => cleanQuotedUris(again, rules));
}

function reparsed(text: string, edit: (addr: NameAddr) => string): string {
  const addr = parseNameAddr(text);
  return 'malformed' in addr ? text : edit(addr);
}

/** Feature tags bear URIs in quotes: `+g.3gpp.trf="<sip:trf.example;iotl=homeA-homeB>"` (RFC 7549 §4). */
function cleanQuotedUris(addr: NameAddr, rules: UriRules): string {
  let out = '';
  let pos = 0;
  for (const param of addr.params) {
    if (param.value === undefined || !param.value.startsWith('"')) continue;
    const start = param.end - param.value.length;
    out += addr.raw.slice(pos, start) + cutInside(param.value, rules);
    pos = param.end;
  }
  return out + addr.raw.slice(pos);
}

/**
 * The text without `;name` and `;name=value` up to the next delimiter, whatever surrounds them, and, where something
 * must not be embedded, without the `?...` of SIP URIs.
 */
function cutInside(text: string, { params, embedded }: UriRules): string {
  const bare = embedded === undefined ? text : text.replace(/[^<>"]+/g, withoutQuery);
  return bare.replace(
    /(?:;|%3b)[ \t]*((?:(?!%3b)[^;=?>&,"<@: \t])+)(=(?:(?!%3b)[^;?>&,"<@ \t])*)?/gi,
    (found, name: string) => (params.has(paramKey(name)) ? '' : found),
  );
}

/** From a `?` behind a scheme on; the next address of a list stays, and the tag of this one. */
function withoutQuery(piece: string): string {
  const scheme = piece.search(/sips?:/i);
  if (scheme < 0) return piece;
  const uris = piece.slice(scheme).replace(/\?(?:(?!,[ \t]*(?:(?:sips?|tel|urn):|$)|;[ \t]*tag[ \t]*=)[\s\S])*/gi, '');
  return piece.slice(0, scheme) + uris;
}

/** The same for values that are no address lists but hold URIs in quotes or brackets (Feature-Caps). */
export function cleanLoose(value: string, rules: UriRules): Cleaned {
  const text = cutInside(value, rules);
  return { value: text, clean: !hasResidue(text, rules) };
}

/** The Request-URI: nothing embedded is ever materialised (RFC 3261 §19.1.5, P-9). */
export function cleanRequestUri(ruri: string, rules: UriRules): Cleaned {
  const uri = parseUri(ruri);
  if (uri.kind === 'malformed') return { value: ruri, clean: !hasResidue(ruri, rules, 'quotes too') };
  const addr = parseNameAddr(`<${ruri}>`);
  if ('malformed' in addr) return { value: ruri, clean: !hasResidue(ruri, rules, 'quotes too') };
  const edited = cleanAddr(addr, rules);
  return { value: edited.slice(1, -1), clean: !hasResidue(edited, rules) };
}

/** Does a reader who splits at any `;`, escaped or not, or `?` outside quotes still find what should be gone? */
function hasResidue(text: string, rules: UriRules, scope: 'outside quotes' | 'quotes too' = 'outside quotes'): boolean {
  const bare = scope === 'quotes too' ? text : emptied(text, '"', '"');
  if (rules.params.size > 0) {
    // In the place of the URI (`Call-Info: answer-after=0`) phones read it, too.
    const [, first = ''] = /^[ \t<]*([^;=?>&,"<@: \t]+)[ \t]*=/.exec(bare) ?? [];
    if (rules.params.has(paramKey(first))) return true;
    for (const [, name = ''] of bare.matchAll(/(?:;|%3b)[ \t]*((?:(?!%3b)[^;=?>&,"<@: \t])*)/gi)) {
      if (rules.params.has(paramKey(name))) return true;
    }
  }
  return rules.embedded !== undefined && embedsOther(bare, rules.embedded);
}

/**
 * Is there a `?name=` behind a SIP or tel URI with another name than these? A user part may hold `?` and `=`
 * (RFC 4475 §3.1.1.2): there only what names something private counts, for a reader that splits at the first `?`. Linear.
 */
function embedsOther(text: string, allowed: ReadonlySet<string>): boolean {
  if (!text.includes('?')) return false;
  for (const piece of text.split(/[<>]/)) {
    const scheme = piece.search(/(?:sips?|tel):/i);
    const question = scheme < 0 ? -1 : piece.indexOf('?', scheme);
    if (question < 0) continue;
    const host = Math.max(piece.lastIndexOf('@'), question);
    if (embeddedNames(piece.slice(question + 1, host)).some((key) => isPrivateName(key) && !allowed.has(key)))
      return true;
    const behind = piece.indexOf('?', host);
    if (behind >= 0 && embeddedNames(piece.slice(behind + 1)).some((key) => !allowed.has(key))) return true;
  }
  return false;
}

function embeddedNames(text: string): readonly string[] {
  return text.split(/[&?]/).flatMap((part) => {
    const equals = part.indexOf('=');
    return equals < 0 ? [] : [fieldKey(trimBlanks(decodePercent(part.slice(0, equals))))];
  });
}

/** The text with nothing left between the delimiters; what is never closed stays, to be looked at. Linear. */
function emptied(text: string, open: '"' | '<', close: '"' | '>'): string {
  let out = '';
  let pos = 0;
  for (let start = text.indexOf(open); start >= 0; start = text.indexOf(open, pos)) {
    let end = start + 1;
    while (end < text.length && text.charAt(end) !== close) end += open === '"' && text.charAt(end) === '\\' ? 2 : 1;
    if (end >= text.length) break;
    out += text.slice(pos, start) + open + close;
    pos = end + 1;
  }
  return out + text.slice(pos);
}

/** The token of a list element as a careless reader has it: without quotes, and without parameters behind it. */
function tokenOf(part: string): string {
  return onlyToken(asciiLower(part.split(';')[0] ?? ''));
}

/** A comma-separated list of tokens without some of them (lower case). Nothing changes where none of them is in it. */
export function withoutTokens(value: string, drop: (token: string) => boolean): string {
  const parts = value.split(',');
  const kept = parts.filter((part) => !drop(tokenOf(part)));
  return kept.length === parts.length
    ? value
    : kept
        .map(trimBlanks)
        .filter((part) => part !== '')
        .join(', ');
}

/** A list without the elements that are for one of these purposes (RFC 3261 §20.9: the parameter `purpose` of Call-Info). */
export function withoutPurposes(value: string, purposes: ReadonlySet<string>): string {
  if (!value.includes('=')) return value;
  const parts = splitList(value);
  const kept = parts.filter((part) => {
    const bare = emptied(part, '<', '>');
    for (const [, name = '', quoted, token] of bare.matchAll(
      /;[ \t]*([^;=,"<> \t]+)[ \t]*=[ \t]*(?:"([^"]*)"|([^;," \t]*))/g,
    )) {
      if (asciiLower(name) === 'purpose' && purposes.has(onlyToken(asciiLower(quoted ?? token ?? '')))) return false;
    }
    return true;
  });
  return kept.length === parts.length ? value : kept.map(trimBlanks).join(', ');
}

/** A list without this parameter where its value, quoted or not, names one of these (lower case). */
export function withoutParamBearing(value: string, param: string, names: readonly string[]): Cleaned {
  const bears = (text: string): boolean => names.some((each) => asciiLower(text).includes(each));
  if (!bears(value)) return { value, clean: true };
  const left = value.replace(PARAM, (found, name: string, held: string) =>
    asciiLower(name) === param && bears(held) ? '' : found,
  );
  if (!bears(left)) return { value: left, clean: true };
  // What stands in the quotes of something else to one reader does not to the next.
  const named = `${param.replace(/[.+]/g, '[$&]')}[ \\t]*=`;
  const plain = new RegExp(`;[ \\t]*${named}[ \\t]*"[^"\\\\]*"`, 'gi');
  const text = left.replace(plain, (found) => (bears(found) ? '' : found));
  // Nor do all readers find the end of a quoted string, or what stands before a parameter.
  const any = new RegExp(`(?:^|%3b|[^-\\w.!%*+\`'~])${named}((?:"(?:[^"\\\\]|\\\\.)*(?:"|\\\\?$)|[^;,"])*)`, 'gi');
  return { value: text, clean: ![...text.matchAll(any)].some(([, held = '']) => bears(held)) };
}

const PARAM = /;[ \t]*([^;=,"<> \t]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|(?:<[^<>"]*>|[^;,?"<> \t])*)/g;

/**
 * Credentials, challenges and other parameter lists (`Digest a="b", c=d`, `icid-value=x;orig-ioi=y`) without the
 * parameters that go. `clean` is false where one is left for some reader.
 */
export function withoutListParams(value: string, { named, allBut }: ParamsGoing): Cleaned {
  const goes = (name: string): boolean => named.has(name) || (name !== '' && allBut?.has(name) === false);
  let out = '';
  let dropped = false;
  /** Nothing is kept yet but a scheme, behind which the next parameter needs no separator. */
  let open = true;
  for (const { separator, text } of splitParams(value)) {
    // A list of what may stay has no scheme in front.
    const { scheme, name } = nameOf(text, allBut === undefined);
    if (!goes(name)) {
      out += open && dropped ? (out === '' ? text.replace(/^[ \t]+/, '') : ` ${trimBlanks(text)}`) : separator + text;
      open = false;
      continue;
    }
    dropped = true;
    // The first parameter stands behind the scheme: `Digest username="..."`.
    if (open && scheme !== '') out = scheme;
  }
  // What is left of a list of what may stay is clean, if its quotes end.
  const clean = allBut === undefined ? !namesLeft(out, named) : !hasOpenQuote(value);
  return { value: dropped ? trimBlanks(out) : value, clean };
}

/** What stands before the `=`: the name in lower case, and the scheme before it if there is one. */
function nameOf(text: string, schemes: boolean): { readonly scheme: string; readonly name: string } {
  const equals = indexOfEquals(text);
  const head = trimBlanks(equals < 0 ? text : text.slice(0, equals));
  const cut = schemes ? Math.max(head.lastIndexOf(' '), head.lastIndexOf('\t')) : -1;
  return { scheme: trimBlanks(head.slice(0, Math.max(cut, 0))), name: asciiLower(head.slice(cut + 1)) };
}

function splitParams(value: string): readonly { readonly separator: string; readonly text: string }[] {
  const pieces: { separator: string; text: string }[] = [];
  let quoted = false;
  let start = 0;
  let separator = '';
  for (let i = 0; i <= value.length; i++) {
    const char = value.charAt(i);
    if (quoted && i < value.length) {
      if (char === '\\') i++;
      else if (char === '"') quoted = false;
      continue;
    }
    if (char === '"') quoted = true;
    if (i >= value.length || char === ',' || char === ';') {
      pieces.push({ separator, text: value.slice(start, i) });
      separator = char;
      start = i + 1;
    }
  }
  return pieces;
}

/** Outside of quotes; -1: there is none. */
function indexOfEquals(text: string): number {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (quoted && char === '\\') i++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && char === '=') return i;
  }
  return -1;
}

function namesLeft(value: string, names: ReadonlySet<string>): boolean {
  // Where a quoted string never ends, or begins anywhere but behind a "=", nobody can say what stands in quotes.
  const plain = value.replace(/(=[ \t]*)"(?:[^"\\]|\\.)*"/g, '$1');
  const bare = asciiLower(plain.includes('"') ? value : plain);
  const alone = new Set(bare.split(/[;,"]/).map(trimBlanks));
  for (const name of names) {
    if (alone.has(name)) return true;
    for (let at = bare.indexOf(name); at >= 0; at = bare.indexOf(name, at + 1)) {
      const before = at === 0 || !isTokenCode(bare.charCodeAt(at - 1));
      const rest = bare.slice(at + name.length).replace(/^[ \t]+/, '');
      if (before && rest.startsWith('=')) return true;
    }
  }
  return false;
}
