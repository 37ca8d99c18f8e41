/**
 * Patterns that a whole message must match, line by line, for its script to settle it alone: what they do not know is
 * asked about. They are anchored at the start and have one way through each line, so that a matcher needs one pass.
 *
 * POSIX extended expressions, to be matched without regard to case and without NUL; no backslash.
 */

import { ADDRESS_FIELDS, asciiLower, spellings } from '../grammar/index.js';
import { withoutEscapedSemicolon } from '../script/index.js';
import {
  actionsAt,
  type BoundaryRule,
  type Hook,
  hookDirection,
  isForPlan,
  type RowAction,
  type RuleKind,
  type Stance,
  URI_FIELDS,
} from '../table/index.js';

/** Characters of a token (RFC 3261 §25.1) besides letters; the hyphen first, where it is one in a bracket expression. */
const OTHER_TOKEN_CHARS = "-0123456789.!*_+`'~%";
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const TOKEN_CHARS = `${OTHER_TOKEN_CHARS}${LETTERS}`;
const TOKEN = "[-0-9a-z.!*_+`'~%]+";
/** What a token goes on with that tells no name by an escape. */
const TOKEN_REST = "[-0-9a-z.!*_+`'~]*";
const BLANKS = '[ \t]*';
/** What no header value holds (RFC 3261 §25.1), or what is a line end to some reader, or begins one (see LETTER). */
const CONTROLS = '\x01-\x08\x0a-\x1f\x7f\x85\xc0-\xc2\xe0\xe2\xf0';
/**
 * Characters that hold such a byte and are no line end: in UTF-8 (RFC 3629 §4) all but U+0085, U+2028 and U+2029, and none in
 * more bytes than it needs; in Latin-1 those letters, where what is behind them makes no other character of them.
 */
const LETTER = [
  `[\xc0-\xc2\xe0\xe2\xf0][^\x80-\xbf:${CONTROLS}]`,
  '\xc2[\x80-\x84\x86-\xbf]',
  '[\xc3-\xdf]\x85',
  '\xe0[\xa0-\xbf][\x80-\xbf]',
  '\xe2(\x80[\x80-\xa7\xaa-\xbf]|[\x81-\xbf][\x80-\xbf])',
  '([\xe1\xe3-\xec\xee\xef][\x80-\xbf]|\xed[\x80-\x9f])[\x80-\xbf]',
  '(\xf0[\x90-\xbf]|[\xf1-\xf3][\x80-\xbf]|\xf4[\x80-\x8f])[\x80-\xbf][\x80-\xbf]',
].join('|');
const COLON = `${BLANKS}:`;
const END = '\r\n';

function without(chars: string, gone: readonly string[]): string {
  return [...chars].filter((char) => !gone.includes(char)).join('');
}

function headsOf(rests: readonly string[]): readonly string[] {
  return [...new Set(rests.filter((text) => text !== '').map((text) => text.charAt(0)))];
}

function restsBehind(head: string, rests: readonly string[]): readonly string[] {
  return rests.filter((text) => text.startsWith(head)).map((text) => text.slice(1));
}

/**
 * What begins with a name that is none of these (lower case), and ends before one of `stops`, or behind `tail`, which
 * begins with one of them. No name may be told by an escape, nor by a byte that some reader takes for a blank: so neither a
 * per cent sign nor such a byte is part of one. `rest`: what goes on behind the character that tells the name from these.
 */
export function otherThan(names: readonly string[], stops: string, tail = '', rest = `[^${stops}]*`): string {
  const apart = (rests: readonly string[]): string => {
    const heads = headsOf(rests);
    // Where one of the names ends, only a further character of a token makes another name.
    const other =
      rests.includes('') || rest === TOKEN_REST
        ? `[${without(TOKEN_CHARS, ['%', ...heads])}]`
        : `[^${without(heads.join(''), ['-'])}%\x80-\xff${stops}${heads.includes('-') ? '-' : ''}]`;
    return `(${[other, ...heads.map((head) => head + apart(restsBehind(head, rests)))].join('|')})`;
  };
  const beginnings = (rests: readonly string[]): string => {
    const ways = headsOf(rests).flatMap((head) => {
      const behind = restsBehind(head, rests);
      const longer = beginnings(behind);
      if (longer === '') return behind.includes('') ? [] : [head];
      return [`${head}${longer}${behind.includes('') ? '' : '?'}`];
    });
    return ways.length === 0 ? '' : `(${ways.join('|')})`;
  };
  const lower = names.map(asciiLower);
  const begun = beginnings(lower);
  return `(${apart(lower)}${rest}${begun === '' ? '' : `|${begun}`})${tail}`;
}

/** Field names as one expression; `P-*` stands for all names of that prefix. */
export function fieldAlternatives(names: readonly string[]): string {
  const prefixes = names.filter((name) => name.endsWith('*')).map((name) => asciiLower(name.slice(0, -1)));
  const parts = names
    .filter((name) => name.endsWith('*') || !prefixes.some((prefix) => asciiLower(name).startsWith(prefix)))
    .map((name) => (name.endsWith('*') ? `${name.slice(0, -1)}(${TOKEN})?` : name));
  return `(${parts.join('|')})`;
}

/** How the lines of one hook are read, of a message that has passed SHAPE. */
class Lines {
  /** Up to what ends it: the line, a parameter (each is looked at) and, where nothing may be embedded, `?`. */
  readonly #stretch: string;
  readonly #params: string;
  readonly #first: string;

  /** `more`: names of further parameters that stand in none of them. */
  constructor(rows: readonly RowAction[], more: readonly string[] = []) {
    const gone = (kind: RuleKind): readonly BoundaryRule[] =>
      rows.filter(({ rule, action }) => rule.kind === kind && action === 'remove').map(({ rule }) => rule);
    const stops = `;\r\n${gone('uri-headers').length > 0 ? '?' : ''}`;
    const names = [...gone('uri-param').map(({ name }) => name), ...more];
    // An escaped semicolon starts a parameter for whoever decodes a user part before looking into it.
    const text = (more: string): string =>
      names.length === 0 ? `([^${stops}]${more})*` : withoutEscapedSemicolon(stops, more);
    this.#stretch = text(`|${FOLD}`);
    this.#first = `[^${stops}%]${text('')}`;
    // What ends where one of the names has only begun must end there.
    const param =
      names.length === 0
        ? ''
        : `${BLANKS}${otherThan(names, ` \t${stops}`, `(([ \t]|${FOLD})${this.#stretch})?`, withoutEscapedSemicolon(` \t${stops}`, ''))}`;
    this.#params = names.length === 0 ? `(;${this.#stretch})*` : `(;${param})*`;
  }

  get startLine(): string {
    return `${this.#first}${this.#params}${END}`;
  }

  /** A Request-URI that needs no look. */
  get uri(): string {
    return `${this.#first}${this.#params}`;
  }

  /** A value that needs no look. */
  get value(): string {
    return `${this.#stretch}${this.#params}`;
  }
}

function line(name: string, value: string): string {
  return `${name}${COLON}${value}${END}`;
}

const FOLD = '\r\n[ \t]';
/** A value that goes with its field. */
const ANY_VALUE = `([^\r\n]|${FOLD})*`;

export interface Patterns {
  /** The list of the profile settles the message. */
  readonly plain: string;
  /** The strictest list makes the message safe, though nobody was asked. */
  readonly safe: string;
}

/** One of these, or a list of them. */
function listOf(values: readonly string[]): string {
  const value = `${BLANKS}(${values.join('|')})${BLANKS}`;
  return `${value}(,${value})*`;
}

/** Option tags and values that no row of the table speaks of, where others are looked into. */
export const PLAIN_VALUES: ReadonlyMap<string, readonly string[]> = new Map([
  ['require', ['100rel', '199', 'precondition', 'replaces', 'timer']],
  ['proxy-require', ['100rel', 'timer']],
  ['priority', ['emergency', 'urgent', 'normal', 'non-urgent']],
]);

/** The parameters of a field that may hold these alone. */
function onlyParams(names: readonly string[]): string {
  const param = `(${names.join('|')})${BLANKS}(=[^;,\r\n]*)?`;
  return `${BLANKS}${param}([;,]${BLANKS}${param})*`;
}

/** Parameters of Digest (RFC 7616 §3.3, §3.4, §3.5) that no row of the table speaks of. */
export const DIGEST_PARAMS: readonly string[] = [
  ...['username', 'realm', 'nonce', 'uri', 'response', 'algorithm', 'cnonce', 'opaque', 'qop', 'nc'],
  ...['domain', 'stale', 'charset', 'userhash'],
];
/** The fields of Digest, where readers agree on what is quoted: no backslash, and no parameter in a URI but these. */
const DIGEST_FIELDS: ReadonlySet<string> = new Set([
  ...['authorization', 'proxy-authorization', 'www-authenticate', 'proxy-authenticate'],
]);

/** Digest with these parameters alone. */
function digest(): string {
  const gap = `([ \t]|${FOLD})*`;
  const quoted = '"[] !#$&-:<->@-[^-~]*(;(transport|user)=[a-z0-9]+)*"';
  const param = `(${DIGEST_PARAMS.join('|')})${BLANKS}=${BLANKS}(${quoted}|[-a-z0-9._]+)`;
  return `${BLANKS}digest[ \t]${gap}${param}(${gap},${gap}${param})*${BLANKS}`;
}

/** Media types that no row of the table refuses: SDP, and what is no application. */
const PLAIN_TYPE = `${BLANKS}(application/sdp|(text|image|message|multipart)/[^;,\r\n]*)${BLANKS}(;[^?\r\n]*)?`;

/** Values of Privacy that the list carries out (RFC 3323 §4.2, RFC 3325 §9.3). */
const PLAIN_PRIVACY = `${BLANKS}(id|none)${BLANKS}`;
/** Without `critical`, which asks for a refusal where privacy cannot be given. */
const MILD_PRIVACY = `${BLANKS}(id|none|header|session|user|history)(${BLANKS};${BLANKS}(id|none|header|session|user|history))*${BLANKS}`;

/** Fields whose parameters stand behind semicolons, as everywhere in URIs. */
const SEMICOLON_FIELDS: ReadonlySet<string> = new Set([...URI_FIELDS, 'session-id']);

/** Fields whose name alone says that the plan has to see them, and the values that need no plan. */
interface Looks {
  /** By lower-case field name: the value that needs no plan; undefined: there is none. */
  readonly plain: ReadonlyMap<string, string | undefined>;
  /** The same where the strictest list is what is left to do. */
  readonly safe: ReadonlyMap<string, string | undefined>;
}

/** `goes`: is this field removed by the list? The strict list takes the others. */
function looks(hook: Hook, stance: Stance, goes: (key: string) => boolean): Looks {
  const rows = actionsAt(hook, stance);
  const plain = new Map<string, string | undefined>();
  const safe = new Map<string, string | undefined>();
  const removed = rows.filter(({ action }) => action === 'remove').map(({ rule }) => rule);
  for (const kind of ['value', 'option-tag', 'header-param'] as const) {
    const rules = removed.filter((rule) => rule.kind === kind && rule.bearing.length === 0);
    for (const key of new Set(rules.flatMap(({ within }) => within))) {
      // What a value may be for one kind does not settle it for the next.
      if (goes(key) || plain.has(key)) continue;
      const here = rules.filter(({ within }) => within.includes(key));
      if (kind === 'header-param') {
        const value = valueWithout(key, here, rows);
        plain.set(key, value);
        safe.set(key, value);
      } else {
        const values = PLAIN_VALUES.get(key);
        plain.set(key, values === undefined ? undefined : listOf(values));
      }
    }
  }
  for (const row of rows) {
    const { rule, action } = row;
    if (isForPlan(row)) plain.set(asciiLower(rule.name), undefined);
    if (rule.kind === 'body' && action === 'reject') plain.set('content-type', PLAIN_TYPE);
  }
  if (!stance.trusted && (hookDirection(hook) === 'out' || hook === 'request-in')) {
    plain.set('privacy', PLAIN_PRIVACY);
    safe.set('privacy', MILD_PRIVACY);
  }
  return { plain, safe };
}

/** The value of a field without the parameters that go; undefined: the plan alone can tell. */
function valueWithout(key: string, going: readonly BoundaryRule[], rows: readonly RowAction[]): string | undefined {
  if (SEMICOLON_FIELDS.has(key)) {
    const names = going.map(({ name }) => name);
    return new Lines(rows, names).value;
  }
  if (DIGEST_FIELDS.has(key)) return digest();
  const [only] = going;
  return going.length === 1 && only !== undefined && only.allBut.length > 0 ? onlyParams(only.allBut) : undefined;
}

function covers(names: readonly string[]): (key: string) => boolean {
  const lower = names.map(asciiLower);
  return (key) => lower.some((name) => (name.endsWith('*') ? key.startsWith(name.slice(0, -1)) : name === key));
}

function whole(lines: Lines, removed: readonly string[], special: ReadonlyMap<string, string | undefined>): string {
  const keys = [...special.keys()];
  const names = keys.flatMap(spellings);
  const gone = removed.filter((name) => !names.includes(asciiLower(name)));
  const ways = [
    ...(gone.length === 0 ? [] : [line(fieldAlternatives(gone), ANY_VALUE)]),
    line(otherThan(names, ': \t\r\n'), lines.value),
    ...[...special].flatMap(([key, value]) =>
      value === undefined ? [] : [line(`(${spellings(key).join('|')})`, value)],
    ),
  ];
  return `^${lines.startLine}(${ways.join('|')})+${END}`;
}

/**
 * The patterns of one hook towards one kind of peer. `remove`: what its list removes; `strict`: what the strictest one
 * does at this hook.
 */
export function wholeMessages(
  hook: Hook,
  stance: Stance,
  remove: readonly string[],
  strict: readonly string[],
): Patterns {
  const lines = new Lines(actionsAt(hook, stance));
  const { plain, safe } = looks(hook, stance, covers(remove));
  const goes = covers(strict);
  return {
    plain: whole(
      lines,
      remove.filter((name) => !name.endsWith('*') || !overlaps(name, plain)),
      plain,
    ),
    safe: whole(lines, strict, new Map([...safe].filter(([key]) => !goes(key) || key === 'privacy'))),
  };
}

/** A Request-URI that may leave as it is: that of a script does not stand in the message that was received. */
export function plainRequestUri(stance: Stance): string {
  return `^${new Lines(actionsAt('request-out', stance)).uri}$`;
}

/** Would the prefix cover a field that has to be looked at? */
function overlaps(prefix: string, special: ReadonlyMap<string, unknown>): boolean {
  return [...special.keys()].some((key) => key.startsWith(asciiLower(prefix.slice(0, -1))));
}

/** A character of a line that every reader ends alike; `but`: and none of these. */
function legible(but: string): string {
  return `([^${but}${CONTROLS}]|${LETTER})`;
}

/** The same where each bracket closes: a literal, or what is no name of a field. */
function closing(but: string): string {
  return `(${legible(`${but}[`)}|[[]([0-9a-f:.]*|[^]:${CONTROLS}]*)])`;
}

/** The rest of a line: a value, and continuation lines in which no reader finds a field or the end of the block (RFC 3261 §7.3.1). */
function folded(text: (but: string) => string, never = ''): string {
  const fold = `${END}[ \t]+(${text(` \t:${never}`)}${text(`:${never}`)}*|<(sips?|tel):${text(never)}*)`;
  return `${COLON}${text(never)}*(${fold})*${END}`;
}

const ADDRESSES = [...ADDRESS_FIELDS].flatMap(spellings);
const VIA = spellings('via');

/**
 * Lines that every reader cuts alike: what does not match is malformed. The others look at messages that have passed
 * this one.
 */
export const SHAPE = [
  `^${legible('')}+${END}(${otherThan([...ADDRESSES, ...VIA], ': \t\r\n', '', TOKEN_REST)}${folded(legible)}`,
  `(${ADDRESSES.join('|')})${folded(closing)}`,
  `(${VIA.join('|')})${folded(closing, '(')})+${END}`,
].join('|');
