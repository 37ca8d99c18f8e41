/**
 * JSON whose objects name each member once (RFC 8259 §4). JSON.parse lets the last one win in silence, other readers the
 * first: of two certificates in one question nobody knows which one was meant.
 */

import { isRecord } from '../../typed.js';

/** A member that an object names twice. */
export class RepeatedMember extends Error {
  constructor(readonly member: string) {
    super(`${JSON.stringify(member.slice(0, LONGEST_NAME))} stands twice in one object`);
    this.name = 'RepeatedMember';
  }
}

const LONGEST_NAME = 64;
const MOST_DEPTH = 8;
/** Less than any text can make up for. */
const UNKNOWN = -(2 ** 40);
const BLANK = 0x20;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/**
 * Text that is as short as what was kept of it can be written holds nothing besides. Only of other text, with blanks or
 * escapes, the members are counted: each question pays for this.
 * @throws {SyntaxError} no JSON
 * @throws {RepeatedMember}
 */
export function parseStrictJson(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  if (leastLength(parsed, MOST_DEPTH) === text.length) return parsed;
  if (typeof parsed === 'object' && parsed !== null && membersNamed(text) !== membersKept(parsed)) {
    throw new RepeatedMember(firstRepeated(text));
  }
  return parsed;
}

/** The length of the shortest text that holds the value, or less; below 0 where that is not easily told. */
function leastLength(value: unknown, depth: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value === 'number') {
    // 1000 is 1e3 as well.
    return Number.isSafeInteger(value) && (value % 1000 !== 0 || value === 0) ? String(value).length : UNKNOWN;
  }
  if (value === null || value === true) return 4;
  if (value === false) return 5;
  if (depth === 0) return UNKNOWN;
  // The brackets, and a comma less than there are members.
  let length = 1;
  if (Array.isArray(value)) {
    for (const each of value) length += 1 + leastLength(each, depth - 1);
  } else if (isRecord(value)) {
    // Of what JSON.parse makes all enumerable members are its own.
    for (const name in value) {
      const member = value[name];
      length += name.length + 4 + (typeof member === 'string' ? member.length + 2 : leastLength(member, depth - 1));
    }
  }
  return length === 1 ? 2 : length;
}

/** Of valid JSON: every string that a colon follows. */
function membersNamed(text: string): number {
  let named = 0;
  for (let start = text.indexOf('"'); start >= 0; ) {
    const end = endOfString(text, start);
    if (isMember(text, end)) named += 1;
    start = text.indexOf('"', end + 1);
  }
  return named;
}

/** Whether a colon comes after a string that ends here; blanks may stand before it (RFC 8259 §2). */
function isMember(text: string, end: number): boolean {
  let next = end + 1;
  while (text.charCodeAt(next) <= BLANK) next += 1;
  return text.charCodeAt(next) === COLON;
}

/** The quotation mark that ends a string: one before which the backslashes are of an even number. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (text.charCodeAt(end - 1) === BACKSLASH) {
    let first = end - 1;
    while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
    if ((end - first) % 2 === 0) break;
    end = text.indexOf('"', end + 1);
  }
  return end;
}

/** JSON.parse stands any depth: no recursion here either. */
function membersKept(parsed: object): number {
  let kept = 0;
  const open: object[] = [parsed];
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    const values: readonly unknown[] = Array.isArray(each) ? each : Object.values(each);
    if (!Array.isArray(each)) kept += values.length;
    for (const value of values) if (typeof value === 'object' && value !== null) open.push(value);
  }
  return kept;
}

/** Of valid JSON that names one member twice. */
function firstRepeated(text: string): string {
  const open: Set<string>[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const each = text[at];
    if (each === '{') open.push(new Set());
    else if (each === '}') open.pop();
    if (each !== '"') continue;
    const end = endOfString(text, at);
    const string = text.slice(at, end + 1);
    at = end;
    if (!isMember(text, end)) continue;
    const name = String(JSON.parse(string));
    if (open.at(-1)?.has(name) === true) return name;
    open.at(-1)?.add(name);
  }
  return '';
}
