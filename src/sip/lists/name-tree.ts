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
 * Matches a name of the set and `end`, what stands behind it; of a prefix `rest`, what may follow it, and `end`. For PCRE:
 * no beginning is tried twice.
 */
export function nameOf(names: readonly string[], end: string, rest = ''): string {
  return alternatives(treeOf(names), end, rest);
}

function alternatives({ children, ends, prefix }: Node, end: string, rest: string): string {
  if (prefix) return rest + end;
  const parts = [...children].map(([head, node]) => escaped(head) + alternatives(node, end, rest));
  if (ends) parts.push(end);
  return parts.length === 1 ? (parts[0] ?? '') : `(?:${parts.join('|')})`;
}

/**
 * Matches a whole name that is none of the set, blanks behind it included: a POSIX extended expression, to be matched
 * without regard to case. No backslash in it.
 */
export function otherNameThan(names: readonly string[]): string {
  const tree = treeOf(names);
  return `(${otherStart(tree, true)}[^${IN_NAME}]*|${beginning(tree)})`;
}

/** What is in a name; no blank where a name of the set would end. */
const IN_NAME = ':\r\n';

/** Up to the character that tells a name from those of the set. */
function otherStart({ children, ends }: Node, first: boolean): string {
  // The hyphen last, where it is one in a bracket expression.
  const heads = [...children.keys()].sort((a, b) => Number(a === '-') - Number(b === '-')).join('');
  const parts = [`[^${IN_NAME}${first || ends ? ' \t' : ''}${heads}]`];
  for (const [head, node] of children) if (!node.prefix) parts.push(escaped(head) + otherStart(node, false));
  return parts.length === 1 ? parts.join('') : `(${parts.join('|')})`;
}

/** A beginning that is no name of the set itself. */
function beginning({ children }: Node): string {
  const parts = [...children].flatMap(([head, node]) => {
    if (node.prefix) return [];
    const longer = node.children.size === 0 ? '' : beginning(node);
    if (longer === '') return node.ends ? [] : [escaped(head)];
    return [`${escaped(head)}${node.ends ? longer : `(${longer})?`}`];
  });
  return parts.length < 2 ? parts.join('') : `(${parts.join('|')})`;
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

/** Matches what all words of token characters that are none of the set begin with, but beginnings of its names: POSIX; none of `not` is the first. */
export function startOfOtherWordThan(names: readonly string[], not = ''): string {
  return startOfWord(treeOf(names), not, '');
}

/** Matches a beginning of a name of the set that is no name of the set itself. */
export function beginningOf(names: readonly string[]): string {
  return beginning(treeOf(names));
}

/** Matches a word of token characters that is none of the set: POSIX. What follows must be no character of a word, nor of an escaped one. */
export function otherWordThan(names: readonly string[]): string {
  const tree = treeOf(names);
  return `(${startOfWord(tree, '', `[${WORD}]*`)}|${beginning(tree)})`;
}

/** The characters of a token (RFC 3261 §25.1) without the percent sign; the hyphen first. */
export const WORD = "-a-z0-9.!*_+`'~";

function startOfWord({ children }: Node, not: string, rest: string): string {
  const heads = [...children.keys()];
  const letters = [...'abcdefghijklmnopqrstuvwxyz'].map((char) => (heads.includes(char) ? ' ' : char)).join('');
  const runs = letters.split(/ +/).map((run) => (run.length > 3 ? `${run.charAt(0)}-${run.slice(-1)}` : run));
  const marks = [..."0-9.!*_+`'~"].filter((char) => !not.includes(char)).join('');
  const others = `[${heads.includes('-') ? '' : '-'}${runs.join('')}${marks}]${rest}`;
  const longer = [...children].flatMap(([head, node]) =>
    node.prefix ? [] : [escaped(head) + startOfWord(node, '', rest)],
  );
  return longer.length === 0 ? others : `(${[others, ...longer].join('|')})`;
}
