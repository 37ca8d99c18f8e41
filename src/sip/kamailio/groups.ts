/**
 * siptrust-groups.txt: the expressions that the plugin asks Kamailio's module regex for, by number, and what the script has them
 * match to see that the module has these and reads them as they must be read.
 */

import { hash } from 'node:crypto';
import { BLANKS, CLOSING, COLON, cleanMessage, END, NOT, type Purpose, REMEMBERED, TOKEN } from '../clean/index.js';
import { literal, NUMBERED, REFUSED_SUBTYPES } from '../script/index.js';
import { HEADER_POLICY, type HookProfile, type Profile } from '../table/index.js';

/** A group of the module regex. */
export interface Group {
  readonly number: number;
  readonly expression: string;
  /** Of its own, in the script (SIPTRUST_G_WORD); others are called by row and profile. */
  readonly word?: string;
  /** Texts, as Kamailio strings have them, and whether it matches each. */
  readonly checks: readonly (readonly [text: string, matches: boolean])[];
}

/** A row of groups: for each of these the profiles in their order. */
export const GROUP_ROWS: readonly Purpose[] = [
  { direction: 'in', leniency: 'as it is' },
  { direction: 'in', leniency: 'once listed fields are gone' },
  { direction: 'out', leniency: 'as it is' },
  { direction: 'out', leniency: 'once listed fields are gone' },
];
/** The first group of a row is no profile: nothing matches it but the name of the file. */
const ROW = NUMBERED.length + 1;
/** Groups of a script's own have numbers from here on, whatever we add below. */
const OWN_GROUPS = 50;
const NEVER = '(?!)';

/** Rows of a header block that the script deals with; what each of them costs Kamailio, it costs several times. */
const MOST_ROWS = 256;
/** What Kamailio changes in a message at once; more of it would be more than linear work. */
const MOST_PARTS = 8;

/** One field by two names: found by groups that remember. */
const TWICE = ['l', 'Content-Length'] as const;

/** All groups of the file, by number. */
export function kamailioGroups(): readonly Group[] {
  // What the module is told of case, lines and blanks counts for groups of others.
  const made = [...profileGroups(), ...groupsOfTheirOwn()].map((group) => ({
    ...group,
    expression: `(?i-msx)${group.expression}`,
  }));
  const all = made.map(({ number, expression }) => `${number} ${expression}`).join('\n');
  const digest = `${HEADER_POLICY}-${hash('sha256', all).slice(0, 16)}`;
  const names = GROUP_ROWS.map(
    (_, row): Group => ({ number: row * ROW, expression: `\\A${digest}\\z`, checks: [[digest, true]] }),
  );
  return [...names, ...made].sort((a, b) => a.number - b.number);
}

function profileGroups(): readonly Group[] {
  return GROUP_ROWS.flatMap((purpose, row) =>
    NUMBERED.flatMap(({ profile }, index): Group | readonly [] => {
      const { request, response } = hooksOf(profile, purpose.direction);
      if (request.always) return [];
      const name = request.remove.find((each) => !each.endsWith('*') && !request.judged.includes(each));
      const gone = name === undefined ? [] : [[sample(name), purpose.leniency !== 'as it is'] as const];
      const twice = gone.length > 0 && purpose.direction === 'in' ? [[sample(...TWICE), false] as const] : [];
      const number = row * ROW + index + 1;
      return { number, expression: cleanMessage(request, response, purpose), checks: [...gone, ...twice] };
    }),
  );
}

function groupsOfTheirOwn(): readonly Group[] {
  const groups: readonly Omit<Group, 'number'>[] = [
    {
      word: 'WELL_FORMED',
      expression: wellFormedMessage(),
      checks: [
        [sample('X'), true],
        [sample(...TWICE), false],
      ],
    },
    { word: 'MANY', expression: manyRows(), checks: [[sample('X'), false]] },
    { word: 'PARTS', expression: manyParts(), checks: [[sample('X'), false]] },
  ];
  return groups.map((group, index) => ({ ...group, number: GROUP_ROWS.length * ROW + index }));
}

/** What a profile does to requests and to responses on this way. */
export function hooksOf(
  { hooks }: Profile,
  direction: Purpose['direction'],
): { readonly request: HookProfile; readonly response: HookProfile } {
  return direction === 'in'
    ? { request: hooks['request-in'], response: hooks['response-in'] }
    : { request: hooks['request-out'], response: hooks['response-out'] };
}

/** A request with rows of these names, as a Kamailio string has it. */
function sample(...names: readonly string[]): string {
  return `OPTIONS sip:a SIP/2.0\\r\\nTo: <sip:a>\\r\\n${names.map((name) => `${name}: 0\\r\\n`).join('')}\\r\\n`;
}

/**
 * Any message whose header block every reader reads alike: lines of token, colon, text, CRLF up to the empty line, and one
 * length at most. No NUL, which RFC 4475 §3.1.1.2 has in quoted text: the answer that mirrors it is read by nobody.
 */
function wellFormedMessage(): string {
  const length = `(?:content-length|l)${COLON}(?(<l>)(?!))(?<l>)${BLANKS}[0-9]{1,9}+${BLANKS}`;
  const other = `(?!(?:content-length|l)${COLON})${CLOSING}[${TOKEN}]++${COLON}[^${NOT}]*+`;
  return `(*COMMIT)\\A(?:\\r\\n)*+(?=[^ \\t\\r])[^${NOT}]++${END}(?:(?:${other}|${length})${END})++${END}${REMEMBERED}`;
}

/** A message whose header block has more rows than that: found before anything has read them all. */
function manyRows(): string {
  return `(*COMMIT)\\A(?:\\r\\n)*+[^\\r\\n]++${END}(?:[^\\r\\n]++${END}){${MOST_ROWS + 1}}`;
}

/**
 * A message that names such a type more often than that, or behind a NUL, where POSIX reads no further: found before anything is
 * taken out of it.
 */
function manyParts(): string {
  const type = typeOf('\\s*+', '(?:');
  const part = `(?:[^a]++|a(?!${type.slice(1)}))*+${type}`;
  return `(*COMMIT)\\A(?:(?:${part}){${MOST_PARTS + 1}}|[^\\x00]*+\\x00${part})`;
}

/** A type of which no part of a body may be, as POSIX reads it. */
export function refusedPart(): string {
  return typeOf('[ \t\r\n]*', '(');
}

/** MIME lets a line be folded wherever a blank may stand. */
function typeOf(blanks: string, group: string): string {
  return `application${blanks}/${blanks}${group}${REFUSED_SUBTYPES.map(literal).join('|')})`;
}

/** Longest line that the regex module reads is 495 bytes; `[` and `]{0}` around a line break make it match nothing. */
const LINE = 320;

/** The text of siptrust-groups.txt. */
export function kamailioGroupFile(): string {
  const groups = new Map(kamailioGroups().map(({ number, expression }) => [number, expression]));
  const lines = [
    `# ${HEADER_POLICY}: generated by "siptrustctl headers --kamailio siptrust-groups.txt"; do not edit. See siptrust-headers.cfg.`,
    `# Groups of a script's own come behind these, and count from ${OWN_GROUPS} (siptrust.cfg, SIPTRUST_OWN_REGEX).`,
  ];
  for (let number = 0; number < OWN_GROUPS; number++) {
    lines.push(`[${number}]`, ...folded(groups.get(number) ?? NEVER));
  }
  return `${lines.join('\n')}\n`;
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
