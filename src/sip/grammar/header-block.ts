/**
 * The header-block scanner: bytes in, rows and fields out, everything odd reported, nothing lost.
 *
 * It reads as a lenient proxy reads (a lone LF ends a line) and names each place where a stricter or laxer reader
 * would see something else. One pass, linear time, never throws.
 */

import { counted, printable } from '../../printable.js';
import { isBlank, isTokenCode, latin1, onlyToken, skipBlanks, trimBlanks } from './ascii.js';
import { fieldKey } from './field-names.js';

/** One header field. Strings are latin1: one char per byte. */
export interface HeaderField {
  /** As received, without trailing SP/HT. */
  readonly name: string;
  /**
   * Lower-case long name, compact forms mapped (RFC 3261 §7.3.3). Of an irregular name: what is left without the bytes
   * that no name has, so that a disguised field is found under the key it would have for a careless reader.
   */
  readonly key: string;
  /** Unfolded (RFC 3261 §7.3.1: a fold equals one SP), without SP/HT at both ends. */
  readonly value: string;
  /** Bytes of the row with its folds, without the final line end. */
  readonly raw: string;
  /** Number of the row's first line in the block, from 1. */
  readonly line: number;
  /** False: the proxy's own functions may not find this row by its name. There is then a `reject` problem too. */
  readonly regular: boolean;
}

/** One row of the block: a first line and its continuation lines. */
export interface HeaderRow {
  readonly raw: string;
  /** The line end: CRLF, LF, or empty where the block stops without one. */
  readonly end: string;
  /** Absent where the row has no colon. */
  readonly field?: HeaderField;
}

export interface Problem {
  /** Kebab-case. */
  readonly kind: string;
  /** Line in the block, from 1; 0 is the start line or the block as a whole. */
  readonly line: number;
  readonly detail: string;
  /** `reject`: another reader may see other fields; `note`: odd, but all readers agree on what matters. */
  readonly severity: 'reject' | 'note';
}

export interface HeaderBlock {
  readonly fields: readonly HeaderField[];
  readonly problems: readonly Problem[];
  /** All rows; `rows` joined (raw and end), then `blank`, then `rest` are the input. */
  readonly rows: readonly HeaderRow[];
  /** The empty line that ends the block, or empty text. Both forms are fine. */
  readonly blank: string;
  /** What follows the empty line: none of it is a header field. */
  readonly rest: string;
}

/** Notes beyond this many are left out: a report is for humans. */
export const MAX_PROBLEMS = 64;

/** A reject in place of all beyond that many: what is not looked at may be the one that nobody tolerates. */
export const TOO_MANY_PROBLEMS = 'too-many-problems';

/** Collects problems, bounded. */
export class Problems {
  readonly list: Problem[];
  #rejects: number;
  /** What was said of the line that is being looked at: once of each kind is enough. */
  readonly #said = new Set<string>();
  #line = -1;

  constructor(before: readonly Problem[] = []) {
    this.list = [...before];
    this.#rejects = before.filter(({ severity }) => severity === 'reject').length;
  }

  add(severity: Problem['severity'], kind: string, line: number, detail: string): void {
    if (line !== this.#line) this.#said.clear();
    this.#line = line;
    const said = `${severity} ${kind}`;
    if (this.#said.has(said)) return;
    this.#said.add(said);
    if (severity === 'note' ? this.list.length >= MAX_PROBLEMS : this.#rejects > MAX_PROBLEMS) return;
    if (severity === 'reject') this.#rejects += 1;
    const tooMany = severity === 'reject' && this.#rejects > MAX_PROBLEMS;
    this.list.push(
      tooMany
        ? { kind: TOO_MANY_PROBLEMS, line, detail: `expected at most ${MAX_PROBLEMS} problems, found more`, severity }
        : { kind, line, detail, severity },
    );
  }
}

interface OpenRow {
  readonly start: number;
  readonly line: number;
  /** The lines without their line ends. */
  readonly lines: string[];
  contentEnd: number;
  next: number;
}

/** Reads a header block (no start line). Never throws; time is linear in the input. */
export function scanHeaderBlock(bytes: Uint8Array): HeaderBlock {
  const text = latin1(bytes);
  const problems = new Problems();
  const rows: HeaderRow[] = [];
  const fields: HeaderField[] = [];
  let open: OpenRow | undefined;
  let firstLf = 0;
  let crlfSeen = false;
  let line = 0;
  let pos = 0;
  let blank = '';

  const close = (): void => {
    if (open === undefined) return;
    const raw = text.slice(open.start, open.contentEnd);
    const end = text.slice(open.contentEnd, open.next);
    const field = readRow(open.lines, raw, open.line, problems);
    rows.push(field === undefined ? { raw, end } : { raw, end, field });
    if (field !== undefined) fields.push(field);
    open = undefined;
  };

  while (pos < text.length) {
    line++;
    const { contentEnd, next } = lineAt(text, pos);
    const content = text.slice(pos, contentEnd);
    if (next - contentEnd === 2) crlfSeen = true;
    else if (next > contentEnd && firstLf === 0) firstLf = line;
    checkLine(content, line, problems);
    if (content === '') {
      close();
      blank = text.slice(pos, next);
      pos = next;
      break;
    }
    if (open !== undefined && isBlank(content.charCodeAt(0))) {
      open.lines.push(content);
      open.contentEnd = contentEnd;
      open.next = next;
    } else {
      close();
      open = { start: pos, line, lines: [content], contentEnd, next };
    }
    pos = next;
  }
  close();

  // RFC 3261 §7: each line ends with CRLF. LF alone throughout is read alike by all who read it at all.
  if (firstLf > 0) {
    if (crlfSeen) problems.add('reject', 'bare-lf', firstLf, 'lines end with CRLF and with LF alone in one block');
    else problems.add('note', 'lf-line-ends', firstLf, 'lines end with LF alone');
  }
  const rest = text.slice(pos);
  if (rest !== '')
    problems.add('note', 'bytes-after-end', line + 1, `${counted(rest.length, 'byte')} after the empty line`);
  return { fields, problems: problems.list, rows, blank, rest };
}

/** Where the line that begins at `pos` ends, and where the next one begins. */
function lineAt(text: string, pos: number): { readonly contentEnd: number; readonly next: number } {
  const lf = text.indexOf('\n', pos);
  if (lf < 0) return { contentEnd: text.length, next: text.length };
  return { contentEnd: lf > pos && text.charCodeAt(lf - 1) === 0x0d ? lf - 1 : lf, next: lf + 1 };
}

function checkLine(content: string, line: number, problems: Problems): void {
  if (content.includes('\r')) {
    problems.add('reject', 'bare-cr', line, 'a CR without LF, which some readers take for a line end');
  }
  if (!isBlank(content.charCodeAt(0))) return;
  if (line === 1) problems.add('reject', 'leading-space', line, 'the first line of the block starts with white space');
  if (skipBlanks(content, 0) === content.length) {
    problems.add('reject', 'blank-continuation', line, 'a line of white space alone: a fold or the end of the block');
  }
}

/** One row into a field; undefined where there is no colon to tell a name from a value. */
function readRow(lines: readonly string[], raw: string, line: number, problems: Problems): HeaderField | undefined {
  const first = lines[0] ?? '';
  let colon = first.indexOf(':');
  let head = first;
  let following = 1;
  if (colon < 0) {
    // HCOLON = *( SP / HTAB ) ":" SWS: a fold before the colon is not SIP, yet a reader that unfolds first sees a field.
    while (colon < 0 && following < lines.length) {
      head = lines[following++] ?? '';
      colon = head.indexOf(':');
    }
    if (colon < 0) {
      problems.add('reject', 'no-colon', line, `"${printable(first)}" holds no colon`);
      return undefined;
    }
    problems.add(
      'reject',
      'fold-before-colon',
      line,
      `"${printable(first)}" goes on in the next line before its colon`,
    );
  }
  const name = trimBlanks([...lines.slice(0, following - 1).map(trimBlanks), head.slice(0, colon)].join(' '));
  const value = unfold([head.slice(colon + 1), ...lines.slice(following)]);
  const regular = following === 1 && !isBlank(first.charCodeAt(0)) && checkName(name, line, problems);
  const key = fieldKey(regular ? name : onlyToken(name));
  return { name, key, value, raw, line, regular };
}

/** Says what is wrong with a name that is not a token (RFC 3261 §25.1), and whether it is one. */
function checkName(name: string, line: number, problems: Problems): boolean {
  if (name === '') {
    problems.add('reject', 'name-empty', line, 'the field has no name before its colon');
    return false;
  }
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (isTokenCode(code)) continue;
    const at = `"${printable(name)}" at byte ${i + 1}`;
    if (code === 0xa0) problems.add('reject', 'name-no-break-space', line, at);
    else if (code < 0x20 || code === 0x7f) problems.add('reject', 'name-control', line, at);
    else if (code === 0x20) problems.add('reject', 'name-space', line, at);
    else if (code === 0xc2 && name.charCodeAt(i + 1) === 0xa0) problems.add('reject', 'name-no-break-space', line, at);
    else problems.add('reject', 'name-not-token', line, at);
    return false;
  }
  return true;
}

/** RFC 3261 §25.1: LWS = [*WSP CRLF] 1*WSP, all of it equal to one SP. */
function unfold(parts: readonly string[]): string {
  if (parts.length === 1) return trimBlanks(parts[0] ?? '');
  return trimBlanks(parts.map(trimBlanks).join(' '));
}
