/**
 * One Perl-compatible expression a profile and direction that matches a message with nothing to do: every line of its
 * header block is well formed and keeps to the profile's rules. A match means clean and a failure, whatever its cause,
 * means "look closer": a matcher that gives up cannot fall open.
 *
 * Linear: every run is possessive, and `(*COMMIT)` ends the search at the first failure. Without regard to case.
 */

import { asciiLower } from './ascii.js';
import { SINGLE_FIELDS, spellings } from './field-names.js';
import { nameOf } from './name-tree.js';
import type { HookProfile, Inside } from './profiles.js';

const BLANKS = '[ \\t]*+';
const COLON = `${BLANKS}:`;
const TOKEN = "-A-Za-z0-9.!%*_+`'~";
/** Characters of a token without the percent sign, the hyphen first. */
const WORD_CHARS = [..."-abcdefghijklmnopqrstuvwxyz0123456789.!*_+`'~"];
/** Fields that nearly every message bears, beside those that stand once: found first where no rule is about them. */
const FREQUENT = [
  'contact',
  'supported',
  'session-expires',
  'server',
  'route',
  'record-route',
  'allow',
  'p-charging-vector',
  'min-se',
  'accept',
];
/** A parameter name has ended. */
const NAME_END = `(?![${TOKEN}])`;
const END = '\\r\\n';
/** What no line holds anywhere. */
const NOT = '\\r\\n\\x00';

/** Whether the lines that the list removes may stand in the message (it is clean once they are gone). */
export type Leniency = 'as it is' | 'once listed fields are gone';

/** The expression for a direction: requests by the first profile, responses by the second. */
export function cleanMessage(request: HookProfile, response: HookProfile, leniency: Leniency): string {
  const same = JSON.stringify(request) === JSON.stringify(response);
  const values = new Values(request);
  const requests = new Lines(request, leniency, 'q', values).text;
  const blocks = same
    ? `(?:SIP/2[.]0[ ][^${NOT}]*+|${values.any})${END}${requests}`
    : `(?:SIP/2[.]0[ ][^${NOT}]*+${END}${new Lines(response, leniency, 'r', values).text}|(?!SIP/2)${values.any}${END}${requests})`;
  return `${values.words}(*COMMIT)\\A(?:\\r\\n)*+(?=[^ \\t\\r])${blocks}${END}`;
}

/**
 * Any message whose header block every reader reads alike: lines of token, colon, text, CRLF up to the empty line, and one
 * length at most. No NUL, which RFC 4475 §3.1.1.2 has in quoted text: the answer that mirrors it is read by nobody.
 */
export function wellFormedMessage(): string {
  const length = `(?:content-length|l)${COLON}(?(<l>)(?!))(?<l>)${BLANKS}[0-9]{1,9}+${BLANKS}`;
  const other = `(?!(?:content-length|l)${COLON})[${TOKEN}]++${COLON}[^${NOT}]*+`;
  return `(*COMMIT)\\A(?:\\r\\n)*+(?=[^ \\t\\r])[^${NOT}]++${END}(?:(?:${other}|${length})${END})++${END}`;
}

/** A message whose header block has more rows than that: found before anything has read them all. */
export function manyRows(most: number): string {
  return `(*COMMIT)\\A(?:\\r\\n)*+[^\\r\\n]++${END}(?:[^\\r\\n]++${END}){${most + 1}}`;
}

/** What may stand in values: no forbidden parameter, plain or escaped, and no header field that a URI embeds. */
class Values {
  /** Definitions that the other expressions call. */
  readonly words: string;
  readonly any: string;
  /** A value that embeds what alone may be embedded in Refer-To: the dialog to be replaced (RFC 3891); undefined: any may. */
  readonly replaces: string | undefined;

  constructor({ lines: { uriParams, barren } }: HookProfile) {
    if (uriParams.length === 0 && !barren) {
      this.words = '';
      this.any = `[^${NOT}]*+`;
      return;
    }
    // RFC 3261 §19.1.4: an escaped parameter name is the same name.
    const param =
      uriParams.length === 0
        ? ';'
        : `;(?:[${WORD_CHARS.filter((char) => !heads(uriParams).includes(char)).join('')}]|${BLANKS}(?!${nameOf(uriParams, '')}${NAME_END}))[${TOKEN.replace('%', '')}]*+(?!%)`;
    const plain = `[^${NOT};${barren ? '?' : ''}]*+(?:${param}[^${NOT};${barren ? '?' : ''}]*+)*+`;
    // A question mark that stands behind no scheme is text. What follows a scheme, up to an angle bracket, holds none.
    const scheme = '(?:sips?|tel):';
    const uri = `${scheme}[^${NOT};<>?]*+(?:(?&p)[^${NOT};<>?]*+)*+(?=[<>\\r])`;
    const text = `(?:[^${NOT};?st]++|[?]++|(?&p)|${uri}|(?!${scheme})[st])*+`;
    this.words = barren ? `(?(DEFINE)(?<p>${param})(?<t>${text}))` : '';
    this.any = barren ? `(?:${plain}(?=\\r)|(?&t))` : plain;
    if (!barren) return;
    const name = `${BLANKS}(?:"[^"\\\\${NOT}]*+"|[^${NOT}";?<]*+)${BLANKS}`;
    const target = `sips?:[^${NOT};<>?]*+(?:(?&p)[^${NOT};<>?]*+)*+[?]replaces=[${TOKEN}@()]*+`;
    this.replaces = `${name}<${target}>(?:(?&p)[^${NOT};?]*+)*+`;
  }
}

/** The lines of a header block up to the empty line. */
class Lines {
  readonly text: string;
  /** Named groups so far: one that is set has had its line. */
  #seen = 0;

  constructor(
    profile: HookProfile,
    leniency: Leniency,
    private readonly prefix: string,
    { any, replaces }: Values,
  ) {
    const { remove, removeUnlessEmergency, lines, screens } = profile;
    const removed = [...remove, ...removeUnlessEmergency].map(asciiLower);
    const prefixes = removed.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
    const exact = removed.filter((name) => !name.endsWith('*') && !prefixes.some((each) => name.startsWith(each)));
    const special: string[] = [];
    const shapes: string[] = [];
    const shape = (fields: readonly string[], value: string): void => {
      const own = fields.filter((field) => !special.includes(field) && !removed.includes(field));
      if (own.length === 0) return;
      special.push(...own);
      shapes.push(`${nameOf(own, '')}${COLON}${value}`);
    };
    const inside = [...lines.params, ...lines.values, ...lines.optionTags];
    for (const { fields } of inside) {
      shape(fields, words(inside.filter((each) => each.fields.some((field) => fields.includes(field)))));
    }
    if (lines.bodies.length > 0) {
      shape(spellings('content-type'), `${BLANKS}(?!${lines.bodies.map(mediaType).join('|')})${any}`);
    }
    if (lines.privacy === 'listed') shape(['privacy'], `${BLANKS}(?:id|none)${BLANKS}`);
    if (lines.privacy === 'not-critical')
      shape(['privacy'], words([{ fields: [], names: ['critical'], allBut: false }]));
    if (screens) shape(['p-asserted-identity'], this.#assertion());
    shape(spellings('content-length'), `${this.#once()}${BLANKS}[0-9]{1,9}+${BLANKS}`);
    // RFC 4475 §3.3.8, §3.3.9: a second one contradicts the first.
    const single = [...SINGLE_FIELDS].filter((field) => field !== 'content-length');
    const looked = lines.looked.map(asciiLower);
    const others = nameOf([...special, ...looked, ...exact, ...single.flatMap(spellings)], '');
    const general = `(?!${[...prefixes, `${others}${COLON}`].join('|')})[${TOKEN}]++${COLON}`;
    // What nearly every message bears is found by its first letter, before anything is looked for in tables.
    const treated = [...special, ...looked, ...exact, ...prefixes, ...single.flatMap(spellings)];
    const free = ordinary(treated, prefixes);
    const known = this.#known(
      single,
      FREQUENT.filter((name) => !treated.includes(name) && !prefixes.some((each) => name.startsWith(each))),
    );
    // What only a plan can judge is not settled by going.
    const but = looked.length === 0 ? '' : `(?!${nameOf(looked, '')}${COLON})`;
    const listed = [
      ...prefixes.map((name) => `${but}${name}[${TOKEN}]*+${COLON}[^${NOT}]*+`),
      ...(exact.length === 0 ? [] : [`${but}${nameOf(exact, '')}${COLON}[^${NOT}]*+`]),
    ];
    const all = [
      `(?:${[free, ...known].join('|')})${any}`,
      ...shapes,
      ...(leniency === 'as it is' ? [] : listed),
      `${general}${any}`,
      ...(replaces === undefined ? [] : [`${nameOf(spellings('refer-to'), '')}${COLON}${replaces}`]),
    ];
    this.text = `(?:(?:${all.join('|')})${END})++`;
  }

  /** Names and colons of fields that stand once, and of these others, by their first letters. */
  #known(single: readonly string[], others: readonly string[]): readonly string[] {
    const names = [
      ...others.map((name) => ({ name, end: COLON })),
      ...single.flatMap((field) => {
        const end = `${COLON}${this.#once()}`;
        const [first = '', ...rest] = spellings(field);
        // A mark has one place: spellings with one first letter share it, others share a row of their own.
        return rest.length === 0 ? [{ name: first, end }] : [{ name: nameOf([first, ...rest], ''), end }];
      }),
    ];
    const rows = new Map<string, { name: string; end: string }[]>();
    for (const each of names) {
      const head = /^[a-z]/.exec(each.name)?.[0] ?? each.name;
      rows.set(head, [...(rows.get(head) ?? []), each]);
    }
    return [...rows].map(([head, row]) => {
      if (row.length === 1) return row.map(({ name, end }) => name + end).join('');
      return `${head}(?:${row.map(({ name, end }) => name.slice(head.length) + end).join('|')})`;
    });
  }

  /** A group that is set from here on, and a condition that fails once it is. */
  #mark(): { readonly set: string; readonly unset: string } {
    const name = `${this.prefix}${++this.#seen}`;
    return { set: `(?<${name}>)`, unset: `(?(<${name}>)(?!))` };
  }

  /** In a line that stands once. */
  #once(): string {
    const { set, unset } = this.#mark();
    return unset + set;
  }

  /**
   * One plain SIP URI, one plain telephone number, or the one and then the other (RFC 3325 §9.1): so the first value names
   * the domain that is asserted, and the script has one to look at.
   */
  #assertion(): string {
    const name = `(?:"[^"\\,;<>@:${NOT}]*+"|[-A-Za-z0-9 .]*+)${BLANKS}`;
    const sip = `${name}<sips?:[-+A-Za-z0-9._]++@[-A-Za-z0-9.]++(?:;user=phone)?>`;
    const tel = `${name}<tel:[+][0-9]++>`;
    const [first, second, both] = [this.#mark(), this.#mark(), this.#mark()];
    const neither = `${first.unset}${second.unset}${both.unset}`;
    const number = `${second.unset}${both.unset}${tel}${second.set}`;
    return `${BLANKS}(?:${neither}${sip}${first.set}(?:${BLANKS},${BLANKS}${tel}${both.set})?|${number})${BLANKS}`;
  }
}

/** First characters of names, each once. */
function heads(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => asciiLower(name).charAt(0)))];
}

/** Any name, and its colon, that starts as none of these do. */
function ordinary(names: readonly string[], prefixes: readonly string[]): string {
  const taken = heads([...names, ...prefixes]);
  return `[${WORD_CHARS.filter((char) => !taken.includes(char)).join('')}][${TOKEN}]*+${COLON}`;
}

/** A value none of whose words is a forbidden name; a word starts behind a blank, a separator or a quote. */
function words(rules: readonly Inside[]): string {
  const wide = rules.find(({ allBut }) => allBut);
  if (wide !== undefined) {
    const value = `${BLANKS}(?:=${BLANKS}(?:"[^"\\\\${NOT}]*+"|[^;,"${NOT}]*+))?+`;
    return `(?:[ \\t;,]*+${nameOf(wide.names, '')}${NAME_END}${value})*+[ \\t;,]*+`;
  }
  const names = rules.flatMap((rule) => rule.names);
  return `(?:[;,=" \\t]++|(?!${nameOf(names, '')}${NAME_END})[^;,=" \\t${NOT}]++)*+`;
}

/** A media type, where `*` stands for any rest of it; blanks may stand around the slash (RFC 3261 §25.1). */
function mediaType(name: string): string {
  return name
    .replace('*', '')
    .replace(/[.+]/g, (char) => `[${char}]`)
    .replace('/', `${BLANKS}/${BLANKS}`);
}
