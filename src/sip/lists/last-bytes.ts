/**
 * What the gate out lets pass: POSIX extended expressions over the last bytes of a message, whole lines from its start, to be
 * matched without regard to case. A match means that it may leave; what they do not know is not sent.
 */

import { asciiLower, IDENTITY_FIELDS, spellings } from '../grammar/index.js';
import { EMBEDDABLE, type HookProfile, LOOSE_FIELDS, URI_FIELDS } from '../table/index.js';
import { heads, lettersBut } from './clean-values.js';
import { beginningOf, otherNameThan, otherWordThan, startOfOtherWordThan, WORD } from './name-tree.js';

/** What is known of a message: it was cleaned by list or plan, or by a plan, which may let stay what the list would take out. */
export interface Known {
  readonly cleaned?: boolean;
  readonly planned?: boolean;
}

/**
 * Messages of one kind that bear nothing which this profile lets nobody see: no field of its list, no forbidden parameter and,
 * outside quotes, no header field that a URI embeds. Where list or plan have cleaned a message, the last is held against the
 * names of the list alone: what they let stay passes, and what the script has written since, only the gate out sees.
 */
export function bearsNothing(
  hook: HookProfile,
  kind: 'request' | 'response',
  { cleaned = false, planned = false }: Known,
): string {
  const { remove, removeUnlessEmergency, judged, lines } = hook;
  const gone = [...remove, ...removeUnlessEmergency];
  const stay = planned ? judged.map(asciiLower) : [];
  // Nobody cleans Record-Route, which another proxy reads back.
  const withUris = [...URI_FIELDS, ...LOOSE_FIELDS, ...(cleaned ? [] : ['record-route', 'via'])].flatMap(spellings);
  const uriFields = withUris.filter((key) => !gone.some((name) => covers(name, key)) || stay.includes(key));
  const others = stay.filter((name) => !uriFields.includes(name));
  const value = valueBut(lines.uriParams, cleaned ? gone : undefined);
  const heads = [`(${uriFields.join('|')})${BLANKS}:`, goesOn(gone, lines.uriParams)];
  const fields = [
    `(${otherNameThan([...gone, ...uriFields])}${others.map((name) => `|${name}${BLANKS}`).join('')}):[^\r\n]*`,
    wordsGoOn(lines.uriParams),
  ];
  // No field begins as a start line does, which lets one expression serve for all URIs.
  const first = kind === 'request' ? '' : 'SIP/2[^\r\n]*|';
  if (kind === 'request') heads.push(`[${WORD}]+ [a-z][-+.a-z0-9]*:`);
  return `^((${first}(${heads.join('|')})${value})\r\n((${fields.join('|')})\r\n)*)+\r\n`;
}

function covers(name: string, key: string): boolean {
  const lower = asciiLower(name);
  return lower.endsWith('*') ? key.startsWith(lower.slice(0, -1)) : lower === key;
}

const BLANKS = '[ \t]*';
/** What leads from text to a name. */
const STOPS = '&;?\r\n';
const ESCAPED = `%(%|3%)*([^%3${STOPS}"]|3[^%b${STOPS}"])`;
const SEMICOLON = '(;|%(%|3%)*3b)';
const QUOTED = '"([^\\\\"\r\n]|\\\\[^\r\n])*"';
/** A web address embeds nothing. */
const WEB = '<https?:[^"<>\r\n]*>';
/** Text with no name in it; at its end percent signs that begin no escape. */
const TEXT = `([^%${STOPS}]|${ESCAPED}|${WEB})*(%(%|3%)*3?)?`;
/** The same, from where no quoted string has begun to the first name. */
const QUOTED_TEXT = `([^%${STOPS}"]|${ESCAPED}|${WEB}|${QUOTED})*((%(%|3%)*3?)|"${TEXT})?`;
/** What ends a name, and is text. */
const NAME_ENDS = `([^${WORD}%${STOPS}]|%3d)`;
/** What stands before a name, or for a value without one. No byte that one reader or another takes for a blank. */
const BEFORE = `([[^\\\\"#$),/:<=>@{|}* \t]|]|[(][^%()${STOPS}]*[)])*`;
/** The header fields that some URIs may embed. None of them says who somebody is, so that they pass in all. */
const EMBEDDABLES = [...new Set([...EMBEDDABLE.values()].flatMap((names) => [...names]))];
/** Behind a question mark or an ampersand: one of these, or nothing with an equals sign. */
const FEW_EMBEDDED = `[?&]((${EMBEDDABLES.join('|')})=${TEXT}|[^=%<>${STOPS}]*(<[^=%<>${STOPS}]*)?(>([^=%${STOPS}]${TEXT})?)?)`;

/** A value that bears no forbidden parameter, and embeds none of `unembedded`, or next to nothing. */
function valueBut(uriParams: readonly string[], unembedded: readonly string[] | undefined): string {
  // Behind a parameter what stands in quotes is looked at, too: feature tags have URIs there (RFC 7549 §4). Whoever decodes a
  // user part before looking into it finds a parameter behind an escaped semicolon, too.
  const ways = [lookedAt(SEMICOLON, uriParams)];
  if (unembedded === undefined) ways.push(FEW_EMBEDDED);
  else {
    // By their first words, which tells them in few steps: those that say who somebody is.
    const names = unembedded
      .map(asciiLower)
      .filter((name) => name.endsWith('-*') || (IDENTITY_FIELDS.has(name) && !name.startsWith('p-')))
      .map((name) => name.replace(/-.*/, '-*'));
    ways.push(lookedAt('[?&]', names, '|[^ -~\t\r\n]'));
  }
  return `${QUOTED_TEXT}(${ways.join('|')})*`;
}

/** None of these names, and the text behind it. Where one has only begun, it has to end. `more`: what is part of none. */
function lookedAt(start: string, names: readonly string[], more = ''): string {
  const other = `(${startOfOtherWordThan(names, '*')}${more})${TEXT}`;
  return `${start}${BEFORE}(${other}|${beginningOf(names)}(${NAME_ENDS}${TEXT})?)?`;
}

/** The beginning of a line in which our own side goes on with a value (folding), and that begins no field that goes. */
function goesOn(gone: readonly string[], uriParams: readonly string[]): string {
  const other = `([^${WORD} \t%:${STOPS}]|${QUOTED})`;
  const named = `(sips?|tel|https?|[${lettersBut(heads(gone))}][${WORD}]*)${BLANKS}:`;
  const word = `;?${BLANKS}${otherWordThan(uriParams)}(${BLANKS}${other}|[ \t]+[^ \t%:${STOPS}])`;
  return `[ \t]+(${word}|;?${other}|${named})`;
}

/** The same, of words and parameters alone. */
function wordsGoOn(uriParams: readonly string[]): string {
  const word = `${otherWordThan(uriParams)}${BLANKS}(=[^%${STOPS}]*)?`;
  return `[ \t]+(${word};${BLANKS})*(${word})?`;
}
