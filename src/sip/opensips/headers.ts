/**
 * The header profiles as OpenSIPS script: plugin/opensips/siptrust-headers.cfg.
 *
 * Everything in it is static: OpenSIPS compiles a literal pattern once at start. What remove_hf_re() sees is the name
 * as OpenSIPS cut it, which may hold bytes that no name has (a TAB, a fold, a control): those around a name of the
 * list go with it.
 */

import { COMPACT_FORMS } from '../grammar/index.js';
import { block, clause, inHex, isEmergencyCall, openSipsString, refusedInHex, route } from '../script/index.js';
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
  STRICTEST,
  UNTRUSTED,
} from '../table/index.js';
import { bearingRemoval, bears, oddLines } from './bearing.js';
import { watchLines } from './watch.js';
import { fieldAlternatives, type Patterns, plainRequestUri, SHAPE, wholeMessages } from './whole-lines.js';

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

function removal(names: readonly string[]): string {
  return `remove_hf_re(${openSipsString(removalPattern(names))});`;
}

/** What is done at each hook of each profile, as cases of a switch: OpenSIPS holds 99 routes, ours and the script's together. */
class Cases {
  readonly #numbers = new Map<string, number>();

  /** The line that chooses it; equal ones stand once. */
  choose(lines: readonly string[]): string {
    const text = lines.join('\n');
    const number = this.#numbers.get(text) ?? this.#numbers.size + 1;
    this.#numbers.set(text, number);
    return `$var(siptrust_case) = ${number};`;
  }

  get lines(): readonly string[] {
    const cases = [...this.#numbers].flatMap(([text, number]) => clause(`case ${number}`, [text, 'break;']));
    return block('switch ($var(siptrust_case))', cases);
  }
}

/** What the list of a profile takes out. */
function listLines({ stance, hooks }: Profile, hook: Hook): readonly string[] {
  const { remove, removeUnlessEmergency, lines } = hooks[hook];
  const byMethod = BOUNDARY_RULES.filter(
    (rule) =>
      rule.kind === 'header' &&
      rule.methods.length > 0 &&
      rule.applies.includes(hookClass(hook)) &&
      actionOf(rule, hookDirection(hook), stance) === 'remove' &&
      !remove.includes(rule.name),
  );
  return [
    removal(remove),
    ...(removeUnlessEmergency.length > 0
      ? block(`if (!(${isEmergencyCall('NULL')}))`, [removal(removeUnlessEmergency)])
      : []),
    ...lines.bearing
      .filter(({ listed }) => listed)
      .flatMap((bearing) => block(`if (${bears(bearing)})`, [bearingRemoval(bearing)])),
    ...byMethod.flatMap(({ methods, name }) =>
      block(`if (is_method(${openSipsString(methods.join('|'))}))`, [removal([name])]),
    ),
  ];
}

function patterns(profile: Profile, hook: Hook): Patterns {
  return wholeMessages(hook, profile.stance, profile.hooks[hook].remove, STRICTEST.hooks[hook].remove);
}

/** What is to be done at a hook of a profile. */
type AtHook = (profile: Profile, hook: Hook) => readonly string[];

/** The switch over profiles and hooks. */
function bySwitch(lines: AtHook): readonly string[] {
  const others = PROFILES.filter((profile) => profile !== STRICTEST).flatMap((profile) => [
    `# ${profile.about}`,
    ...clause(`case "${profile.name}"`, [...byHook(profile, lines), 'break;']),
  ]);
  return block('switch ($var(siptrust_profile))', [
    ...others,
    `# ${STRICTEST.name}: ${STRICTEST.about}`,
    ...clause('default', byHook(STRICTEST, lines)),
  ]);
}

/** The switch over the hooks of one. */
function byHook(profile: Profile, lines: AtHook): readonly string[] {
  // response-out strips most; it is also what an unknown hook gets.
  const others = HOOKS.filter((hook) => hook !== 'response-out');
  return block('switch ($var(siptrust_hook))', [
    ...others.flatMap((hook) => clause(`case "${hook}"`, [...lines(profile, hook), 'break;'])),
    ...clause('default', lines(profile, 'response-out')),
  ]);
}

/** The message is `found` where this holds. */
function foundIf(condition: string, found: 'plain' | 'safe' | 'ask' | 'unsafe'): readonly string[] {
  return block(`if (${condition})`, [`$var(siptrust_look) = "${found}";`]);
}

/** The whole message, or some of it from its start on, is what this finds. */
function matches(pattern: string): string {
  return `$mb =~ ${openSipsString(pattern)}`;
}

/** What goes by name, where the list is not enough: the message is `found` then. */
function bearingLines({ lines }: HookProfile, found: 'ask' | 'unsafe'): readonly string[] {
  return lines.bearing.flatMap((bearing) =>
    foundIf(`${bears(bearing)}${bearing.listed ? ' && route(SIPTRUST_BEARS_ODD)' : ''}`, found),
  );
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
  return foundIf(`$var(siptrust_edited) == 2 && !(${matches(`^(.|\n)*(${more.join('|')})`)})`, 'plain');
}

/** By profile, as the script has written it: what the message says is looked at with the rest of it. */
function uriLines(): readonly string[] {
  const profiles = new Map<string, ProfileName[]>();
  for (const { name, stance } of PROFILES) {
    const pattern = plainRequestUri(stance);
    profiles.set(pattern, [...(profiles.get(pattern) ?? []), name]);
  }
  const ways = [...profiles].flatMap(([pattern, names]) =>
    block(`if ($var(siptrust_profile) =~ "^(${names.join('|')})$" && $ru =~ ${openSipsString(pattern)})`, [
      'return(1);',
    ]),
  );
  return [...ways, 'return(-1);'];
}

function compactLines(): readonly string[] {
  return [...COMPACT_FORMS].flatMap(([short, long]) =>
    block(`if ($var(siptrust_names) =~ "[(|]${long}[|)]")`, [
      `$var(siptrust_names) = "(${short}|" + $(var(siptrust_names){s.substr,1,0});`,
    ]),
  );
}

function listedLines(): readonly string[] {
  const row = openSipsString(`^${fieldAlternatives(UNTRUSTED.hooks['request-in'].remove)}[ \t]*(:|$)`);
  return [
    `if ($var(siptrust_one) =~ ${row}`,
    `\t\t|| $var(siptrust_one) =~ ${openSipsString(refusedInHex())}) {`,
    '\treturn(1);',
    '}',
    'return(-1);',
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

/** What the list of the profile removes. */
function removingLines(): readonly string[] {
  const cases = new Cases();
  return [...bySwitch((profile, hook) => [cases.choose(listLines(profile, hook))]), ...cases.lines];
}

/** A message whose lines readers cut differently stays what it is. */
const UNLESS_CUT_ALIKE = block(`if (!(${matches(SHAPE)}))`, ['return(1);']);

/** Whether the list settles a message. */
function lookLines(): readonly string[] {
  const cases = new Cases();
  const choices = bySwitch((profile, hook) =>
    profile.name === 'ask'
      ? []
      : [
          cases.choose([
            ...foundIf(matches(patterns(profile, hook).plain), 'plain'),
            ...settledLines(profile, hook),
            ...bearingLines(profile.hooks[hook], 'ask'),
          ]),
        ],
  );
  return ['$var(siptrust_look) = "ask";', ...UNLESS_CUT_ALIKE, '$var(siptrust_case) = 0;', ...choices, ...cases.lines];
}

/** The same where nobody answers, by the strictest list. */
function unansweredLines(): readonly string[] {
  return [
    '$var(siptrust_look) = "malformed";',
    ...UNLESS_CUT_ALIKE,
    '$var(siptrust_look) = "unsafe";',
    ...HOOKS.flatMap((hook) =>
      block(`if ($var(siptrust_hook) == "${hook}")`, [
        ...foundIf(matches(patterns(STRICTEST, hook).safe), 'safe'),
        ...bearingLines(STRICTEST.hooks[hook], 'unsafe'),
      ]),
    ),
  ];
}

/** The text of siptrust-headers.cfg. */
export function opensipsInclude(): string {
  return [
    HEAD,
    ...route('SIPTRUST_LIST', removingLines()),
    ...route('SIPTRUST_LOOK', lookLines()),
    ...route('SIPTRUST_LOOK_UNANSWERED', unansweredLines()),
    '# Is the Request-URI one that may leave as it is?',
    ...route('SIPTRUST_LOOK_URI', uriLines()),
    ...route('SIPTRUST_COMPACT', compactLines()),
    ...route('SIPTRUST_LISTED', listedLines()),
    ...watchLines(),
    ...[...ODD].flatMap((text) => route('SIPTRUST_BEARS_ODD', [text])),
  ].join('\n');
}
