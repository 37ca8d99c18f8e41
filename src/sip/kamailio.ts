/**
 * The header profiles as Kamailio script: plugin/kamailio/siptrust-headers.cfg.
 *
 * Everything in it is static, since Kamailio compiles a literal pattern once at start and a dynamic one at each call,
 * and since an empty dynamic pattern removes every header field.
 */

import { asciiLower } from './ascii.js';
import { HEADER_POLICY } from './boundary.js';
import { BARE_LINE_END, EMERGENCY_URI, type HookProfile, PROFILES, type Profile } from './profiles.js';
import { HOOKS } from './rules.js';

const PROFILE_AVP = '$avp(siptrust_profile)';
const HOOK_AVP = '$avp(siptrust_hook)';
/** Assignment to `[*]` replaces; a plain one would pile up values. */
const ASK = '$(avp(siptrust_ask)[*])';
const UNANSWERED = '$(avp(siptrust_unanswered)[*])';
const REFUSE = '$(avp(siptrust_refuse)[*])';

/** Text between the double quotes of a Kamailio string. */
function quote(text: string): string {
  const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\r': '\\r', '\n': '\\n', '\t': '\\t' };
  return `"${text.replace(/[\\"\r\n\t]/g, (char) => escapes[char] ?? char)}"`;
}

/** The list as one anchored pattern; names that a prefix of the list covers are left out. */
export function namePattern(names: readonly string[]): string {
  const prefixes = names.filter((name) => name.endsWith('*')).map((name) => asciiLower(name.slice(0, -1)));
  const parts = names
    .filter((name) => name.endsWith('*') || !prefixes.some((prefix) => asciiLower(name).startsWith(prefix)))
    .map((name) => (name.endsWith('*') ? `${name.slice(0, -1)}.*` : name));
  return `^(${parts.join('|')})$`;
}

/** Patterns as one; equal ones once. */
export function anyOf(patterns: readonly string[]): string {
  return [...new Set(patterns)].map((pattern) => `(${pattern})`).join('|');
}

function stripLines({ remove, removeUnlessEmergency }: HookProfile): readonly string[] {
  const lines = [`\tremove_hf_re(${quote(namePattern(remove))});`];
  if (removeUnlessEmergency.length > 0) {
    lines.push(
      `\tif (!($ru =~ ${quote(EMERGENCY_URI)})) {`,
      `\t\tremove_hf_re(${quote(namePattern(removeUnlessEmergency))});`,
      '\t}',
    );
  }
  return lines;
}

/** Routes with what is done at a hook of a profile; what several of them do stands there once. */
class Bodies {
  readonly #routes = new Map<string, string>();

  constructor(
    private readonly name: string,
    private readonly body: (hook: HookProfile) => readonly string[],
  ) {}

  /** The lines that do it: a call, or nothing. */
  lines(hook: HookProfile, indent: string): readonly string[] {
    const text = this.body(hook).join('\n');
    if (text === '') return [];
    const route = this.#routes.get(text) ?? `${this.name}_${this.#routes.size + 1}`;
    this.#routes.set(text, route);
    return [`${indent}route(${route});`];
  }

  /** The routes that were called. */
  routes(): readonly string[] {
    return [...this.#routes].flatMap(([text, route]) => [`route[${route}] {`, text, '\treturn;', '}', '']);
  }
}

function hookSwitch(profile: Profile, bodies: Bodies): readonly string[] {
  const lines = [`\t\t\tswitch (${HOOK_AVP}) {`];
  for (const hook of HOOKS.slice(0, -1)) {
    lines.push(`\t\t\t\tcase "${hook}":`, ...bodies.lines(profile.hooks[hook], '\t\t\t\t\t'), '\t\t\t\t\tbreak;');
  }
  // response-out strips most; it is also what an unknown hook gets.
  lines.push('\t\t\t\tdefault:', ...bodies.lines(profile.hooks['response-out'], '\t\t\t\t\t'), '\t\t\t}');
  return lines;
}

function profileSwitch(bodies: Bodies): readonly string[] {
  const [strictest, ...others] = PROFILES;
  if (strictest === undefined) return [];
  const lines = [`\tswitch (${PROFILE_AVP}) {`];
  for (const profile of others) {
    lines.push(`\t\t# ${profile.about}`, `\t\tcase "${profile.name}":`, ...hookSwitch(profile, bodies), '\t\t\tbreak;');
  }
  lines.push(`\t\t# ${strictest.name}: ${strictest.about}`, '\t\tdefault:', ...hookSwitch(strictest, bodies), '\t}');
  return lines;
}

function triggerLines(hook: HookProfile): readonly string[] {
  if (hook.always) return [`\t${ASK} = 1;`];
  const lines: string[] = [];
  for (const { methods, field, about, unanswered } of hook.methodTriggers) {
    const present = field === undefined ? '' : ` && is_present_hf("${field}")`;
    lines.push(
      `\t# ${about}`,
      `\tif (is_method("${methods.join('|')}")${present}) {`,
      `\t\t${ASK} = 1;`,
      ...(unanswered === 0 ? [] : [`\t\t${UNANSWERED} = ${unanswered};`]),
      `\t}`,
    );
  }
  if (hook.screens) lines.push(`\troute(SIPTRUST_SCREEN);`);
  if (hook.triggers.length === 0) return lines;
  const hints = anyOf(hook.triggers.map(({ hint }) => hint));
  const patterns = anyOf(hook.triggers.map(({ pattern }) => pattern));
  lines.push(
    `\tif ($mb =~ ${quote(hints)}`,
    `\t\t\t&& $mb =~ ${quote(patterns)}) {`,
    `\t\t${ASK} = 1;`,
    ...unansweredCases(hook, '\t\t'),
    `\t}`,
  );
  return lines;
}

/** What to do if no answer comes: of several statuses the lowest. */
function unansweredCases(hook: HookProfile, indent: string): readonly string[] {
  const stern = hook.triggers.filter(({ unanswered }) => unanswered !== 0);
  const lines: string[] = [];
  for (const status of [...new Set(stern.map(({ unanswered }) => unanswered))].sort((a, b) => a - b)) {
    const group = stern.filter(({ unanswered }) => unanswered === status);
    lines.push(
      `${indent}# ${[...new Set(group.map(({ about }) => about))].join('; ')}`,
      `${indent}${lines.length === 0 ? 'if' : '} else if'} ($mb =~ ${quote(anyOf(group.map(({ pattern }) => pattern)))}) {`,
      `${indent}\t${UNANSWERED} = ${status};`,
    );
  }
  return lines.length === 0 ? [] : [...lines, `${indent}}`];
}

const HEAD = `# ${HEADER_POLICY}: generated by "siptrustctl headers --kamailio" from the header table; do not edit.
#
# Needs the modules pv, textops and siputils. In:
#   $avp(siptrust_profile)   profile name of the verdict; unknown or missing means the strictest
#   $avp(siptrust_hook)      request-in, request-out, response-in or response-out
#   $avp(siptrust_asserts)   domains that the trusted peer may assert, lower case, with one space between two;
#                            missing, or "*": each assertion is asked for
# route(SIPTRUST_TRIGGERS) sets:
#   $avp(siptrust_ask)         1: no list settles this message, ask trust.message
#   $avp(siptrust_unanswered)  status to refuse it with when no answer comes (a response: drop it);
#                              0: set the profile to "strict" and route(SIPTRUST_STRIP) makes it safe
#   $avp(siptrust_refuse)      400: Kamailio cannot read the whole header block, so each of its functions would
#                              remove nothing from it. Refuse it (a response: drop it), whoever sent it.
# route(SIPTRUST_STRIP) removes what goes unseen. Not to be called where a plan is applied: the plan names all of it.
`;

const SCREEN = `# May the trusted peer assert what it does? Says nothing where one look shows that it may (TS 33.203 5.4, RFC 3324 2.2).
route[SIPTRUST_SCREEN] {
	if ($avp(siptrust_hook) == "request-in"
			&& !($fd =~ "^(anonymous|unavailable)[.]invalid$")
			&& !in_list("$(fd{s.tolower})", "$avp(siptrust_asserts)", " ")) {
		${ASK} = 1;
	}
	if ($hdrc(P-Asserted-Identity) == 0) {
		return;
	}
	# One plain SIP URI of an agreed domain, or that and one plain telephone number.
	if ($hdrc(P-Asserted-Identity) > 2
			|| !($hdr(P-Asserted-Identity) =~ "^(\\"[^\\"\\\\,;<>@:]*\\"|[-a-z0-9 .]*)[ \\t]*<sips?:[-+a-z0-9._]+@[-a-z0-9.]+(;user=phone)?>$")
			|| !in_list("$(ai{uri.host}{s.tolower})", "$avp(siptrust_asserts)", " ")) {
		${ASK} = 1;
	} else if ($hdrc(P-Asserted-Identity) == 2
			&& !($(hdr(P-Asserted-Identity)[1]) =~ "^(\\"[^\\"\\\\,;<>@:]*\\"|[-a-z0-9 .]*)[ \\t]*<tel:[+][0-9]+>$")) {
		${ASK} = 1;
	}
	if (is_method("ACK|CANCEL")) {
		${ASK} = 1;
	}
	return;
}
`;

/** The text of siptrust-headers.cfg. */
export function kamailioInclude(): string {
  const strip = new Bodies('SIPTRUST_STRIP', stripLines);
  const triggers = new Bodies('SIPTRUST_TRIGGERS', triggerLines);
  const lines = [
    HEAD,
    'route[SIPTRUST_STRIP] {',
    ...profileSwitch(strip),
    '\treturn;',
    '}',
    '',
    'route[SIPTRUST_TRIGGERS] {',
    `\t${ASK} = 0;`,
    `\t${UNANSWERED} = 0;`,
    `\t${REFUSE} = 0;`,
    '\t# Call-ID is in every message: it is not found where the parser gave up on the block.',
    '\tif (!is_present_hf("Call-ID")) {',
    `\t\t${REFUSE} = 400;`,
    `\t\t${ASK} = 1;`,
    `\t\t${UNANSWERED} = 400;`,
    '\t\treturn;',
    '\t}',
    `\tif ($avp(siptrust_hook) =~ "-in$") {`,
    '\t\t# The end of the block is not seen where a NUL stands before it.',
    '\t\tif (!($mb =~ "\\r\\n\\r\\n")) {',
    `\t\t\t${ASK} = 1;`,
    `\t\t\t${UNANSWERED} = 400;`,
    '\t\t\treturn;',
    '\t\t}',
    '\t\t# What is left of the line ends without CRLF? A body may have its own; the pattern looks at the header block.',
    '\t\t$var(siptrust_crlf) = "\\r\\n";',
    `\t\tif ($(mb{s.rm,$var(siptrust_crlf)}) =~ "[\\r\\n]" && $mb =~ ${quote(BARE_LINE_END)}) {`,
    `\t\t\t${ASK} = 1;`,
    `\t\t\t${UNANSWERED} = 400;`,
    '\t\t\treturn;',
    '\t\t}',
    '\t}',
    ...profileSwitch(triggers),
    '\t# An emergency call is never refused for lack of trust.',
    `\tif ($avp(siptrust_unanswered) != 0 && is_request() && $ru =~ ${quote(EMERGENCY_URI)}) {`,
    `\t\t${UNANSWERED} = 0;`,
    '\t}',
    '\treturn;',
    '}',
    '',
    ...strip.routes(),
    ...triggers.routes(),
    SCREEN,
  ];
  return lines.join('\n');
}
