/**
 * The last line of defence of OpenSIPS, which shows no script the bytes that it sends: blacklists that match any destination, and of
 * whose members each is a pattern, looked for in those bytes. A message that bears a field no stranger gets is not sent.
 */

import { asciiLower, IDENTITY_FIELDS } from '../grammar/index.js';
import { block, openSipsString, route } from '../script/index.js';
import { PROFILES, type Profile, type ProfileName, UNTRUSTED } from '../table/index.js';

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

function goneTowards({ hooks }: Profile): readonly string[] {
  const { remove, removeUnlessEmergency } = hooks['request-out'];
  return [...remove, ...removeUnlessEmergency];
}

/** Fields that no stranger gets, by the profiles of strangers that let them stay. */
export function privateFields(): readonly {
  readonly names: readonly string[];
  readonly but: readonly ProfileName[];
}[] {
  const strangers = PROFILES.filter(({ stance }) => !stance.trusted).map((profile) => ({
    name: profile.name,
    gone: goneTowards(profile),
  }));
  const groups = new Map<string, { readonly names: string[]; readonly but: readonly ProfileName[] }>();
  // Whole prefixes are what scripts name their own fields by (P-hint, X-Account).
  for (const field of goneTowards(UNTRUSTED).filter((name) => !name.endsWith('*'))) {
    const but = strangers.filter(({ gone }) => !gone.includes(field)).map(({ name }) => name);
    const group = groups.get(but.join()) ?? { names: [], but };
    group.names.push(field);
    groups.set(but.join(), group);
  }
  return [...groups.values()];
}

interface Blacklist {
  readonly name: string;
  readonly patterns: readonly string[];
  /** A body that bears lines which look like what the patterns find; the lists see it, too. */
  readonly body: string;
}

/** Fields of one kind, and the lists that find them. */
interface Watched {
  readonly once: Blacklist;
  /** For a message whose body holds one such line; undefined: nobody could tell. */
  readonly twice: Blacklist | undefined;
  /** Profiles of strangers that let these fields stay. */
  readonly but: readonly ProfileName[];
}

/** Who a user is, and where: few enough that two of them are told by the pairs that they make. */
const tellsOfUser = (name: string): boolean =>
  IDENTITY_FIELDS.has(asciiLower(name)) ||
  ['CC-Diversion', 'CC-Redirect', 'Cellular-Network-Info', 'Geolocation'].includes(name);

/** What is looked for by itself: one line of a body takes no other kind away. */
const KINDS: readonly ((name: string) => boolean)[] = [
  isP,
  (name) => !isP(name) && tellsOfUser(name),
  (name) => !isP(name) && !tellsOfUser(name),
];

/** Most patterns of one kind of names whose pairs are patterns, too; a script has them all twice, for IPv4 and IPv6. */
const MOST_PAIRED = 8;

function watched(): readonly Watched[] {
  return privateFields()
    .flatMap(({ names, but }) => KINDS.map((kind) => ({ names: names.filter(kind), but })))
    .filter(({ names }) => names.length > 0)
    .map(({ names, but }, i) => {
      const once = { name: `siptrust_private_${i + 1}`, patterns: linePatterns(names), body: bodyPattern(names) };
      return { once, twice: once.patterns.length <= MOST_PAIRED ? pairsOf(once) : undefined, but };
    });
}

function listsOf({ once, twice }: Watched): readonly Blacklist[] {
  return twice === undefined ? [once] : [once, twice];
}

/** Two lines of one kind. */
function pairsOf({ name, patterns, body }: Blacklist): Blacklist {
  return {
    name: `${name}_twice`,
    patterns: patterns.flatMap((first) => patterns.map((second) => first + second.slice(1))),
    body: `${body}(.|\n)*${body}`,
  };
}

function definition({ name, patterns }: Blacklist): readonly string[] {
  const rows = ['0.0.0.0/0.0.0.0', '::/0'].flatMap((network) =>
    patterns.map((pattern) => `\t( any , ${network} , 0 , ${openSipsString(pattern)} )`),
  );
  return [`dst_blacklist = ${name} : {`, rows.join(' ,\n'), '}', ''];
}

function use({ name }: Blacklist): string {
  return `use_blacklist("${name}");`;
}

/** The first list by which no line of the body is taken for a field. */
function besideBody(watched: Watched): readonly string[] {
  const ways = listsOf(watched).flatMap((list, i) => [
    `${i === 0 ? '' : '} else '}if (!($rb =~ ${openSipsString(list.body)})) {`,
    `\t${use(list)}`,
  ]);
  return [...ways, '}'];
}

/** These lines, for strangers who may not see the fields. */
function towards({ but }: Watched, lines: readonly string[]): readonly string[] {
  if (but.length === 0) return lines;
  return block(`if (!($var(siptrust_stranger) =~ "^(${but.join('|')})$"))`, lines);
}
/** The blacklists, and the routes that use them. */
export function watchLines(): readonly string[] {
  const all = watched();
  const lists = all.flatMap(listsOf);
  return [
    ...lists.flatMap(definition),
    ...route('SIPTRUST_WATCH', [
      // The lists see the body, too. (No line of SDP looks like a field; a body that says it is SDP is watched whatever it holds.)
      ...block('if ($rb == NULL || $cT =~ "^application/sdp")', [
        ...all.flatMap((each) => towards(each, [use(each.once)])),
        'return(1);',
      ]),
      ...all.flatMap((each) => towards(each, besideBody(each))),
    ]),
    ...route(
      'SIPTRUST_WATCH_NOT',
      lists.map(({ name }) => `unuse_blacklist("${name}");`),
    ),
  ];
}
