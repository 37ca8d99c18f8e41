/**
 * The header profiles as Kamailio script: plugin/kamailio/siptrust-headers.cfg (what goes, and what the gate out lets
 * pass) and siptrust-groups.txt (messages with nothing to do, for the module regex).
 *
 * Everything in them is static, since Kamailio compiles a literal pattern once at start and a dynamic one at each call,
 * and since an empty dynamic pattern removes every header field.
 */

import { hash } from 'node:crypto';
import {
  BOUNDARY_RULES,
  HEADER_POLICY,
  type HookProfile,
  PROFILES,
  type Profile,
  type ProfileName,
} from '../table/index.js';
import { ANSWER_PATTERN } from './answer-line.js';
import {
  bearingParam,
  cleanMessage,
  type Leniency,
  manyParts,
  manyRows,
  partType,
  wellFormedMessage,
} from './clean-message.js';
import { isEmergencyCall } from './emergency.js';
import { BEARS_TO, bearsGluedName, bearsInRoute, bearsNoName, bearsNothing } from './last-bytes.js';
import { startOfOtherNameThan } from './name-tree.js';
import { NUMBERED, profileNumber } from './profile-numbers.js';

/** Groups of the regex module: for each of these the profiles in their order; the first of each row is no profile. */
const GROUPS: readonly { readonly direction: 'in' | 'out'; readonly leniency: Leniency }[] = [
  { direction: 'in', leniency: 'as it is' },
  { direction: 'in', leniency: 'once listed fields are gone' },
  { direction: 'out', leniency: 'as it is' },
  { direction: 'out', leniency: 'once listed fields are gone' },
];

/** Text between the double quotes of a Kamailio string. */
function quote(text: string): string {
  const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\r': '\\r', '\n': '\\n', '\t': '\\t' };
  return `"${text.replace(/[\\"\r\n\t]/g, (char) => escapes[char] ?? char)}"`;
}

/**
 * For keep_hf(): a name that is none of these. It asks for what stays, so that a matcher that gives up removes, and it does
 * not look at the fields that every message needs (From, Via, Contact and the like), of which no list has one.
 * @param kept names that stay, though a prefix among the others has them, too
 */
export function keptNames(names: readonly string[], kept: readonly string[] = []): string {
  const other = startOfOtherNameThan(names);
  return kept.length > 0 ? `^(${other}|(${kept.join('|')})$)` : `^${other}`;
}

function hooksOf({ hooks }: Profile, direction: 'in' | 'out'): { request: HookProfile; response: HookProfile } {
  return direction === 'in'
    ? { request: hooks['request-in'], response: hooks['response-in'] }
    : { request: hooks['request-out'], response: hooks['response-out'] };
}

function stripLines({ remove, kept, removeUnlessEmergency, lines: { bearing } }: HookProfile): readonly string[] {
  const unlessEmergency = [
    ...(removeUnlessEmergency.length > 0 ? [`keep_hf(${quote(keptNames(removeUnlessEmergency))});`] : []),
    ...bearing
      .filter(({ listed }) => listed)
      .map((each) => `subst_hf("${each.fields[0]}", ${quote(`/${bearingParam(each)}//gi`)}, "a");`),
  ];
  const lines = [`\tkeep_hf(${quote(keptNames(remove, kept))});`];
  if (unlessEmergency.length > 0) {
    lines.push(`\tif (!(${isEmergencyCall('$null')})) {`, ...unlessEmergency.map((line) => `\t\t${line}`), '\t}');
  }
  return lines;
}

/** Routes with what is done at a hook of a profile; what several of them do stands there once. */
class Bodies {
  readonly #routes = new Map<string, string>();

  call(hook: HookProfile): string {
    const text = stripLines(hook).join('\n');
    const route = this.#routes.get(text) ?? `SIPTRUST_STRIP_${this.#routes.size + 1}`;
    this.#routes.set(text, route);
    return `route(${route});`;
  }

  /** The routes that were called. */
  routes(): readonly string[] {
    return [...this.#routes].flatMap(([text, route]) => [`route[${route}] {`, text, '\treturn;', '}', '']);
  }
}

function stripRoute(direction: 'in' | 'out', bodies: Bodies): readonly string[] {
  const lines = [`route[SIPTRUST_STRIP_${direction.toUpperCase()}] {`, '\tswitch ($var(siptrust_p)) {'];
  const clause = (profile: Profile, label: string): void => {
    const { request, response } = hooksOf(profile, direction);
    const calls = [bodies.call(request), bodies.call(response)];
    lines.push(`\t\t# ${profile.about}`, `\t\t${label}:`);
    if (calls[0] === calls[1]) lines.push(`\t\t\t${calls[0]}`);
    else
      lines.push(
        '\t\t\tif (is_request() > 0) {',
        `\t\t\t\t${calls[0]}`,
        '\t\t\t} else {',
        `\t\t\t\t${calls[1]}`,
        '\t\t\t}',
      );
  };
  const [strictest, ...others] = NUMBERED;
  others.forEach(({ profile }, index) => {
    clause(profile, `case ${index + 2}`);
    lines.push('\t\t\tbreak;');
  });
  if (strictest !== undefined) clause(strictest.profile, 'default');
  return [...lines, '\t}', '\treturn;', '}', ''];
}

/** Profiles towards strangers: the strict one, and those of the other privacy modes, which let some identities out. */
const STRANGERS: readonly ProfileName[] = ['untrusted', 'untrusted-rfc3325', 'untrusted-ims24229'];

/** Between the number of a profile and what siptrust-pass.cfg calls its plans. */
const PLANNED = 3;
/** What siptrust-pass.cfg calls plans for requests lies between these two. */
const PLANS = [
  profileNumber('untrusted', false) + PLANNED - 1,
  profileNumber('untrusted-ims24229', false) + PLANNED + 1,
];

const HEAD = `# ${HEADER_POLICY}: generated by "siptrustctl headers --kamailio siptrust-headers.cfg" from the header table; do not edit.
#
# In: $var(siptrust_p), the number of a profile. route(SIPTRUST_STRIP_IN) and route(SIPTRUST_STRIP_OUT) remove what goes
# unseen on the way in and out. The rest are words for the other files:
`;

/** The text of siptrust-pass.cfg: does the gate out let this message pass? */
export function kamailioPass(): string {
  const lines = [
    `# ${HEADER_POLICY}: generated by "siptrustctl headers --kamailio siptrust-pass.cfg" from the header table; do not edit.`,
    '#',
    '# For siptrust-send.cfg. In: $var(siptrust_kind), 0 for a message that nobody has looked at, else the number of the',
    `# profile that it was cleaned by, ${PLANNED} more where a plan has done it; 10 more for a response, 20 more for an emergency`,
    '# call. $var(siptrust_pass) is 1 where the bytes to be sent bear nothing that this profile lets nobody see.',
    `if ($var(siptrust_kind) < 10 && $(snd(buf){line.sw,Route:}) != "" && $snd(buf) =~ ${quote(bearsInRoute(NUMBERED[0]?.profile.hooks['request-out'].lines.uriParams ?? []))}) {`,
    '\t# Nobody has looked at that: it is made of the Path that a registrar has kept, or of the Request-URI for a strict router.',
    '\t$var(siptrust_kind) = 0;',
    '}',
    `if ($var(siptrust_kind) > ${PLANS[0]} && $var(siptrust_kind) < ${PLANS[1]} && (!($snd(buf) =~ ${quote(BEARS_TO)}) || $snd(buf) =~ ${quote(bearsGluedName())})) {`,
    '\t# From, which the plan has written anew, is what the script has written over.',
    '\t$var(siptrust_kind) = -1;',
    '}',
    'switch ($var(siptrust_kind)) {',
  ];
  const check = (kinds: readonly number[], pattern: string): void => {
    lines.push(
      ...kinds.map((kind) => `\tcase ${kind}:`),
      `\t\tif ($snd(buf) =~ ${quote(pattern)}) {`,
      '\t\t\t$var(siptrust_pass) = 1;',
      '\t\t}',
      '\t\tbreak;',
    );
  };
  for (const { name, hooks } of PROFILES.filter((profile) => STRANGERS.includes(profile.name))) {
    const { 'request-out': request, 'response-out': response } = hooks;
    const kinds = [profileNumber(name, false)];
    if (name === 'untrusted') {
      check([0], bearsNothing(request, false));
      check([10], bearsNothing(response, true));
      // What those leave is held against the letter of TS 33.203.
      kinds.push(profileNumber('strict', false), profileNumber('ask', false));
    }
    const cleaned = (of: readonly number[], planned: boolean): void => {
      check(of, bearsNoName(request, planned, true));
      check(
        of.map((kind) => kind + 20),
        bearsNoName({ ...request, removeUnlessEmergency: [] }, planned, false),
      );
      check(
        of.map((kind) => kind + 10),
        bearsNoName(response, planned, false),
      );
    };
    cleaned(kinds, false);
    if (request.judged.length > 0) cleaned([profileNumber(name, false) + PLANNED], true);
  }
  lines.push('}');
  return `${lines.join('\n')}\n`;
}

/** The text of siptrust-headers.cfg. */
export function kamailioInclude(): string {
  const bodies = new Bodies();
  const strip = [...stripRoute('in', bodies), ...stripRoute('out', bodies)];
  // The script writes a group as two digits.
  const size = NUMBERED.length + 1;
  if (size !== 10) throw new Error(`expected 9 profiles, found ${NUMBERED.length}`);
  const defines = [
    ...NUMBERED.flatMap(({ word, profile }, index) => [
      `# ${profile.about}`,
      `#!define SIPTRUST_P_${word} ${index + 1}`,
    ]),
    '# Groups of siptrust-groups.txt are named by two digits, the second being the profile:',
    ...GROUPS.map(({ direction, leniency }, index) => `#   ${index}p  on the way ${direction}: clean ${leniency}`),
    `#!define SIPTRUST_G_WELL_FORMED "${GROUPS.length * size}"`,
    `#!define SIPTRUST_G_MANY "${GROUPS.length * size + 1}"`,
    `#!define SIPTRUST_G_PARTS "${GROUPS.length * size + 2}"`,
    '# An answer of siptrustd, whole (docs/rpc.md, "Lines").',
    `#!define SIPTRUST_ANSWER ${quote(ANSWER_PATTERN)}`,
  ];
  return [
    HEAD + defines.join('\n'),
    '',
    ...ownGroups(size),
    ...strip,
    ...bodies.routes(),
    ...nakedLines(),
    ...partLines(),
  ].join('\n');
}

/** A route for whom no plan cleans: private parameters where many bear them, and where a message is clean without them. */
function nakedLines(): readonly string[] {
  const [strictest] = NUMBERED;
  const naked = (hook: 'request-in' | 'request-out', fields: readonly string[], group: string) =>
    withoutParams(strictest?.profile.hooks[hook].lines.uriParams ?? [], fields, group);
  return [
    'route[SIPTRUST_STRIP_PARAMETERS] {',
    '\tif ($var(siptrust_direction) == "in") {',
    ...naked('request-in', ['From', 'To', 'Contact'], '1').map((line) => `\t${line}`),
    '\t} else {',
    ...naked('request-out', ['From', 'To'], '3').map((line) => `\t${line}`),
    '\t}',
    '\treturn -1;',
    '}',
    '',
  ];
}

/** These fields (and, on the way in, the Request-URI) without these parameters, if all is clean then by a group. */
function withoutParams(names: readonly string[], fields: readonly string[], group: string): readonly string[] {
  // No escapes: as the value of a variable a transformation is read as it stands. Of two that stand side by side, one look finds the first.
  const value = '-!#-+.-:=A-Z^-~';
  const form = `{re.subst,/;(${names.join('|')})(=[${value}]*)?([^${value}])/\\3/gi}`.repeat(2);
  const uri = fields.includes('Contact');
  return [
    `\t$var(siptrust_list) = $_s(${uri ? '$ru ' : ''}${fields.map((name) => `$hdr(${name}) `).join('')});`,
    `\t$var(siptrust_text) = $(var(siptrust_list)${form});`,
    '\t$var(siptrust_n) = $(var(siptrust_list){s.len}) - $(var(siptrust_text){s.len});',
    `\t$var(siptrust_text) = $(msg(fpart)${form});`,
    '\tif ($var(siptrust_n) > 0 && $(msg(fpart){s.len}) - $(var(siptrust_text){s.len}) == $var(siptrust_n)',
    `\t\t\t&& pcre_match_group("$var(siptrust_text)\\r\\n\\r\\n", "${group}$var(siptrust_p)") > 0) {`,
    ...fields.flatMap((name) => [
      `\t\t$var(siptrust_list) = $_s($hdr(${name}) );`,
      `\t\t$var(siptrust_text) = $(var(siptrust_list)${form});`,
      '\t\tif ($var(siptrust_text) != $var(siptrust_list)) {',
      `\t\t\tremove_hf("${name}");`,
      `\t\t\tappend_hf("${name}: $(var(siptrust_text){s.trim})\\r\\n");`,
      '\t\t}',
    ]),
    ...(uri
      ? [
          '\t\tif (is_request() > 0) {',
          '\t\t\t$var(siptrust_list) = $_s($ru );',
          `\t\t\t$ru = $(var(siptrust_list)${form}{s.trim});`,
          '\t\t}',
        ]
      : []),
    '\t\treturn 1;',
    '\t}',
  ];
}

/** Bodies that nobody may bring who is not trusted, as the whole or as a part of another. */
const REFUSED_BODIES = BOUNDARY_RULES.filter((rule) => rule.kind === 'body' && rule.in === 'reject').map(
  ({ name }) => name,
);

/** What Kamailio changes in a message at once; more of it would be more than linear work. */
const MOST_PARTS = 8;

/** A route that gives the parts of a body which nobody may bring a type that means nothing to anybody. */
function partLines(): readonly string[] {
  const strangers = NUMBERED.filter(({ trusted }) => !trusted).length;
  return [
    'route[SIPTRUST_STRIP_PARTS] {',
    `\tif ($var(siptrust_p) <= ${strangers} && is_request() > 0 && $(hdr(Content-Type)[*]) =~ "multipart") {`,
    '\t\tif (pcre_match_group("$mb", SIPTRUST_G_PARTS) > 0) {',
    '\t\t\t$var(siptrust_code) = 415;',
    '\t\t\t$var(siptrust_phrase) = "Unsupported Media Type";',
    '\t\t\troute(SIPTRUST_REFUSE);',
    '\t\t} else {',
    `\t\t\tsubst_body(${quote(`~${partType(REFUSED_BODIES)}~application/x-untrusted~gi`)});`,
    '\t\t}',
    '\t}',
    '}',
    '',
  ];
}

/** A route that looks whether the module regex has the groups of this table, in their order, and whether they do what they are for. */
function ownGroups(size: number): readonly string[] {
  const { digest } = groups();
  const checks = GROUPS.flatMap(({ direction, leniency }, row) => [
    matches(digest, `"${row * size}"`),
    ...NUMBERED.flatMap(({ profile }, index) => {
      const { request } = hooksOf(profile, direction);
      const name = request.remove.find((each) => !each.endsWith('*') && !request.judged.includes(each));
      if (request.always || name === undefined) return [];
      const number = `"${row * size + index + 1}"`;
      const own = matches(sample(name), number, leniency !== 'as it is');
      return direction === 'in' ? [own, matches(sample(...TWICE), number, false)] : [own];
    }),
  ]);
  checks.push(
    matches(sample('X'), 'SIPTRUST_G_WELL_FORMED'),
    matches(sample(...TWICE), 'SIPTRUST_G_WELL_FORMED', false),
    matches(sample('X'), 'SIPTRUST_G_MANY', false),
    matches(sample('X'), 'SIPTRUST_G_PARTS', false),
  );
  return [
    'route[SIPTRUST_GROUPS_ARE_OURS] {',
    `\tif (${checks.join('\n\t\t\t&& ')}) {`,
    '\t\t$shv(siptrust_groups) = 1;',
    '\t\treturn 1;',
    '\t}',
    '\t$shv(siptrust_groups) = 2;',
    '\treturn -1;',
    '}',
    '',
  ];
}

/** That a text matches a group, or does not: compared, since with return_mode=1 what a function says no by, -1, would count as true. */
function matches(text: string, group: string, does = true): string {
  return `pcre_match_group("${text}", ${group}) ${does ? '> 0' : '< 1'}`;
}

/** A request with rows of these names, as a Kamailio string has it. */
function sample(...names: readonly string[]): string {
  return `OPTIONS sip:a SIP/2.0\\r\\nTo: <sip:a>\\r\\n${names.map((name) => `${name}: 0\\r\\n`).join('')}\\r\\n`;
}

/** One field by two names: found by groups that remember. */
const TWICE = ['l', 'Content-Length'] as const;

/** Rows of a header block that the script deals with; what each of them costs Kamailio, it costs several times. */
const MOST_ROWS = 256;

/** Longest line that the regex module reads is 495 bytes; `[` and `]{0}` around a line break make it match nothing. */
const LINE = 320;

/** The text of siptrust-groups.txt. */
export function kamailioGroups(): string {
  const { digest, expressions } = groups();
  const lines = [
    `# ${HEADER_POLICY}: generated by "siptrustctl headers --kamailio siptrust-groups.txt"; do not edit. See siptrust-headers.cfg.`,
    `# Groups of a script's own come behind these, and count from ${OWN_GROUPS} (siptrust.cfg, SIPTRUST_OWN_REGEX).`,
  ];
  for (let number = 0; number < OWN_GROUPS; number++) {
    // In rows of profiles the first is no profile: nothing matches, but the digest, by which the script knows the file.
    const expression =
      number % (NUMBERED.length + 1) === 0 && number < GROUPS.length * (NUMBERED.length + 1)
        ? `\\A${digest}\\z`
        : (expressions.get(number) ?? NEVER);
    lines.push(`[${number}]`, ...folded(expression));
  }
  return `${lines.join('\n')}\n`;
}

const NEVER = '(?!)';
/** Groups of a script's own have numbers from here on, whatever we add below. */
const OWN_GROUPS = 50;

/** The expressions by number of group, and a name for all of them. */
function groups(): { readonly digest: string; readonly expressions: ReadonlyMap<number, string> } {
  const size = NUMBERED.length + 1;
  const expressions = new Map<number, string>();
  // What the module is told of case, lines and blanks counts for groups of others.
  const add = (number: number, expression: string) => expressions.set(number, `(?i-msx)${expression}`);
  for (const [row, { direction, leniency }] of GROUPS.entries()) {
    for (const [index, { profile }] of NUMBERED.entries()) {
      const { request, response } = hooksOf(profile, direction);
      if (!request.always) add(row * size + index + 1, cleanMessage(request, response, { direction, leniency }));
    }
  }
  add(GROUPS.length * size, wellFormedMessage());
  add(GROUPS.length * size + 1, manyRows(MOST_ROWS));
  add(GROUPS.length * size + 2, manyParts(REFUSED_BODIES, MOST_PARTS));
  const all = [...expressions].map(([number, expression]) => `${number} ${expression}`).join('\n');
  return { digest: `${HEADER_POLICY}-${hash('sha256', all).slice(0, 16)}`, expressions };
}

/** Breaks an expression between two of its atoms. */
export function folded(pattern: string): readonly string[] {
  const atoms =
    pattern.match(
      /\\.[0-9a-f]{0,2}|\[(?:\\.|[^\]\\])+\](?:[*+?]\+?)?|\([?*][^()|[\]a-z\\]*|\(\?(?:<[a-z0-9]+>|\(<[a-z0-9]+>\))?|[^\\[]/gs,
    ) ?? [];
  if (atoms.join('') !== pattern) throw new Error('no such expression can be folded');
  const out: string[] = [];
  let line = '';
  let previous = '';
  for (const atom of atoms) {
    // Not between an atom and its quantifier, nor within one, nor in the name of a group.
    if (line.length > LINE && /^(?:[a-z]$|\[|\\)/.test(atom) && /^(?:[a-z|+)]|\(\?[:!])$/.test(previous)) {
      out.push(`${line}[`);
      line = ']{0}';
    }
    line += atom;
    previous = atom;
  }
  return [...out, line];
}

/** Files of plugin/kamailio that are made from the header table. */
export const KAMAILIO_FILES: ReadonlyMap<string, () => string> = new Map([
  ['siptrust-headers.cfg', kamailioInclude],
  ['siptrust-groups.txt', kamailioGroups],
  ['siptrust-pass.cfg', kamailioPass],
]);
