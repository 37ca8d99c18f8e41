/**
 * The header profiles as OpenSIPS script: plugin/opensips/siptrust-headers.cfg.
 *
 * Everything in it is static: OpenSIPS compiles a literal pattern once at start. What remove_hf_re() sees is the name
 * as OpenSIPS cut it, which may hold bytes that no name has (a TAB, a fold, a control): those around a name of the
 * list go with it.
 */

import { asciiLower, COMPACT_FORMS, IDENTITY_FIELDS } from '../grammar/index.js';
import {
  actionOf,
  BOUNDARY_RULES,
  HEADER_POLICY,
  HOOKS,
  type Hook,
  type HookProfile,
  hookClass,
  hookDirection,
  PROFILES,
  type Profile,
  type ProfileName,
} from '../table/index.js';
import { bearingRemoval, bears, oddLines } from './bearing.js';
import { isEmergencyCall } from './emergency.js';
import { inHex, refusedInHex } from './refused-bodies.js';
import { openSipsString } from './script-string.js';
import { fieldAlternatives, plainRequestUri, SHAPE, wholeMessages } from './whole-lines.js';

const [STRICTEST, ...OTHERS] = PROFILES;
const LISTED = PROFILES.find(({ name }) => name === 'untrusted')?.hooks['request-in'].remove ?? [];

/** Of what a list takes out of a field: whether that is not enough. There is one such parameter. */
const ODD = new Set(
  PROFILES.flatMap(({ hooks }) => HOOKS.flatMap((hook) => hooks[hook].lines.bearing))
    .filter(({ listed }) => listed)
    .map((bearing) => oddLines(bearing).join('\n')),
);

/** For remove_hf_re(): these names, and whatever that is no character of a name stands before or behind one. */
export function removalPattern(names: readonly string[]): string {
  return `^[^!-~]*${fieldAlternatives(names)}([^!-~].*)?$`;
}

/** What is done at each hook of each profile, as cases of a switch: OpenSIPS holds 99 routes, ours and the script's together. */
class Cases {
  readonly #numbers = new Map<string, number>();

  /** The line that chooses it; equal ones stand once. */
  choose(lines: readonly string[]): string {
    const text = deeper(lines, 2).join('\n');
    const number = this.#numbers.get(text) ?? this.#numbers.size + 1;
    this.#numbers.set(text, number);
    return `$var(siptrust_case) = ${number};`;
  }

  get text(): readonly string[] {
    const cases = [...this.#numbers].flatMap(([text, number]) => [`\t\tcase ${number}:`, text, '\t\t\tbreak;']);
    return ['\tswitch ($var(siptrust_case)) {', ...cases, '\t}'];
  }
}

function deeper(lines: readonly string[], by: number): readonly string[] {
  return lines.map((line) => '\t'.repeat(by) + line);
}

function listLines(profile: Profile, hook: Hook): readonly string[] {
  const { remove, removeUnlessEmergency, lines: rules }: HookProfile = profile.hooks[hook];
  const lines = [`\tremove_hf_re(${openSipsString(removalPattern(remove))});`];
  if (removeUnlessEmergency.length > 0) {
    lines.push(
      `\tif (!(${isEmergencyCall('NULL')})) {`,
      `\t\tremove_hf_re(${openSipsString(removalPattern(removeUnlessEmergency))});`,
      '\t}',
    );
  }
  for (const bearing of rules.bearing.filter(({ listed }) => listed)) {
    lines.push(`\tif (${bears(bearing)}) {`, `\t\t${bearingRemoval(bearing)}`, '\t}');
  }
  for (const rule of BOUNDARY_RULES) {
    if (rule.kind !== 'header' || rule.methods.length === 0 || !rule.applies.includes(hookClass(hook))) continue;
    if (actionOf(rule, hookDirection(hook), profile.stance) !== 'remove' || remove.includes(rule.name)) continue;
    lines.push(
      `\tif (is_method(${openSipsString(rule.methods.join('|'))})) {`,
      `\t\tremove_hf_re(${openSipsString(removalPattern([rule.name]))});`,
      '\t}',
    );
  }
  return lines;
}

function strictList(hook: Hook): readonly string[] {
  return STRICTEST?.hooks[hook].remove ?? [];
}

function patterns(profile: Profile, hook: Hook) {
  return wholeMessages(hook, profile.stance, profile.hooks[hook].remove, strictList(hook));
}

/** The switch over profiles and hooks; `call` gives the line of one, or undefined where nothing is to be done. */
function bySwitch(call: (profile: Profile, hook: Hook) => string | undefined): readonly string[] {
  if (STRICTEST === undefined) return [];
  const hooks = (profile: Profile): readonly string[] => {
    const lines = ['\t\t\tswitch ($var(siptrust_hook)) {'];
    for (const hook of HOOKS.slice(0, -1)) {
      const line = call(profile, hook);
      lines.push(`\t\t\t\tcase "${hook}":`, ...(line === undefined ? [] : [`\t\t\t\t\t${line}`]), '\t\t\t\t\tbreak;');
    }
    // response-out strips most; it is also what an unknown hook gets.
    const line = call(profile, 'response-out');
    lines.push('\t\t\t\tdefault:', ...(line === undefined ? [] : [`\t\t\t\t\t${line}`]), '\t\t\t}');
    return lines;
  };
  const lines = ['\tswitch ($var(siptrust_profile)) {'];
  for (const profile of OTHERS) {
    lines.push(`\t\t# ${profile.about}`, `\t\tcase "${profile.name}":`, ...hooks(profile), '\t\t\tbreak;');
  }
  lines.push(`\t\t# ${STRICTEST.name}: ${STRICTEST.about}`, '\t\tdefault:', ...hooks(STRICTEST), '\t}');
  return lines;
}

function looksLine(pattern: string, found: string): readonly string[] {
  return [`\tif ($mb =~ ${openSipsString(pattern)}) {`, `\t\t$var(siptrust_look) = "${found}";`, '\t}'];
}

/** What goes by name, where the list is not enough: the message is `found` then. */
function bearingLines({ lines }: HookProfile, found: string): readonly string[] {
  return lines.bearing.flatMap((bearing) => [
    `\tif (${bears(bearing)}${bearing.listed ? ` && route(SIPTRUST_BEARS_ODD)` : ''}) {`,
    `\t\t$var(siptrust_look) = "${found}";`,
    '\t}',
  ]);
}

/**
 * Of a stranger's request to a stranger all is settled that the plan of the way in takes out; of parameters the way out takes
 * more (push tokens). By name, escaped or not, wherever in the message.
 */
function settledLines({ stance, hooks }: Profile, hook: Hook): readonly string[] {
  if (hook !== 'request-out' || stance.trusted) return [];
  const names = (at: Hook) => hooks[at].lines.params.flatMap((each) => each.names);
  const more = names(hook)
    .filter((name) => !names('request-in').includes(name))
    .map((name) => name.replace(/./g, (char) => `(${char}|%${inHex(char)})`));
  return [
    `\tif ($var(siptrust_edited) == 2 && !($mb =~ ${openSipsString(`^(.|\n)*(${more.join('|')})`)})) {`,
    '\t\t$var(siptrust_look) = "plain";',
    '\t}',
  ];
}

/** By profile, as the script has written it: what the message says is looked at with the rest of it. */
function uriLines(): readonly string[] {
  const profiles = new Map<string, ProfileName[]>();
  for (const { name, stance } of PROFILES) {
    const pattern = plainRequestUri(stance);
    profiles.set(pattern, [...(profiles.get(pattern) ?? []), name]);
  }
  return [...profiles].flatMap(([pattern, names]) => [
    `\tif ($var(siptrust_profile) =~ "^(${names.join('|')})$" && $ru =~ ${openSipsString(pattern)}) {`,
    '\t\treturn(1);',
    '\t}',
  ]);
}

function compactLines(): readonly string[] {
  return [...COMPACT_FORMS].flatMap(([short, long]) => [
    `\tif ($var(siptrust_names) =~ "[(|]${long}[|)]") {`,
    `\t\t$var(siptrust_names) = "(${short}|" + $(var(siptrust_names){s.substr,1,0});`,
    '\t}',
  ]);
}

/** P- is for fields of SIP alone (RFC 5727 §4): those that begin as a private one are told by their first letter. */
const isP = (name: string): boolean => asciiLower(name).startsWith('p-');

/** The letters that these names begin with behind P-, each in both cases. */
function lettersOf(names: readonly string[]): string {
  const letters = [...new Set(names.filter(isP).map((name) => name.charAt(2).toUpperCase()))].sort();
  return letters.map((letter) => letter + letter.toLowerCase()).join('');
}

/** Where a field of these names stands in a line of its own, as fnmatch() writes it: OpenSIPS knows no other expression there. */
export function linePatterns(names: readonly string[]): readonly string[] {
  const either = (text: string) =>
    text.replace(/[a-z]/gi, (letter) => `[${letter.toUpperCase()}${letter.toLowerCase()}]`);
  const letters = lettersOf(names);
  return [
    ...(letters === '' ? [] : [`*\n[Pp]-[${letters}]*`]),
    // A blank, or a fold, may stand before the colon.
    ...names.filter((name) => !isP(name)).map((name) => `*\n${either(name)}[: \t\r]*`),
  ];
}

/** The same in a body, which is no header block and looks like one here: an extended expression, without regard to case. */
export function bodyPattern(names: readonly string[]): string {
  const letters = lettersOf(names);
  const others = names.filter((name) => !isP(name)).join('|');
  const line = [letters === '' ? '' : `p-[${letters}]`, others === '' ? '' : `(${others})[: \t\r]`];
  return `(^|\n)(${line.filter((text) => text !== '').join('|')})`;
}

/** Fields that no stranger gets, by the profiles of strangers that let them stay. */
export function privateFields(): readonly {
  readonly names: readonly string[];
  readonly but: readonly ProfileName[];
}[] {
  const strangers = PROFILES.filter(({ stance }) => !stance.trusted).map(({ name, hooks }) => {
    const { remove, removeUnlessEmergency } = hooks['request-out'];
    return { name, gone: [...remove, ...removeUnlessEmergency] };
  });
  const untrusted = strangers.find(({ name }) => name === 'untrusted')?.gone ?? [];
  const groups = new Map<string, { readonly names: string[]; readonly but: readonly ProfileName[] }>();
  // Whole prefixes are what scripts name their own fields by (P-hint, X-Account).
  for (const field of untrusted.filter((name) => !name.endsWith('*'))) {
    const but = strangers.filter(({ gone }) => !gone.includes(field)).map(({ name }) => name);
    const group = groups.get(but.join()) ?? { names: [], but };
    group.names.push(field);
    groups.set(but.join(), group);
  }
  return [...groups.values()];
}

interface Watched {
  readonly list: string;
  readonly patterns: readonly string[];
  /** A line of a body that looks so. */
  readonly body: string;
  /** The list for a message whose body holds one such line, and the line that makes two of it. */
  readonly twice: { readonly list: string; readonly patterns: readonly string[]; readonly body: string } | undefined;
  readonly but: readonly ProfileName[];
}

/** Who a user is, and where: few enough that two of them are told by the pairs that they make. */
const tellsOfUser = (name: string): boolean =>
  IDENTITY_FIELDS.has(asciiLower(name)) ||
  ['CC-Diversion', 'CC-Redirect', 'Cellular-Network-Info', 'Geolocation'].includes(name);

/** Most patterns of one kind of names whose pairs are patterns, too; a script has them all twice, for IPv4 and IPv6. */
const MOST_PAIRED = 8;

/** What is looked for, by kinds of names: one line of a body takes no other kind away. */
function watched(): readonly Watched[] {
  const kinds = [
    isP,
    (name: string) => !isP(name) && tellsOfUser(name),
    (name: string) => !isP(name) && !tellsOfUser(name),
  ];
  const sets = privateFields().flatMap(({ names, but }) => kinds.map((kind) => ({ names: names.filter(kind), but })));
  return sets
    .filter(({ names }) => names.length > 0)
    .map(({ names, but }, i) => {
      const list = `siptrust_private_${i + 1}`;
      const [patterns, body] = [linePatterns(names), bodyPattern(names)];
      const two = patterns.flatMap((first) => patterns.map((second) => first + second.slice(1)));
      const twice =
        patterns.length <= MOST_PAIRED
          ? { list: `${list}_twice`, patterns: two, body: `${body}(.|\n)*${body}` }
          : undefined;
      return { list, patterns, body, twice, but };
    });
}

/** The list that may be used where the body has lines that look like fields; none where nobody could tell. */
function besideBody({ list, body, twice }: Watched): readonly string[] {
  return [
    `if (!($rb =~ ${openSipsString(body)})) {`,
    `\tuse_blacklist("${list}");`,
    ...(twice === undefined
      ? []
      : [`} else if (!($rb =~ ${openSipsString(twice.body)})) {`, `\tuse_blacklist("${twice.list}");`]),
    '}',
  ];
}

/** Blacklists whose members are looked for in the bytes that would be sent, and the routes that use them. */
function watchLines(): readonly string[] {
  const all = watched();
  const lists = all.flatMap(({ list, patterns, twice }) => [
    { list, patterns },
    ...(twice === undefined ? [] : [twice]),
  ]);
  const wanted = ({ but }: Watched, lines: readonly string[]): readonly string[] =>
    but.length === 0
      ? lines
      : [`if (!($var(siptrust_stranger) =~ "^(${but.join('|')})$")) {`, ...lines.map((line) => `\t${line}`), '}'];
  return [
    ...lists.flatMap(({ list, patterns }) => {
      const rows = ['0.0.0.0/0.0.0.0', '::/0'].flatMap((network) =>
        patterns.map((pattern) => `\t( any , ${network} , 0 , ${openSipsString(pattern)} )`),
      );
      return [`dst_blacklist = ${list} : {`, rows.join(' ,\n'), '}', ''];
    }),
    'route[SIPTRUST_WATCH] {',
    // The lists see the body, too. (No line of SDP looks like a field; a body that says it is SDP is watched whatever it holds.)
    '\tif ($rb == NULL || $cT =~ "^application/sdp") {',
    ...all.flatMap((each) => wanted(each, [`use_blacklist("${each.list}");`])).map((line) => `\t\t${line}`),
    '\t\treturn(1);',
    '\t}',
    ...all.flatMap((each) => wanted(each, besideBody(each))).map((line) => `\t${line}`),
    '}',
    '',
    'route[SIPTRUST_WATCH_NOT] {',
    ...lists.map(({ list }) => `\tunuse_blacklist("${list}");`),
    '}',
    '',
  ];
}

const HEAD = `# ${HEADER_POLICY}: generated by "siptrustctl headers --opensips" from the header table; do not edit.
#
# Needs the modules sipmsgops and textops. In:
#   $var(siptrust_profile)   profile name of the verdict; an unknown one means the strictest
#   $var(siptrust_hook)      request-in, request-out, response-in or response-out
#   $var(siptrust_edited)    request-out: 2, a plan of the way in has settled this request of a stranger
# route(SIPTRUST_LIST) removes what goes unseen.
# route(SIPTRUST_LOOK) sets $var(siptrust_look): "plain", the list settles this message; "ask", trust.message does.
# route(SIPTRUST_LOOK_UNANSWERED), where nobody answers, sets it to "safe": the list of "strict" makes the message safe;
#   "unsafe": it does not; "malformed": readers disagree on where the lines of this message begin.
# route(SIPTRUST_COMPACT) adds the compact forms to the names in $var(siptrust_names), as in "(Subject|History-Info)".
# route(SIPTRUST_LISTED): is the name, or row, in $var(siptrust_one) one of those that no stranger may say? Or does it hold, as two
#   hexadecimal digits a byte, the type of a body that none may bring?
# route(SIPTRUST_WATCH), with $var(siptrust_stranger): nothing is sent from here on that bears a field which no stranger gets
#   (whoever added it); route(SIPTRUST_WATCH_NOT) ends that. What the body says is no field: of a kind that it has one line of,
#   one more is looked for where the name begins with P- or tells who or where a user is; of other kinds, and behind two such
#   lines, none. The body is looked at as it was received.
`;

/** The routes that say what a list does not settle, and, with the cases of all profiles, those that remove. */
function lookLines(): readonly string[] {
  const [lists, looks] = [new Cases(), new Cases()];
  return [
    'route[SIPTRUST_LIST] {',
    ...bySwitch((profile, hook) => lists.choose(listLines(profile, hook))),
    ...lists.text,
    '}',
    '',
    'route[SIPTRUST_LOOK] {',
    '\t$var(siptrust_look) = "ask";',
    `\tif (!($mb =~ ${openSipsString(SHAPE)})) {`,
    '\t\treturn(1);',
    '\t}',
    '\t$var(siptrust_case) = 0;',
    ...bySwitch((profile, hook) =>
      profile.name === 'ask'
        ? undefined
        : looks.choose([
            ...looksLine(patterns(profile, hook).plain, 'plain'),
            ...settledLines(profile, hook),
            ...bearingLines(profile.hooks[hook], 'ask'),
          ]),
    ),
    ...looks.text,
    '}',
    '',
  ];
}

/** The same where nobody answers, by the strictest list. */
function unansweredLines(): readonly string[] {
  return [
    'route[SIPTRUST_LOOK_UNANSWERED] {',
    '\t$var(siptrust_look) = "malformed";',
    `\tif (!($mb =~ ${openSipsString(SHAPE)})) {`,
    '\t\treturn(1);',
    '\t}',
    '\t$var(siptrust_look) = "unsafe";',
    ...(STRICTEST === undefined
      ? []
      : HOOKS.flatMap((hook) => [
          `\tif ($var(siptrust_hook) == "${hook}") {`,
          ...deeper(looksLine(patterns(STRICTEST, hook).safe, 'safe'), 1),
          ...deeper(bearingLines(STRICTEST.hooks[hook], 'unsafe'), 1),
          '\t}',
        ])),
    '}',
    '',
  ];
}

/** The text of siptrust-headers.cfg. */
export function opensipsInclude(): string {
  const lines = [
    HEAD,
    ...lookLines(),
    ...unansweredLines(),
    '# Is the Request-URI one that may leave as it is?',
    'route[SIPTRUST_LOOK_URI] {',
    ...uriLines(),
    '\treturn(-1);',
    '}',
    '',
    'route[SIPTRUST_COMPACT] {',
    ...compactLines(),
    '}',
    '',
    'route[SIPTRUST_LISTED] {',
    `\tif ($var(siptrust_one) =~ ${openSipsString(`^${fieldAlternatives(LISTED)}[ \t]*(:|$)`)}`,
    `\t\t\t|| $var(siptrust_one) =~ ${openSipsString(refusedInHex())}) {`,
    '\t\treturn(1);',
    '\t}',
    '\treturn(-1);',
    '}',
    '',
    ...watchLines(),
    ...[...ODD].flatMap((text) => ['route[SIPTRUST_BEARS_ODD] {', text, '}', '']),
  ];
  return lines.join('\n');
}
