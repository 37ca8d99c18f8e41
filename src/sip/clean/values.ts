/** What may stand in the values of a header block, as Perl-compatible expressions, and the words that they are made of. */

import { ADDRESS_FIELDS, asciiLower, spellings } from '../grammar/index.js';
import type { HookProfile } from '../table/index.js';
import { nameOf, nameOrEscape } from './name-tree.js';

export const BLANKS = '[ \\t]*+';
export const COLON = `${BLANKS}:`;
export const TOKEN = "-A-Za-z0-9.!%*_+`'~";
/** Characters of a token without the percent sign, the hyphen first. */
const WORD_CHARS = [..."-abcdefghijklmnopqrstuvwxyz0123456789.!*_+`'~"];
/** A name that no reader takes for another one by decoding it (decodedKey). */
export const NAME = `[${TOKEN.replace('%', '')}]`;
/** A parameter name has ended. */
export const NAME_END = `(?![${TOKEN}])`;
export const END = '\\r\\n';
/** What no line holds anywhere. */
export const NOT = '\\r\\n\\x00';
/**
 * A reference, never come to, behind all groups: asked for a match alone, PCRE (before PCRE2) remembers groups up to the last
 * one that a reference names, and a condition counts as none.
 */
export const REMEMBERED = '(?:(?!)(?<z>)\\k<z>)?';
/** What one reader or another takes for a line end or for a blank (VT, FF and the like), and what such characters begin with. */
const ODD = '\\0-\\b\\n-\\x1f\\x7f\\x85\\xc0-\\xc2\\xe0\\xe2\\xf0';
/** An IPv6 literal that every reader ends in this line. */
const LITERAL = '(?&l)';
const DEFINITION = '(?<l>\\[[0-9a-f:.]*+\\])';
/** All but printable ASCII. */
export const BEYOND = '\\0-\\x1f\\x7f-\\xff';
/**
 * A character that holds such a byte and is no line end: not U+2028 or U+2029, nor one in more bytes than it needs (two, three,
 * four); and \x85, which is NEL in Latin-1 and the second half of many letters, before what is no name and colon.
 */
const LETTER = `\\xc2(?!\\x85)|\\xe2(?!\\x80[\\xa8\\xa9])|\\x85(?!${BLANKS}[${TOKEN}]++${COLON})|[\\xc0\\xc1](?![\\x80-\\xbf])|\\xe0(?![\\x80-\\x9f])|\\xf0(?![\\x80-\\x8f])`;

const ADDRESSES = nameOf([...ADDRESS_FIELDS].flatMap(spellings));
const HOST = '[^\\r\\[]*+(?:(?:(?<![@:])\\[|\\[[^\\]\\r]*+\\])[^\\r\\[]*+)*+\\r';
const SENT_BY = '[^\\r\\[(]*+(?:(?:\\[[^\\]\\r]*+\\]|\\([^)\\r]*+\\))[^\\r\\[(]*+)*+\\r';
/** No line of an address or a Via in which a bracket never closes (OPEN_BRACKET of the audit). */
export const CLOSING = `(?!${ADDRESSES}${COLON}(?!${HOST})|${nameOf(spellings('via'))}${COLON}(?!${SENT_BY}))`;

/**
 * What may stand in values: no forbidden parameter, plain or escaped, no header field that a URI embeds, and nothing that one
 * reader or another takes for a line end or for a blank. (Our own side may tell those who are trusted what it likes.)
 */
export class Values {
  /** Definitions that the other expressions call. */
  readonly words: string;
  readonly any: string;
  /** A value that embeds what alone may be embedded in Refer-To: the dialog to be replaced (RFC 3891); undefined: any may. */
  readonly replaces: string | undefined;
  /** Most values, up to the end of their line: printable ASCII. */
  readonly simple: string;
  /** Most lists of hosts (Via, Record-Route): besides, no bracket that does not close. */
  readonly hosts: string;
  /** Most values with URIs: besides, no question mark, no escape, and parameters that start as no forbidden one does. */
  readonly plain: string;
  /** The same of fields whose parameters begin as forbidden ones do. */
  readonly wide: string;
  /** The same with colons that are escaped, as the services of IMS are written (`urn%3Aurn-7%3A3gpp-service`). */
  readonly escaped: string;
  /** Most of these that name somebody: one angle bracket, and nothing before it that a reader takes for a URI. */
  readonly named: string;
  /** The rest of a name, and such a value: shorter to write than to match. */
  readonly rest: string;
  readonly #legible: boolean;
  /** What opens a literal, where one has to close. */
  readonly #open: string;
  /** Names of forbidden parameters. */
  readonly #taken: readonly string[];

  constructor({ lines: { uriParams, barren } }: HookProfile, direction: 'in' | 'out') {
    this.#legible = direction === 'in' || barren;
    this.#taken = uriParams;
    this.simple = `${this.#legible ? `[${printableBut('')}]` : `[^${NOT}]`}*+${END}`;
    this.#open = direction === 'in' ? '[' : '';
    const closing = (but: string): string => `${this.#ascii(but)}(?:${LITERAL}${this.#ascii(but)})*+${END}`;
    this.hosts = direction === 'in' ? closing('(') : this.simple;
    const display = `${this.#ascii('%:;<')}<`;
    if (uriParams.length === 0 && !barren) {
      this.named = `${display}${direction === 'in' ? closing('<') : `${this.#ascii('<')}${END}`}`;
      this.words = direction === 'in' ? DEFINITION : '';
      this.any = this.text('');
      this.plain = direction === 'in' ? closing('') : this.simple;
      this.wide = this.plain;
      this.escaped = this.simple;
      this.rest = `${NAME}*+:${this.plain}`;
      return;
    }
    const ordinary = uriParams.length === 0 ? '' : otherStart(uriParams);
    const ascii = (but: string): string => this.#ascii(`%;${barren ? '?' : ''}${but}`);
    const plain = (but: string, start = ordinary, more: readonly string[] = []): string => {
      const ways = [`;${start}`, ...(direction === 'in' ? [LITERAL] : []), ...more];
      return `${ascii(but)}(?:${ways.map((way) => way + ascii(but)).join('|')})*+${END}`;
    };
    this.plain = plain('');
    this.wide = plain('', uriParams.length === 0 ? '' : otherStart(uriParams, [], true));
    this.escaped = plain('', ordinary, ['%3a']);
    this.named = `${display}${plain('<')}`;
    // RFC 3261 §19.1.4: an escaped parameter name is the same name.
    const name = nameOf(uriParams);
    const param =
      uriParams.length === 0
        ? ';'
        : `;(?:[${lettersBut(heads(uriParams))}]|${BLANKS}(?!${name}${NAME_END}))[${TOKEN.replace('%', '')}]*+(?![%\\x80-\\xff])`;
    // Whoever decodes a user part before looking into it finds a parameter behind an escaped semicolon. Its name may be
    // escaped too, so it is told by its first letters. (What is replaced, RFC 3891, has such semicolons as well.)
    const escaped =
      uriParams.length === 0 ? '%' : `%++(?!3b${nameOrEscape(uriParams.map((each) => each.slice(0, TELLING)))})`;
    const scheme = '(?:sips?|tel):';
    // A scheme begins behind a semicolon, too.
    const part = `${barren ? `(?!;${BLANKS}${scheme})` : ''}${param}|${escaped}|${LETTER}`;
    const text = `[^${ODD}%;${barren ? '?' : ''}]*+`;
    // Many escapes are one loop.
    const run = `${text}(?:${escaped}${text})*+`;
    const whole = `${run}(?:(?:${param}|${LETTER})${run})*+`;
    // A question mark that stands behind no scheme is text. What follows a scheme, up to an angle bracket, holds none.
    const host = `[^${ODD}%;<>?]*+(?:(?&p)[^${ODD}%;<>?]*+)*+`;
    const uri = `${scheme}${host}(?=[<>\\r])`;
    const long = `(?:[^${ODD}%;?st]++|[?]++|(?&p)|${uri}|(?!${scheme})[st])*+`;
    this.rest = '(?&b)';
    this.words = `${direction === 'in' ? DEFINITION : ''}(?<b>${NAME}*+:${this.plain})(?<p>${part})${barren ? `(?<t>${long})(?<a>${whole}(?=\\r)|(?&t))` : `(?<a>${whole})`}`;
    this.any = '(?&a)';
    if (!barren) return;
    const shown = `${BLANKS}(?:"${this.text('"\\\\')}"|${this.text('";?<')})${BLANKS}`;
    const dialog = `[${TOKEN.replace('%', '')}@()]*+`;
    const target = `sips?:${host}[?]replaces=${dialog}(?:${escaped}${dialog})*+`;
    this.replaces = `${shown}<${target}>(?:(?&p)[^${ODD}%;?]*+)*+`;
  }

  /**
   * Most of `plain` that holds none of these names (each with a colon in it), told by the first character behind a colon, and no
   * parameter that begins with one of these letters.
   */
  plainWithout(names: readonly string[], letters: readonly string[]): string {
    const behind = names.map((name) => name.slice(name.indexOf(':') + 1));
    const ascii = this.#ascii('%:;?');
    const other = otherStart(this.#taken, [...heads(behind), ...letters]);
    return `:${ascii}(?:[:;]${other}${ascii})*+${END}`;
  }

  /**
   * A Route in printable ASCII that starts no services, as `orig@` does with Kamailio's ims_registrar_scscf and `iscmark@` with its
   * ims_isc; then most of them, which name no user.
   */
  route(): readonly [string, string] {
    const ascii = `[\\t${printableBut('@')}]*+`;
    const most = this.#ascii('%;?@');
    return [
      `(?=${ascii}(?:(?<!orig)(?<!iscmark)@${ascii})*+\\r)${this.any}`,
      `:${most}(?:;${otherStart(this.#taken)}${most})*+${END}`,
    ];
  }

  /** Printable ASCII without these characters. */
  #ascii(but: string): string {
    return `[${printableBut(`${but}${this.#open}`)}]*+`;
  }

  /** Text without these characters. */
  text(but: string): string {
    if (!this.#legible) return `[^${but}${NOT}]*+`;
    const run = `[^${but}${ODD}]*+`;
    return `${run}(?:(?:${LETTER})${run})*+`;
  }
}

/** Letters by which other names are told from forbidden ones, where to read on would make every expression longer. */
const TELLING = 3;
/** Most messages have parameters that begin so: tag, transport, received, refresher. */
const COMMON = 'rt';
/** Letters of others that go on otherwise than forbidden names: cause, duration, expires, nat, ob. */
const AS_WELL = 'cdeno';
/** The third and fourth letter of transport, whose first two begin forbidden names, too. */
const TRANSPORT = 'an';

/** How a name begins that is none of these, and begins with none of those letters; `all`: whatever it costs. */
function otherStart(names: readonly string[], letters: readonly string[] = [], all = false): string {
  const taken = heads(names);
  const common = all || [...COMMON].some((head) => taken.includes(head) && !letters.includes(head));
  const begun = [...(common ? COMMON + AS_WELL : '')].filter((head) => taken.includes(head) && !letters.includes(head));
  const other = `[${lettersBut([...taken.filter((head) => !begun.includes(head)), ...letters])}]`;
  if (begun.length === 0) return other;
  // (Another choice for each letter would be tried for each parameter: to look ahead once costs half.)
  const ends = names.filter((name) => begun.includes(name.charAt(0))).map((name) => name.slice(1));
  if (ends.some((end) => end.slice(1).startsWith(TRANSPORT)))
    throw new Error('expected no name that begins as transport does');
  return `(?![${begun.join('')}][${heads(ends).join('')}](?!${TRANSPORT}))${other}`;
}

/** First characters of names, each once. */
export function heads(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => asciiLower(name).charAt(0)))];
}

/** Printable ASCII without these characters, for a bracket expression. */
function printableBut(taken: string): string {
  const runs: string[] = [];
  const char = (code: number): string => String.fromCharCode(code).replace(/[\\\]^-]/, '\\$&');
  let from = 0x20;
  for (let code = from; code <= 0x7f; code++) {
    if (code < 0x7f && !taken.includes(String.fromCharCode(code))) continue;
    if (from < code) runs.push(`${char(from)}-${char(code - 1)}`);
    from = code + 1;
  }
  return runs.join('');
}

/** The characters of a name's first letters without these, for a bracket expression: what stands side by side in ASCII as a run. */
export function lettersBut(taken: readonly string[]): string {
  const runs: string[] = [];
  for (const char of WORD_CHARS.filter((each) => !taken.includes(each))) {
    const run = runs.at(-1) ?? '';
    if (char.charCodeAt(0) === run.charCodeAt(run.length - 1) + 1) runs[runs.length - 1] = run + char;
    else runs.push(char);
  }
  return runs.map((run) => (run.length < 3 ? run : `${run.charAt(0)}-${run.charAt(run.length - 1)}`)).join('');
}
