/**
 * What the gate out lets pass: POSIX extended expressions over the last bytes of a message, whole lines from its start, to be
 * matched without regard to case. A match means that it may leave; what they do not know is not sent.
 */

import { asciiLower, spellings } from '../grammar/index.js';
import { EMBEDDABLE, type HookProfile, LOOSE_FIELDS, URI_FIELDS } from '../table/index.js';
import { heads, lettersBut } from './clean-values.js';
import { otherNameThan, otherWordThan, WORD } from './name-tree.js';

/**
 * Messages of one kind that bear nothing which this profile lets nobody see: no field of its list, no forbidden parameter and,
 * outside quotes, no header field that a URI embeds. `planned`: a plan has cleaned them, which may let stay what the list would
 * take out. Nothing is said of what was looked at before: what the script has written since, only the gate out sees.
 */
export function bearsNothing(hook: HookProfile, kind: 'request' | 'response', planned: boolean): string {
  const { remove, removeUnlessEmergency, judged, lines } = hook;
  const gone = [...remove, ...removeUnlessEmergency];
  const stay = planned ? judged.map(asciiLower) : [];
  const withUris = [...URI_FIELDS, ...LOOSE_FIELDS, 'record-route', 'via'].flatMap(spellings);
  const uriFields = withUris.filter((key) => !gone.some((name) => covers(name, key)) || stay.includes(key));
  const others = stay.filter((name) => !uriFields.includes(name));
  const value = valueBut(lines.uriParams);
  const rows = [
    `(${otherNameThan([...gone, ...uriFields])}${others.map((name) => `|${name}${BLANKS}`).join('')}):[^\r\n]*`,
    `((${uriFields.join('|')})${BLANKS}:|${goesOn(gone, lines.uriParams)})${value}`,
    wordsGoOn(lines.uriParams),
    // (RFC 3261 §20 wants brackets around that.)
    `(${DIALOG_FIELDS.join('|')})${BLANKS}:[^%${STOPS}<>]*[?]replaces=${embedded(lines.uriParams)}`,
  ];
  return `^${kind === 'request' ? value : '[^\r\n]*'}\r\n((${rows.join('|')})\r\n)*\r\n`;
}

function covers(name: string, key: string): boolean {
  const lower = asciiLower(name);
  return lower.endsWith('*') ? key.startsWith(lower.slice(0, -1)) : lower === key;
}

/** Where a dialog may be named (RFC 3891). */
const DIALOG_FIELDS: readonly string[] = ['refer-to', 'referred-by'].flatMap(spellings);
const BLANKS = '[ \t]*';
const STOPS = ';?"\r\n';
/** An escaped character that is no semicolon, with percent signs before it. */
const escapedBut = (stops: string): string => `%(%|3%)*([^%3${stops}]|3[^%b${stops}])`;
/** Percent signs before something that is no part of an escape. */
const PERCENTS = '(%(%|3%)*3?)?';
const ESCAPED_SEMICOLON = '%(%|3%)*3b';
const QUOTED = '"([^\\\\"\r\n]|\\\\[^\r\n])*"';
/** What may follow a name: it has ended. */
const NAME_ENDS = `([^${WORD}%;?"\r\n]|%3d)`;
/** What stands for a value without a name. No byte that one reader or another takes for a blank before a name. */
const NAMELESS = '[#$&(),/:<=>@{|}]';
/** The header fields that some URIs may embed. None of them says who somebody is, so that they pass in all. */
const EMBEDDED = [...new Set([...EMBEDDABLE.values()].flatMap((names) => [...names]))].join('|');

/** A value that bears no forbidden parameter and embeds none but those header fields. */
function valueBut(uriParams: readonly string[]): string {
  const ordinary = ordinaryParam(uriParams);
  // No header field without an equals sign: what follows a question mark is part of a user, of a name, or of a web address.
  const question = '[?][^=%;"<>\r\n]*';
  const web = `<https?:([^%;"<>\r\n]|${escapedBut(`${STOPS}<>`)})*>`;
  const text = (quoted: string): string =>
    `([^%${STOPS}]|${escapedBut(STOPS)}|${question}[<>]|${web}|${quoted})*${PERCENTS}(${question})?`;
  // Behind a parameter what stands in quotes is looked at, too: feature tags have URIs there (RFC 7549 §4).
  const quotedUris = `"([^%;"\\\\\r\n]|\\\\[^\r\n]|${escapedBut(';"\\\\\r\n')}|(;|${ESCAPED_SEMICOLON})${ordinary})*"`;
  const more = text(quotedUris);
  // Whoever decodes a user part before looking into it finds a parameter behind an escaped semicolon, too.
  const param = `(;|${ESCAPED_SEMICOLON})${BLANKS}(${otherWordThan(uriParams)}(${NAME_ENDS}${more})?|${NAMELESS}${more})?`;
  const headers = `[?]([&]?(${EMBEDDED})=${embedded(uriParams)})+>${more}`;
  // A quoted string that never ends: nothing begins as a forbidden parameter does, wherever the quotes are taken to be.
  return `${text(QUOTED)}(${param}|${headers})*("([^%${STOPS}]|;${ordinary})*)?`;
}

/** How a parameter begins that is told by its first letter, and the one of RFC 3326 and RFC 4458. */
function ordinaryParam(uriParams: readonly string[]): string {
  return `([${lettersBut(heads(uriParams))}]|cause(=|%3d))`;
}

/** The value of an embedded header field. */
function embedded(uriParams: readonly string[]): string {
  const stops = '&=;?"<>\r\n';
  const param = `${ESCAPED_SEMICOLON}${ordinaryParam(uriParams)}`;
  return `([^%${stops}]|${escapedBut(stops)}|${param})*${PERCENTS}`;
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
