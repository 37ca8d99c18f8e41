/**
 * What the gate out lets pass: POSIX extended expressions over the last bytes of a message, whole lines from its start, to be
 * matched without regard to case. A match means that it may leave; what they do not know is not sent.
 */

import { asciiLower, spellings } from '../grammar/index.js';
import { type HookProfile, URI_FIELDS } from '../table/index.js';
import { otherNameThan, otherWordThan, WORD } from './name-tree.js';
import { withoutEscapedSemicolon } from './whole-lines.js';

/**
 * A header block in which no line bears a name of the list: what the gate out lets pass of messages that were cleaned; where
 * a plan has cleaned them, with what plans may let stay. What list and plan let stay in values passes with it.
 * @param letters every name begins with a letter: for requests whose rows were taken out behind the script, but calls for help
 */
export function bearsNoName(
  { remove, kept, removeUnlessEmergency, judged }: HookProfile,
  planned: boolean,
  letters: boolean,
): string {
  const gone = [...remove, ...removeUnlessEmergency];
  // What a script writes into a row that is taken out stands before the name of the next one: `sip:user;gr=1Subject:`, and a
  // number begins it (`4955512Subject:`).
  const names = [otherNameThan([...gone, 'sip', 'sips', 'tel'], ':\r\n;<>@=', letters), `[ \t]+${otherNameThan(gone)}`];
  const further = [...kept, ...(planned ? judged : [])].map(asciiLower);
  if (further.length > 0) names.push(`(${further.join('|')})[ \t]*`);
  // What our own side has folded stays so: in no line, of whatever kind, does such a name stand at the beginning.
  return `^[^\r\n]*\r\n((${names.join('|')}):[^\r\n]*\r\n|[ \t]+[^:\r\n]*\r\n)*\r\n`;
}

/** What may stand behind the name of a parameter: no byte that one reader or another takes for a blank before a further name. */
const BEHIND_NAME = '[],#$&(),/:<=>@[\\^{|}]';

/**
 * The same, and in no line that holds URIs a forbidden parameter or, outside quotes, a question mark: what the gate out
 * lets pass of messages that nobody has looked at.
 */
export function bearsNothing({ remove, kept, removeUnlessEmergency, lines }: HookProfile, response: boolean): string {
  const gone = [...remove, ...removeUnlessEmergency];
  const uriFields = [...URI_FIELDS, 'record-route', 'via']
    .flatMap(spellings)
    .filter((key) => !gone.some((name) => covers(name, key)));
  const quoted = '"([^\\\\"\r\n]|\\\\[^\r\n])*"';
  const text = withoutEscapedSemicolon('\r\n;?"', `|${quoted}`);
  // A parameter: another name than these, not escaped, and then its value, the next one or the end of the line.
  const params = `${text}(;[ \t]*${otherWordThan(lines.uriParams)}[ \t]*(${BEHIND_NAME}${text})?)*`;
  return [
    response ? '^[^\r\n]*\r\n' : `^${params}(SIP/2[.]0)?\r\n`,
    `(${otherNameThan([...gone, ...uriFields])}:[^\r\n]*\r\n`,
    ...(kept.length > 0 ? [`|(${kept.map(asciiLower).join('|')})[ \t]*:[^\r\n]*\r\n`] : []),
    `|(${uriFields.join('|')})[ \t]*:${params}\r\n`,
    ')*\r\n',
  ].join('');
}

/** Rows of the header block up to one. */
const UP_TO_A_ROW = '^[^\r\n]*(\r\n[^\r\n]+)*\r\n';

/** A row whose name stands behind a URI, or behind what a script writes before one: `Anonymoussip:a@a.exampleCall-ID:`. */
export function bearsGluedName(): string {
  const names = ['call-id', 'cseq', 'contact', 'max-forwards', 'content-(length|type)'];
  // (`Hotel: d` is a name of its own.)
  return `${UP_TO_A_ROW}[^: \t\r\n]*[^-: \t\r\n]((sips?|tel):[^: \t\r\n]+|${names.join('|')}):`;
}

/** To, which most write behind From: where no row begins with it, it stands behind something else (`AnonymousTo:`). */
export const BEARS_TO = `${UP_TO_A_ROW}to?[ \t]*:`;

/** A Route, as Kamailio writes it, that may bear one of these parameters, escaped ones too, or what is embedded. */
export function bearsInRoute(uriParams: readonly string[]): string {
  return `\nRoute:[^\r\n]*([?%]|;[ \t]*(${uriParams.join('|')})([^${WORD}]|$))`;
}

function covers(name: string, key: string): boolean {
  const lower = asciiLower(name);
  return lower.endsWith('*') ? key.startsWith(lower.slice(0, -1)) : lower === key;
}
