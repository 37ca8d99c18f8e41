/** What is wrong with a line that is no YAML, in words: of the mistakes that are made most, with what to write instead. */

/** A fault as the YAML library tells it. */
export interface YamlFault {
  readonly code: string;
  readonly message: string;
}

/** What follows the first faults of broken YAML mostly follows from them. */
const MOST_FAULTS = 10;

/** Of a quotation mark: the library places it where what it opened ends. */
export const UNCLOSED = 'Missing closing';

const NO_COLON = 'expected "key: value", found a line without ": " (a colon and a blank)';

const MORE =
  'expected the end of the value, found more behind a closing quotation mark or bracket, or one that closes nothing (text that holds or begins with one needs quotes, as an IPv6 address with a port does)';

const WORDS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'expected blanks as indentation, found a tab',
  MULTIPLE_DOCS: 'expected one document, found another (after "---" or "...")',
  TAG_RESOLVE_FAILED: 'expected no tag: text that begins with "!" needs quotes',
  UNEXPECTED_TOKEN: MORE,
  MULTILINE_IMPLICIT_KEY: NO_COLON,
  BLOCK_AS_IMPLICIT_KEY:
    'expected one "key: value" in a line, found another ":" after the value (is the next line indented too far? Text with ": " in it needs quotes)',
};

/** By how the library's message begins: it has one code for all that is missing, and one for all that stands askew. */
const BY_BEGINNING: readonly (readonly [string, string])[] = [
  ['Implicit map keys', NO_COLON],
  [
    'Flow sequence',
    'expected "]", or more blanks in front of this line (no tab): a list that begins with "[" ends with "]"',
  ],
  [
    'Flow map',
    'expected "}", or more blanks in front of this line (no tab): a mapping that begins with "{" ends with "}"',
  ],
  ['Sequence item without', 'expected "- ", or the blanks of the line above in front, found more or fewer'],
  ['All mapping items must', 'expected the blanks of the other keys of this mapping in front, found more or fewer'],
  ['All sequence items must', 'expected the blanks of the other "- " of this list in front, found more or fewer'],
  ['Missing ,', MORE],
  ['Comments must be', 'expected a blank before "#"'],
  [UNCLOSED, 'expected a closing quotation mark, found none'],
  ['Plain value cannot start', 'expected text that begins with a letter or a digit: any other needs quotes'],
];

/** What looks like a blank where YAML wants one. Whether it stands there is asked of it alone: lines may be long. */
const LOOKALIKE = /(?=[\u00a0\u2000-\u200b\u202f\u205f\u3000])(?<=^ *(?:- +)?|[:-])./m;
const LONE_CR = /\r(?!\n)/;

/** What e-mail programs, web pages and old editors make of blanks and line ends, in a text that is no YAML; `at` is an offset. */
export function foreignBlank(text: string): { readonly at: number; readonly problem: string } | undefined {
  const end = LONE_CR.exec(text);
  if (end !== null) return { at: end.index, problem: 'expected lines that end by LF or CR LF, found CR alone' };
  const blank = LOOKALIKE.exec(text);
  const code = blank?.[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  const copied = `expected a blank, found U+${code}, which looks like one (copied out of an e-mail or a web page?)`;
  return blank === null ? undefined : { at: blank.index, problem: copied };
}

/** Words for the mistakes that are made most, and the library's own for the rest. */
export function yamlFaultText({ code, message }: YamlFault): string {
  if (message.includes('call stack')) return 'nested too deeply';
  const known = BY_BEGINNING.find(([beginning]) => message.startsWith(beginning))?.[1];
  return known ?? WORDS[code] ?? `not YAML: ${message}`;
}

/**
 * The faults that are worth telling: beside a tab all others follow from it, as all do that come after a quotation mark without
 * its end, and of two at one place the first is the mistake.
 */
export function toldFaults<F extends YamlFault & { readonly pos: readonly [number, number] }>(
  faults: readonly F[],
): F[] {
  const tabs = faults.filter(({ code }) => code === 'TAB_AS_INDENT');
  const unclosed = faults.findIndex(({ message }) => message.startsWith(UNCLOSED));
  const told = tabs.length > 0 ? tabs : faults.slice(0, unclosed === -1 ? faults.length : unclosed + 1);
  return told.filter(({ pos }, at) => pos[0] !== told[at - 1]?.pos[0]).slice(0, MOST_FAULTS);
}
