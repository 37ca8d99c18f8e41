/**
 * One Perl-compatible expression a profile and direction that matches a message with nothing to do: every line of its
 * header block is well formed and keeps to the profile's rules. A match means clean and a failure, whatever its cause,
 * means "look closer": a matcher that gives up cannot fall open.
 *
 * Linear: every run is possessive, and `(*COMMIT)` ends the search at the first failure. Without regard to case.
 */

import { asciiLower, SINGLE_FIELDS, spellings } from '../grammar/index.js';
import { literal } from '../script/index.js';
import { type Bearing, type HookProfile, type Inside, type LineRules, URI_FIELDS } from '../table/index.js';
import { nameOf } from './name-tree.js';
import {
  BEYOND,
  BLANKS,
  CLOSING,
  COLON,
  END,
  heads,
  lettersBut,
  NAME,
  NAME_END,
  NOT,
  REMEMBERED,
  TOKEN,
  Values,
} from './values.js';

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
/** How nearly every message goes on behind Via and Max-Forwards, To in its place or last: one group is set for the four of them. */
const LEADING: readonly string[] = ['from', 'to', 'call-id', 'cseq'];
const LED = '6';
/** Groups that are set behind a URI that is asserted, and behind a telephone number. */
const ASSERTED = '7';
const NUMBER = '8';
/** The group that is set in an emergency call (RFC 5031), where a rule makes a difference between those and others. */
const EMERGENCY = 'e';
/** The group that is set in an answer, whose From is one of our own side. */
const ANSWER = 's';

/** Whether the lines that the list removes may stand in the message (it is clean once they are gone). */
export type Leniency = 'as it is' | 'once listed fields are gone';

/** What an expression is for. */
export interface Purpose {
  /** Whoever is outside may say nothing twice that stands once; our own side is not held to that. */
  readonly direction: 'in' | 'out';
  readonly leniency: Leniency;
}

/** The expression for a direction: requests by the first profile, responses by the second. */
export function cleanMessage(request: HookProfile, response: HookProfile, purpose: Purpose): string {
  const same = JSON.stringify(request) === JSON.stringify(response);
  const values = new Values(request, purpose.direction);
  const requests = new Lines(request, purpose, 'q', values).text;
  const differs = request.lines.bearing.length + request.removeUnlessEmergency.length > 0;
  const emergency = differs ? `(?>(?:(?=[^ \\r]++[ ]urn:service:sos(?:[.][^ @\\r]*+)?[ ])(?<${EMERGENCY}>))?)` : '';
  const start = '(?:\\r\\n)*+(?=[^ \\t\\r])';
  const [notStatus, answer] = request.screens ? ['(?!SIP/2)', `(?<${ANSWER}>)`] : ['', ''];
  const status = `SIP/2[.]0[ ]${values.text('')}${END}${answer}`;
  const blocks = same
    ? `${emergency}(?>${notStatus}[a-z]${values.plain}|${start}(?:${status}|${values.any}${END}))${requests}`
    : `${start}(?:${status}${new Lines(response, purpose, 'r', values).text}|(?!SIP/2)${emergency}(?>${values.plain}|${values.any}${END})${requests})`;
  const closing = purpose.direction === 'in' ? `(?<g>${CLOSING})` : '';
  return `(?J)(?(DEFINE)${values.words}${closing})(*COMMIT)\\A${blocks}${END}${REMEMBERED}`;
}

/** Lines of the fields that some rule speaks of. */
class Shapes {
  readonly #removed: readonly string[];

  readonly alternatives: string[] = [];
  /** By the name, what stands behind it in most lines. */
  readonly most = new Map<string, string>();

  constructor(removed: readonly string[]) {
    this.#removed = removed;
  }

  /** The first shape of a field counts; what the list removes needs none. */
  add(fields: readonly string[], value: string, most?: string): void {
    const own = fields.filter((field) => !this.most.has(field) && !this.#removed.includes(field));
    if (own.length === 0) return;
    const line = `${COLON}${value}${END}`;
    for (const name of own) this.most.set(name, most ?? line);
    this.alternatives.push(`${nameOf(own)}${line}`);
  }
}

/** The lines of a header block up to the empty line. Each alternative that is tried costs as much as ten letters. */
class Lines {
  readonly #profile: HookProfile;
  readonly #purpose: Purpose;
  readonly #prefix: string;
  readonly #values: Values;
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

  /** @param prefix of the groups that are set by it alone */
  constructor(profile: HookProfile, purpose: Purpose, prefix: string, values: Values) {
    this.#profile = profile;
    this.#purpose = purpose;
    this.#prefix = prefix;
    this.#values = values;

    const removed = [...profile.remove, ...profile.removeUnlessEmergency].map(asciiLower);
    const prefixes = removed.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
    this.#prefixes = prefixes;
    this.#exact = removed.filter((name) => !name.endsWith('*') && !prefixes.some((each) => name.startsWith(each)));
    // RFC 4475 §3.3.8, §3.3.9: a second one contradicts the first.
    this.#singles = purpose.direction === 'in' ? [...SINGLE_FIELDS].filter((field) => field !== 'content-length') : [];
    this.#judged = profile.lines.looked.map(asciiLower);
    this.#shapes = this.#shaped(removed);
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
      ...unlessEmergency.map((name) => `${name}${COLON}(?(<${EMERGENCY}>)${this.#looked([name])}|${text})${END}`),
    ];
  }

  #kept(): readonly string[] {
    const { kept } = this.#profile;
    return kept.length > 0 ? [`${nameOf(kept)}${COLON}${this.#values.any}${END}`] : [];
  }

  #single(field: string): string {
    const named = field === 'from' && this.#profile.screens ? `(?(<${ANSWER}>)|${NAMED})` : '';
    return `${nameOf(spellings(field))}${COLON}${this.#once(field)}${named}${this.#values.any}${END}`;
  }

  /** A line of a field of which nothing is said. */
  #other(): string {
    const others = nameOf(this.#treated.filter((name) => !this.#prefixes.includes(name)));
    return `(?!${[...this.#prefixes, `${others}${COLON}`].join('|')})${NAME}++${COLON}${this.#values.any}${END}`;
  }

  /** What the lines of single fields may hold. */
  #shaped(removed: readonly string[]): Shapes {
    const { lines, screens } = this.#profile;
    const shapes = new Shapes(removed);
    const inside = insides(lines);
    for (const each of lines.bearing) {
      const params = touching(lines.params, each.fields).flatMap(({ names }) => names);
      const value = `${bearsNone(each, this.#purpose.leniency)}${this.#looked(each.fields)}`;
      shapes.add(each.fields, value, this.#values.plainWithout(each.names, heads(params)));
    }
    for (const { fields } of inside) shapes.add(fields, this.#looked(fields), onlyNames(inside, fields));
    if (lines.bodies.length > 0) {
      const subtypes = lines.bodies.map((name) => name.slice(name.indexOf('/') + 1));
      const whole = lines.parts && this.#purpose.leniency === 'as it is';
      const types = [...lines.bodies, ...(whole ? ['multipart/*'] : [])];
      const other = `:[ ]${whole ? '(?!m)' : ''}[a-z]++/[${lettersBut(heads(subtypes))}]${this.#values.plain}`;
      const none = `${BLANKS}(?!${types.map(mediaType).join('|')})${this.#values.any}`;
      shapes.add(spellings('content-type'), none, other);
    }
    if (lines.privacy === 'listed') shapes.add(['privacy'], `${BLANKS}(?:id|none)${BLANKS}`);
    if (lines.privacy === 'not-critical')
      shapes.add(['privacy'], words([{ fields: [], names: ['critical'], allBut: false }]));
    if (screens) shapes.add(['p-asserted-identity'], ...this.#assertion());
    // Who starts no services of our users by ;orig starts none by a Route, either.
    if (this.#purpose.direction === 'in' && lines.uriParams.includes('orig'))
      shapes.add(['route'], ...this.#values.route());
    if (this.#purpose.direction === 'in') {
      const mark = markOf('content-length');
      const last = `:[ ]*+[0-9]{1,9}+${END}${this.#unset(mark)}(?:${END}(*ACCEPT)|${this.#set(mark)})`;
      shapes.add(spellings('content-length'), `${this.#once('content-length')}${BLANKS}[0-9]{1,9}+${BLANKS}`, last);
    }
    return shapes;
  }

  /** What the line of a field may hold, by the rules on what stands in it. */
  #looked(fields: readonly string[]): string {
    const { lines } = this.#profile;
    const uris = fields.some((field) => URI_FIELDS.has(field));
    const params = uris ? touching(lines.params, fields) : [];
    const others = touching(insides(lines), fields).filter((each) => !params.includes(each));
    const value = others.length === 0 ? this.#values.any : words(others);
    // A URI beside the value is looked at like any other.
    return `${hasNone(params)}${uris && others.length > 0 ? `(?=${this.#values.any}${END})` : ''}${value}`;
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
    const once = (mark: string): string => (this.#singles.length === 0 ? '' : this.#set(mark));
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
      if (this.#singles.includes(name)) return [`${name}:${this.#once(name)}${this.#value(name)}`];
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

  /** In a line that stands once: a group that is set from here on, and a condition that fails once it is. */
  #once(field: string): string {
    const mark = markOf(field);
    return `${LEADING.includes(field) ? this.#unset(LED) : ''}${this.#unset(mark)}${this.#set(mark)}`;
  }

  #set(mark: string): string {
    return `(?<${this.#prefix}${mark}>)`;
  }

  #unset(mark: string): string {
    return `(?(<${this.#prefix}${mark}>)(?!))`;
  }

  /**
   * One plain SIP URI, one plain telephone number, or the one and then the other (RFC 3325 §9.1): so the first value names
   * the domain that is asserted, and the script has one to look at. Then how most lines go on.
   */
  #assertion(): readonly [string, string] {
    const name = `(?:"${this.#values.text('"\\\\,;<>@:')}"|[-A-Za-z0-9 .]*+)${BLANKS}`;
    const uri = '<sips?:[-+A-Za-z0-9._]++@[-A-Za-z0-9.]++(?:;user=phone)?>';
    const tel = `${name}<tel:[+][0-9]++>${this.#set(NUMBER)}`;
    const neither = `${this.#unset(ASSERTED)}${this.#unset(NUMBER)}`;
    const sip = `${neither}${name}${uri}${this.#set(ASSERTED)}(?:${BLANKS},${BLANKS}${tel})?`;
    return [
      `${BLANKS}(?:${sip}|${this.#unset(NUMBER)}${tel})${BLANKS}`,
      `:[ ](?:"[-A-Za-z0-9 .]*+"[ ]|)${uri}${END}${neither}${this.#set(ASSERTED)}`,
    ];
  }
}

const QUOTED = '"(?:[^"\\\\\\r]++|\\\\[^\\r])*+"';
const BRACKETED = `${BLANKS}(?:${QUOTED}${BLANKS}|[^":;<\\r]*+)<[^<>\\r]*+>(?:[^<"\\r]++|${QUOTED})*+`;
const BARE = '[^<@;?\\r]*+(?:@[^<@;?\\r]*+)?+(?:;[^<@?\\r]*+)?+';
/** The rest of a line in which every reader finds one and the same URI: whom a partner calls himself is held against his domains. */
const NAMED = `(?=(?:${BRACKETED}|${BARE})\\r)`;

/** Of one character: the groups are broken into lines between two of them. */
function markOf(single: string): string {
  return String([...SINGLE_FIELDS].indexOf(single));
}

/** A value none of whose words is a forbidden name; a word starts behind a blank, a separator or a quote, and holds neither an escape nor
 * a byte that one reader or another takes for a blank. */
function words(rules: readonly Inside[]): string {
  const wide = rules.find(({ allBut }) => allBut);
  if (wide !== undefined) {
    const name = nameOf(wide.names);
    const value = `${BLANKS}(?:=${BLANKS}(?:"[^"\\\\${BEYOND}]*+"|[^;,"${BEYOND}]*+))?+`;
    const plain = `(?:${name}=[^;,"${BEYOND}]*+[;,]*+${BLANKS})*+`;
    return `${BLANKS}${plain}(?:[ \\t;,]*+${name}${NAME_END}${value})*+[ \\t;,]*+`;
  }
  const names = rules.flatMap((rule) => rule.names);
  return `(?:[;,=" <>\\t]*+(?!${nameOf(names)}${NAME_END})[^;,=" <>\\\\${BEYOND}]++)*+[;,=" <>\\t]*+`;
}

/**
 * The rest of a line in which no parameter, behind an escaped semicolon neither, has one of these names, escaped neither; nor what
 * stands in the place of a URI.
 */
function hasNone(rules: readonly Inside[]): string {
  if (rules.length === 0) return '';
  const names = nameOf(rules.flatMap((rule) => rule.names));
  const other = `(?![ \\t<]*+(?:%|${names}(?![${TOKEN.replace('%', '')}])))`;
  const text = '[^,;%\\r]*+';
  return `(?=${other}${text}(?:(?:(?:[,;]|%3b)${other}|%(?!3b))${text})*+\\r)`;
}

/** How most lines of these fields go on where none but certain names may stand: the first of them, and then others. */
function onlyNames(rules: readonly Inside[], fields: readonly string[]): string | undefined {
  const wide = rules.find((each) => each.allBut && each.fields.some((field) => fields.includes(field)));
  const [first] = wide?.names ?? [];
  if (wide === undefined || first === undefined) return undefined;
  const value = `=[^;,"${BEYOND}]*+`;
  return `:[ ]${literal(first)}${value}(?:;${nameOf(wide.names)}${value})*+${END}`;
}

/** All rules on what stands in the values of single fields. */
function insides({ params, values, optionTags }: LineRules): readonly Inside[] {
  return [...params, ...values, ...optionTags];
}

function touching(rules: readonly Inside[], fields: readonly string[]): readonly Inside[] {
  return rules.filter((each) => each.fields.some((field) => fields.includes(field)));
}

/** The rest of a line that names none of these, but in an emergency call, or where the list takes them out (bearingParam). */
function bearsNone({ param, names, listed }: Bearing, leniency: Leniency): string {
  const begin = heads(names).join('');
  const once = listed && leniency === 'once listed fields are gone';
  const text = `[^\\r${once ? ';' : ''}${begin}]*+`;
  const goes = `;${BLANKS}${literal(param)}${BLANKS}=${BLANKS}"[^"\\\\\\r]*+"|;`;
  const other = `(?:(?!${nameOf(names)})[${begin}]${once ? `|${goes}` : ''})`;
  return `(?(<${EMERGENCY}>)|(?=${text}(?:${other}${text})*+\\r))`;
}

/** A media type, where `*` stands for any rest of it; blanks may stand around the slash (RFC 3261 §25.1). */
function mediaType(name: string): string {
  return literal(name.replace('*', '')).replace('/', `${BLANKS}/${BLANKS}`);
}
