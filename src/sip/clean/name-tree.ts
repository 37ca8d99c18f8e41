/** Sets of header field names as expressions: a name of the set, or, for matchers that know no "not", any other name. */

import { asciiLower } from '../grammar/index.js';

/** Where a name of the set may end, and what may follow: `*` for any rest. */
interface Node {
  readonly children: ReadonlyMap<string, Node>;
  readonly ends: boolean;
  readonly prefix: boolean;
}

/** Names in lower case; `P-*` stands for every name that starts so. */
function treeOf(names: readonly string[]): Node {
  const lower = [...new Set(names.map(asciiLower))];
  const heads = [...new Set(lower.filter((name) => name !== '' && name !== '*').map((name) => name.charAt(0)))].sort();
  return {
    children: new Map(
      heads.map((head) => [head, treeOf(lower.filter((name) => name.startsWith(head)).map((name) => name.slice(1)))]),
    ),
    ends: lower.includes(''),
    prefix: lower.includes('*'),
  };
}

function escaped(char: string): string {
  return /[A-Za-z0-9-]/.test(char) ? char : `[${char}]`;
}

/**
 * Matches a name of the set, or as much of one as a prefix in it says. For PCRE: no beginning is tried twice.
 */
export function nameOf(names: readonly string[]): string {
  return alternatives(treeOf(names));
}

/** What begins as a name of the set, or with an escape in place of one of its characters. For PCRE. */
export function nameOrEscape(names: readonly string[]): string {
  return alternatives(treeOf(names), ['%']);
}

/** `more`: what may stand in place of any further character of a name. */
function alternatives({ children, ends, prefix }: Node, more: readonly string[] = []): string {
  if (prefix || (ends && more.length > 0)) return '';
  const parts = [...[...children].map(([head, node]) => escaped(head) + alternatives(node, more)), ...more];
  if (ends) parts.push('');
  return parts.length === 1 ? (parts[0] ?? '') : `(?:${parts.join('|')})`;
}

/**
 * Matches a whole name that is none of the set, blanks behind it included: a POSIX extended expression, to be matched
 * without regard to case. No backslash in it.
 * @param stops characters that are in no name
 */
export function otherNameThan(names: readonly string[], stops = ENDS_NAME, start: NameStart = 'any'): string {
  return otherThan(treeOf(names), stops, true, start);
}

/** What such a name may begin with. */
export type NameStart = 'letter' | 'any';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** The characters of `all` that are not among `heads`. */
function others(all: string, heads: string): string {
  return [...all].filter((char) => !heads.includes(char)).join('');
}

/** What is in no name; no blank where a name of the set would end. */
const ENDS_NAME = ':\r\n';

function otherThan({ children, ends }: Node, stops: string, first: boolean, start: NameStart = 'any'): string {
  // The hyphen last, where it is one in a bracket expression.
  const heads = [...children.keys()].sort((a, b) => Number(a === '-') - Number(b === '-')).join('');
  const blanks = first || ends ? ' \t' : '';
  const other = start === 'letter' ? `[${others(LETTERS, heads)}]` : `[^${stops}${blanks}${heads}]`;
  const parts = [`${other}[^${stops}]*`];
  for (const [head, node] of children) {
    if (!node.prefix) parts.push(escaped(head) + otherThan(node, stops, false));
  }
  // Behind a beginning that is no name of the set itself, the name may end.
  const all = parts.length === 1 && (first || ends) ? parts.join('') : `(${parts.join('|')})`;
  return `${all}${first || ends ? '' : '?'}`;
}

/**
 * Matches the beginning of a name that is none of the set, as far as it takes to tell; the name ends where the text does.
 * POSIX, to be matched without regard to case. (glibc spends on each character that a match takes in.)
 */
export function startOfOtherNameThan(names: readonly string[]): string {
  return startOfOther(treeOf(names));
}

function startOfOther({ children, ends, prefix }: Node): string {
  if (prefix) throw new Error('expected a name that is none of the set, found a set of all');
  // The hyphen last, where it is one in a bracket expression.
  const heads = [...children.keys()].sort((a, b) => Number(a === '-') - Number(b === '-')).join('');
  const others = (ends ? ' \t' : '') + heads;
  const parts = [others === '' ? '.' : `[^${others}]`, ...(ends ? [] : ['$'])];
  for (const [head, node] of children) if (!node.prefix) parts.push(escaped(head) + startOfOther(node));
  return parts.length === 1 ? parts.join('') : `(${parts.join('|')})`;
}

/**
 * Matches a word of token characters, possibly empty, that is none of the set: POSIX. What follows must not be a character
 * of a word, nor the percent sign of an escaped one.
 */
export function otherWordThan(names: readonly string[]): string {
  return otherWord(treeOf(names));
}

/** The characters of a token (RFC 3261 §25.1) without the percent sign; the hyphen first. */
export const WORD = "-a-z0-9.!*_+`'~";

function otherWord({ children, ends }: Node): string {
  const start = others(`-${LETTERS}0123456789.!*_+\`'~`, [...children.keys()].join(''));
  const parts = [`[${start}][${WORD}]*`, ...[...children].map(([head, node]) => escaped(head) + otherWord(node))];
  return `(${parts.join('|')})${ends ? '' : '?'}`;
}
