/** A header block line by line: those that most messages have first, then by field, then the others. */

import { asciiLower, SINGLE_FIELDS, spellings } from '../grammar/index.js';
import { type HookProfile, URI_FIELDS } from '../table/index.js';
import { ANSWER, EMERGENCY, LEADING, LED, type Marks, markOf } from './marks.js';
import { nameOf } from './name-tree.js';
import type { Purpose } from './purpose.js';
import { bearsNone, NAMED } from './rests.js';
import { Shapes } from './shapes.js';
import { COLON, END, heads, lettersBut, NAME, NOT, TOKEN, type Values } from './values.js';

/** Fields that many messages bear, by their first letter, and for each letter the most frequent first. */
const FREQUENT: readonly string[] = [
  ...[
    'content-length',
    'content-type',
    'cseq',
    'call-id',
    'contact',
    'route',
    'record-route',
    'require',
    'referred-by',
  ],
  ...['supported', 'session-expires', 'server', 'allow', 'accept'],
  ...['p-asserted-identity', 'p-charging-vector', 'max-forwards', 'from', 'to', 'via'],
];
/** Others of them, whose parameters are looked at, and are no URI's. */
const WIDE: readonly string[] = ['content-disposition', 'reason', 'allow-events', 'p-early-media'];
/** Those that name services of IMS. */
const ESCAPED: readonly string[] = [
  ...['contact', 'accept-contact', 'feature-caps', 'p-asserted-service', 'p-preferred-service'],
];
/** Behind Content-Length, which most messages end with. (Perl ends the loop alone.) */
const LAST = `(?:${END}(*ACCEPT))?`;
/** Letters with which many names begin, the most frequent first. */
const LETTERS = 'crsapmftv';

/** The lines of a header block up to the empty line. Each alternative that is tried costs as much as ten letters. */
export class Lines {
  readonly #profile: HookProfile;
  readonly #purpose: Purpose;
  readonly #values: Values;
  readonly #marks: Marks;
  /** Names that the list removes, in lower case: how some begin, and whole ones that begin otherwise. */
  readonly #prefixes: readonly string[];
  readonly #exact: readonly string[];
  /** Fields that stand once, but Content-Length. */
  readonly #singles: readonly string[];
  /** Fields that only a plan can judge. */
  readonly #judged: readonly string[];
  readonly #shapes: Shapes;
  /** Names, and beginnings of names, of which anything is said. */
  readonly #treated: readonly string[];

  constructor(profile: HookProfile, purpose: Purpose, values: Values, marks: Marks) {
    this.#profile = profile;
    this.#purpose = purpose;
    this.#marks = marks;
    this.#values = values;

    const removed = [...profile.remove, ...profile.removeUnlessEmergency].map(asciiLower);
    const prefixes = removed.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
    this.#prefixes = prefixes;
    this.#exact = removed.filter((name) => !name.endsWith('*') && !prefixes.some((each) => name.startsWith(each)));
    // RFC 4475 §3.3.8, §3.3.9: a second one contradicts the first.
    this.#singles = purpose.direction === 'in' ? [...SINGLE_FIELDS].filter((field) => field !== 'content-length') : [];
    this.#judged = profile.lines.looked.map(asciiLower);
    this.#shapes = new Shapes(profile, purpose, values, marks, removed);
    const named = [...this.#judged, ...this.#exact, ...prefixes, ...this.#singles.flatMap(spellings)];
    this.#treated = [...this.#shapes.most.keys(), ...named];
  }

  get text(): string {
    const listed = this.#listed;
    const quick = [...(listed ? this.#prefixes.map((name) => this.#goingFrom(name)) : []), ...this.#quick()];
    // (Behind an alternative that matches, PCRE walks over those that are left.)
    const all = [
      ...(listed ? [] : this.#escaped()),
      ...(listed ? this.#going() : []),
      ...this.#shapes.alternatives,
      ...this.#kept(),
      ...this.#singles.map((field) => this.#single(field)),
      this.#other(),
      ...this.#replacing(),
    ];
    const closing = this.#purpose.direction === 'in' ? '(?&g)' : '';
    return `${this.#leading()}(?:${[...quick, `${closing}(?:${all.join('|')})`].join('|')})++`;
  }

  /** Of a message that loses fields little more is won, and the module is told of no longer expressions (group_max_size). */
  get #listed(): boolean {
    return this.#purpose.leniency === 'once listed fields are gone';
  }

  /** What only a plan can judge is not settled by going. */
  get #butJudged(): string {
    return this.#judged.length === 0 ? '' : `(?!${nameOf(this.#judged)}${COLON})`;
  }

  /** Lines that the list removes for how their names begin. */
  #goingFrom(name: string): string {
    const but = this.#judged.some((each) => each.startsWith(name)) ? this.#butJudged : '';
    return `${but}${name}[${TOKEN}]*+${COLON}[^${NOT}]*+${END}`;
  }

  /** The others that it removes. */
  #going(): readonly string[] {
    const unlessEmergency = this.#profile.removeUnlessEmergency.map(asciiLower);
    const always = this.#exact.filter((name) => !unlessEmergency.includes(name));
    const text = `[^${NOT}]*+`;
    return [
      ...(always.length > 0 ? [`${this.#butJudged}${nameOf(always)}${COLON}${text}${END}`] : []),
      ...unlessEmergency.map(
        (name) => `${name}${COLON}(?(<${EMERGENCY}>)${this.#shapes.looked([name])}|${text})${END}`,
      ),
    ];
  }

  #kept(): readonly string[] {
    const { kept } = this.#profile;
    return kept.length > 0 ? [`${nameOf(kept)}${COLON}${this.#values.any}${END}`] : [];
  }

  #single(field: string): string {
    const named = field === 'from' && this.#profile.screens ? `(?(<${ANSWER}>)|${NAMED})` : '';
    return `${nameOf(spellings(field))}${COLON}${this.#marks.once(field)}${named}${this.#values.any}${END}`;
  }

  /** A line of a field of which nothing is said. */
  #other(): string {
    const others = nameOf(this.#treated.filter((name) => !this.#prefixes.includes(name)));
    return `(?!${[...this.#prefixes, `${others}${COLON}`].join('|')})${NAME}++${COLON}${this.#values.any}${END}`;
  }

  /** A Refer-To that embeds the dialog to be replaced, and bears no name either. */
  #replacing(): readonly string[] {
    const { replaces } = this.#values;
    if (replaces === undefined) return [];
    const bearing = this.#profile.lines.bearing.filter(({ fields }) => fields.includes('refer-to'));
    const none = bearing.map((each) => bearsNone(each, this.#purpose.leniency)).join('');
    return [`${nameOf(spellings('refer-to'))}${COLON}${none}${replaces}${END}`];
  }

  /**
   * Most lines of most messages, told by the first letters of their names, and the empty line. What they do not match is
   * left to the alternatives behind them.
   */
  #quick(): readonly string[] {
    const treated = this.#treated;
    // (A Via is read for its brackets, however its name is written.)
    const begun = [...heads(treated), 'v'];
    const frequent = [...FREQUENT, ...(this.#listed ? [] : WIDE)];
    // By the first letter, since each alternative that is tried costs.
    const groups = [...LETTERS]
      .filter((letter) => begun.includes(letter))
      .flatMap((letter) => {
        const ways = this.#most(...frequent.filter((name) => name.startsWith(letter))).map((text) => text.slice(1));
        // A second letter with which no treated name goes on.
        const seconds = treated.filter((name) => name.startsWith(letter)).map((name) => name.charAt(1));
        if (letter !== 'v' && !seconds.includes('')) ways.push(`[${lettersBut(seconds)}]${this.#values.rest}`);
        return ways.length === 0 ? [] : [`${letter}(?:${ways.join('|')})`];
      });
    return [
      `[${lettersBut(begun)}]${NAME}*+:${this.#values.plain}`,
      ...groups,
      // The end of the matter (Perl ends the loop alone).
      `${END}(*ACCEPT)`,
    ];
  }

  /** Lines that hold no escape but colons. */
  #escaped(): readonly string[] {
    const names = ESCAPED.filter((name) => this.#free(name));
    const { escaped, simple } = this.#values;
    return names.length === 0 || escaped === simple ? [] : [`${nameOf(names)}:${escaped}`];
  }

  /** How most messages begin, in the order of RFC 3261. (No profile has a rule for any of these.) */
  #leading(): string {
    const exact = (...names: readonly string[]): string => names.map((name) => `${name}:${this.#value(name)}`).join('');
    const once = (mark: string): string => (this.#singles.length === 0 ? '' : this.#marks.set(mark));
    const [from = '', to = '', ...ids] = LEADING;
    const contact = this.#most('contact');
    // PJSIP has Contact in between.
    const between = this.#listed ? [] : contact.map((line) => exact(to) + line + exact(...ids));
    const led = `${exact(from)}(?:${[exact(to, ...ids), exact(...ids, to), ...between].join('|')})${once(LED)}`;
    const slots = [`${exact('max-forwards')}${once(markOf('max-forwards'))}`, led, ...contact];
    const path = [exact('via'), exact('record-route'), ...this.#most('route')];
    return `(?:${path.join('|')})*+(?>(?:${slots.join(')?(?:')})?)`;
  }

  /** Most lines of these fields, of each that has no other rule. */
  #most(...names: readonly string[]): readonly string[] {
    return names.flatMap((name) => {
      const shaped = this.#shapes.most.get(name);
      if (shaped !== undefined) return [`${name}${shaped}`];
      if (this.#singles.includes(name)) return [`${name}:${this.#marks.once(name)}${this.#value(name)}`];
      if (!this.#free(name)) return [];
      return [`${name}:${this.#value(name)}${name === 'content-length' ? LAST : ''}`];
    });
  }

  /** Is nothing said of this field? */
  #free(name: string): boolean {
    return !this.#treated.includes(name) && !this.#prefixes.some((each) => name.startsWith(each));
  }

  /** Most values of a field, up to the end of their line. */
  #value(name: string): string {
    const { plain, simple, named, hosts, wide } = this.#values;
    if (name === 'via' || name === 'record-route') return hosts;
    if (name === 'from' && this.#profile.screens) return named;
    if (WIDE.includes(name)) return wide;
    return URI_FIELDS.has(name) ? plain : simple;
  }
}
