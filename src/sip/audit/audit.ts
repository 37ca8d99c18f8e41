/**
 * The header audit: what in this block might another reader see differently?
 *
 * `reject` means that no list of removals cleans the message with certainty; from an untrusted peer such a message is
 * answered 400 (rulebook §3). `note` means that the message is odd or wrong, but every reader finds the same private
 * fields in it.
 */

import { printable } from '../../printable.js';
import {
  ADDRESS_FIELDS,
  asciiLower,
  fieldKey,
  type HeaderBlock,
  type HeaderField,
  hasOpenQuote,
  hasRareChar,
  IDENTITY_FIELDS,
  inspectBytes,
  isBlank,
  isDigits,
  isPrintableAscii,
  isPrivateName,
  isToken,
  MAX_BLOCK_BYTES,
  MAX_ROW_BYTES,
  MAX_ROWS,
  MAX_VALUES,
  ONCE_FIELDS,
  onlyToken,
  type Problem,
  Problems,
  parseHostPort,
  parseNameAddr,
  parseStartLine,
  SINGLE_FIELDS,
  skipBlanks,
  splitList,
  trimBlanks,
} from '../grammar/index.js';

export interface AuditContext {
  /** Without its line end; latin1. */
  readonly startLine?: string;
  /** What ended the start line, where that is known. */
  readonly startLineEnd?: string;
  /** The method of the request, or of the request that a response answers. */
  readonly method?: string;
  /** Further field keys whose name must not stand at the start of a continuation line. */
  readonly privateKeys?: ReadonlySet<string>;
}

/** Kind of the note on names that the proxy's parser may not know: with it, a plan that removes anything is unsure. */
export const RARE_NAME = 'name-rare-chars';

/**
 * Kind of an address or a Via in which a bracket never closes. To some readers (PJSIP, and what is built on it) the host of an IPv6
 * literal, or the comment of a Via, then goes on in the next lines and in the body, and so do the header fields.
 */
export const OPEN_BRACKET = 'open-bracket';

/** All problems of a block, those of the scanner included. Linear in the block. */
export function auditHeaderBlock(block: HeaderBlock, context: AuditContext = {}): readonly Problem[] {
  const problems = new Problems(block.problems);
  const byKey = new Map<string, HeaderField[]>();
  for (const field of block.fields) {
    const rows = byKey.get(field.key);
    if (rows === undefined) byKey.set(field.key, [field]);
    else rows.push(field);
  }
  const method = auditStartLine(block, context, problems);
  auditSizes(block, problems);
  for (const field of block.fields) {
    auditName(field, problems);
    auditBytes(field, context.privateKeys, problems);
    auditFolds(field, context.privateKeys, problems);
    auditBrackets(field, problems);
    FIELD_CHECKS.get(field.key)?.(field, problems);
  }
  for (const [key, rows] of byKey) auditList(key, rows, problems);
  auditMethod(byKey.get('cseq')?.[0], method, problems);
  if (context.startLine !== undefined) auditPresence(byKey, problems);
  return problems.list;
}

/** Returns the method that the message claims outside its CSeq. */
function auditStartLine(block: HeaderBlock, context: AuditContext, problems: Problems): string | undefined {
  const { startLine, startLineEnd } = context;
  if (startLineEnd === '\r\n' && block.problems.some((problem) => problem.kind === 'lf-line-ends')) {
    problems.add('reject', 'bare-lf', 0, 'the start line ends with CRLF, the lines of the header block with LF alone');
  }
  if (startLine === undefined) return context.method;
  const parsed = parseStartLine(startLine);
  if (parsed.kind === 'malformed') {
    problems.add('reject', 'start-line', 0, parsed.detail);
    return context.method;
  }
  if (asciiLower(parsed.version) !== 'sip/2.0') {
    problems.add('note', 'sip-version', 0, `expected SIP/2.0, found "${printable(parsed.version)}"`);
  }
  if (parsed.kind === 'response') return context.method;
  if (parsed.uri.kind === 'malformed') {
    const kind = parsed.uri.fault === 'ipv6' ? 'unbracketed-ipv6' : 'request-uri';
    problems.add('reject', kind, 0, parsed.uri.detail);
  } else if (parsed.uri.kind === 'sip' && parsed.uri.headers.length > 0) {
    // RFC 4475 §3.1.2.11: may be answered 400, or ignored; the message plan takes them out.
    problems.add('note', 'request-uri-headers', 0, 'the Request-URI holds header fields');
  }
  return parsed.method;
}

function auditSizes(block: HeaderBlock, problems: Problems): void {
  let bytes = 0;
  for (const row of block.rows) {
    bytes += row.raw.length + row.end.length;
    if (row.raw.length > MAX_ROW_BYTES) {
      const line = row.field?.line ?? 0;
      problems.add('reject', 'row-too-long', line, `expected at most ${MAX_ROW_BYTES} bytes, found ${row.raw.length}`);
    }
  }
  if (bytes > MAX_BLOCK_BYTES) {
    problems.add('reject', 'block-too-long', 0, `expected at most ${MAX_BLOCK_BYTES} bytes, found ${bytes}`);
  }
  if (block.rows.length > MAX_ROWS) {
    problems.add('reject', 'too-many-rows', 0, `expected at most ${MAX_ROWS} rows, found ${block.rows.length}`);
  }
}

/** P-14: what no header value holds, or what some readers take for the end of the value. */
function auditBytes(field: HeaderField, privateKeys: ReadonlySet<string> | undefined, problems: Problems): void {
  if (isPrintableAscii(field.value)) return;
  const found = inspectBytes(field.value);
  const { line } = field;
  const label = printable(field.name);
  if (found.control !== undefined) {
    problems.add('reject', 'value-control', line, `${label} holds the control byte 0x${hex(found.control)}`);
  }
  if (found.escapedControl !== undefined) {
    problems.add('note', 'escaped-control', line, `${label} holds the escaped byte 0x${hex(found.escapedControl)}`);
  }
  if (found.overlong) {
    problems.add('reject', 'overlong-utf8', line, `${label} holds a character in more bytes than it needs`);
  } else if (found.invalidUtf8) {
    // Latin-1 in a display name: wrong, and everybody finds the same fields.
    problems.add('note', 'invalid-utf8', line, `${label} holds bytes that are not UTF-8`);
  }
  if (found.unicodeLineBreak) {
    problems.add('reject', 'unicode-line-break', line, `${label} holds a character that ends a line in Unicode`);
  }
  for (const [, name = ''] of field.value.matchAll(BEHIND_LINE_END)) {
    const key = fieldKey(name);
    if (!isPrivate(key, privateKeys)) continue;
    problems.add('reject', 'hidden-field', line, `${label} holds "${printable(key)}:" behind what may end a line`);
    break;
  }
}

/**
 * A name and its colon behind NEL as Latin-1 writes it, which ends a line to whoever reads the message as that, or behind a
 * character in more bytes than it needs, which may be a line end to whoever decodes it. In a display name either is harmless.
 * Characters in UTF-8 (RFC 3629 §4) are passed over whole: the second byte of a letter (Å, 内) is no NEL.
 */
const BEHIND_LINE_END = new RegExp(
  [
    '[\\xc2-\\xdf][\\x80-\\xbf]',
    '\\xe0[\\xa0-\\xbf][\\x80-\\xbf]',
    '\\xed[\\x80-\\x9f][\\x80-\\xbf]',
    '[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}',
    '\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}',
    '[\\xf1-\\xf3][\\x80-\\xbf]{3}',
    '\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2}',
    "(?:\\x85|[\\xc0\\xc1][\\x80-\\xbf]|\\xe0[\\x80-\\x9f][\\x80-\\xbf]|\\xf0[\\x80-\\x8f][\\x80-\\xbf]{2})[ \\t]*([-A-Za-z0-9.!%*_+`'~]+)[ \\t]*:",
  ].join('|'),
  'g',
);

/** Is this the name of a field that must go where a boundary is crossed? */
function isPrivate(key: string, privateKeys: ReadonlySet<string> | undefined): boolean {
  return isPrivateName(key) || privateKeys?.has(key) === true;
}

/** Is this the name of a field that must not stand where only some readers find one? */
function namesField(key: string, privateKeys: ReadonlySet<string> | undefined): boolean {
  return isPrivate(key, privateKeys) || SINGLE_FIELDS.has(key);
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/**
 * A continuation line that is a field to whoever does not unfold, or trims lines before reading them. What stands
 * around the name is left out, as a careless reader would.
 */
function auditFolds(field: HeaderField, privateKeys: ReadonlySet<string> | undefined, problems: Problems): void {
  const lines = field.raw.split('\n');
  for (let i = 1; i < lines.length; i++) {
    const text = lines[i] ?? '';
    const colon = text.indexOf(':');
    if (colon < 0) continue;
    const key = fieldKey(onlyToken(text.slice(0, colon)));
    if (namesField(key, privateKeys)) {
      problems.add('reject', 'folded-field', field.line + i, `a continuation line starts with "${printable(key)}:"`);
    }
  }
}

/**
 * Tokens that Kamailio takes for no header name unless it is told to (`hdr_name_extra_chars`): seen on 5.6.3 and 6.0.1,
 * one such row makes every removal of the message fail, the well-named rows included.
 */
function auditName(field: HeaderField, problems: Problems): void {
  if (!field.regular || !hasRareChar(field.name)) return;
  problems.add('note', RARE_NAME, field.line, `"${printable(field.name)}" is a token that some proxies cannot read`);
}

/** Where a host may stand, the last opening bracket of the line has a closing one behind it, and so have those before it. */
function auditBrackets({ key, value, line }: HeaderField, problems: Problems): void {
  const via = key === 'via';
  if (!via && !ADDRESS_FIELDS.has(key)) return;
  const open = via ? value.lastIndexOf('[') : Math.max(value.lastIndexOf('@['), value.lastIndexOf(':['));
  const endless = open > value.lastIndexOf(']') || (via && value.lastIndexOf('(') > value.lastIndexOf(')'));
  if (endless) problems.add('reject', OPEN_BRACKET, line, `a bracket of ${key} never closes`);
}

/** RFC 3261 §8.1.1. Max-Forwards may be missing: RFC 2543 did not have it. */
const REQUIRED_FIELDS = ['to', 'from', 'cseq', 'call-id', 'via'];

function auditPresence(byKey: ReadonlyMap<string, unknown>, problems: Problems): void {
  const missing = REQUIRED_FIELDS.filter((key) => !byKey.has(key));
  if (missing.length > 0) problems.add('note', 'missing-field', 0, `expected ${missing.join(', ')}, found none`);
}

/** Counts and, for addresses, the syntax of all values of one key. */
function auditList(key: string, rows: readonly HeaderField[], problems: Problems): void {
  const address = ADDRESS_FIELDS.has(key);
  const identity = IDENTITY_FIELDS.has(key);
  const single = SINGLE_FIELDS.has(key);
  const last = rows.at(-1);
  if (last === undefined) return;
  if (rows.length > 1 && single) {
    problems.add('reject', 'duplicate-single', last.line, `expected one ${key}, found ${rows.length} rows`);
  } else if (rows.length > 1 && ONCE_FIELDS.has(key)) {
    problems.add('note', 'repeated-field', last.line, `expected one ${key}, found ${rows.length} rows`);
  }
  if (!address && !identity && key !== 'via') return;
  let count = 0;
  for (const row of rows) {
    if (hasOpenQuote(row.value)) {
      // RFC 4475 §3.1.2.6. An identity is dropped as a whole; what stays must be readable.
      problems.add(identity ? 'note' : 'reject', 'open-quote', row.line, `a quoted string of ${key} never ends`);
      count++;
      continue;
    }
    if (row.value === '' || (key === 'contact' && row.value === '*')) continue;
    const values = splitList(row.value);
    if (single && values.length > 1) {
      problems.add('reject', 'duplicate-single', row.line, `expected one value in ${key}, found ${values.length}`);
      continue;
    }
    count += values.length;
    if (count > MAX_VALUES) break;
    for (const value of values) {
      if (key === 'via') auditVia(value, row.line, problems);
      else auditAddress(value, row, address, problems);
    }
  }
  if (count > MAX_VALUES) {
    problems.add('reject', 'too-many-values', last.line, `expected at most ${MAX_VALUES} values of ${key}`);
  }
}

function auditAddress(value: string, row: HeaderField, stays: boolean, problems: Problems): void {
  const parsed = parseNameAddr(value);
  if (!('malformed' in parsed)) return;
  const kind = parsed.fault === 'ipv6' ? 'unbracketed-ipv6' : 'address-syntax';
  problems.add(stays ? 'reject' : 'note', kind, row.line, `${row.key}: ${parsed.malformed}`);
}

/** `SIP / 2.0 / UDP host : port ; ...`: the sent-by must be readable (RFC 5118 §4.5 on `received` asks nothing). */
function auditVia(value: string, line: number, problems: Problems): void {
  const semicolon = value.indexOf(';');
  const head = semicolon < 0 ? value : value.slice(0, semicolon);
  const [, , rest = ''] = head.split('/');
  const transport = trimBlanks(rest);
  let at = 0;
  while (at < transport.length && !isBlank(transport.charCodeAt(at))) at++;
  const sentBy = parseHostPort(withoutBlanks(transport.slice(at)));
  if ('malformed' in sentBy) {
    const ipv6 = sentBy.fault === 'ipv6';
    problems.add(ipv6 ? 'reject' : 'note', ipv6 ? 'unbracketed-ipv6' : 'via-syntax', line, `via: ${sentBy.malformed}`);
  }
}

function withoutBlanks(text: string): string {
  return text.replace(/[ \t]/g, '');
}

/** Fields of which a second reading means another message, not just another value. */
const FIELD_CHECKS: ReadonlyMap<string, (field: HeaderField, problems: Problems) => void> = new Map([
  [
    'content-length',
    (field: HeaderField, problems: Problems): void => {
      // RFC 4475 §3.1.2.3: over a stream, another length is another message.
      if (!isDigits(field.value) || field.value.length > 10) {
        problems.add('reject', 'content-length', field.line, `expected digits, found "${printable(field.value)}"`);
      }
    },
  ],
  [
    'call-id',
    (field: HeaderField, problems: Problems): void => {
      const { value, line } = field;
      if (value === '' || value.includes(',') || withoutBlanks(value) !== value) {
        problems.add('reject', 'call-id', line, `expected one word, found "${printable(value)}"`);
      }
    },
  ],
  [
    'max-forwards',
    (field: HeaderField, problems: Problems): void => {
      if (!isDigits(field.value)) {
        problems.add('reject', 'max-forwards', field.line, `expected digits, found "${printable(field.value)}"`);
      } else if (Number(field.value) > 255) {
        problems.add('note', 'max-forwards-range', field.line, `expected 0 to 255, found "${printable(field.value)}"`);
      }
    },
  ],
]);

/** RFC 4475 §3.1.2.17: readers that take the method from CSeq and those that take it from the start line disagree. */
function auditMethod(cseq: HeaderField | undefined, method: string | undefined, problems: Problems): void {
  if (cseq === undefined) return;
  const { value, line } = cseq;
  let end = 0;
  while (end < value.length && !isBlank(value.charCodeAt(end))) end++;
  const number = value.slice(0, end);
  const named = value.slice(skipBlanks(value, end));
  if (!isDigits(number) || !isToken(named)) {
    problems.add('reject', 'cseq', line, `expected a number and a method, found "${printable(value)}"`);
    return;
  }
  if (number.length > 10 || Number(number) >= 2 ** 31) {
    problems.add('note', 'cseq-range', line, `expected less than 2^31, found "${printable(number)}"`);
  }
  if (method !== undefined && method !== '' && named !== method) {
    problems.add('reject', 'cseq-method', line, `expected "${printable(method)}", found "${printable(named)}"`);
  }
}
