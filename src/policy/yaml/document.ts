/**
 * One YAML file as plain values, with the place of every key and value. The only file that knows the YAML library, which
 * reads what plain-yaml.ts leaves to it: in a hundred times the time and memory, so that not much of it is read.
 */

import {
  CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
} from 'yaml';
import type { KeyPath, Place, ProblemCode, Problems } from '../reading/index.js';
import { readPlainYaml } from './plain-yaml.js';
import { utf8Text } from './utf8.js';
import { foreignBlank, toldFaults, UNCLOSED, yamlFaultText } from './yaml-fault.js';

/** Deeper than any policy, and shallow enough for the call stack. */
const MOST_DEPTH = 64;
/** Values after all aliases are followed: what the checks would have to walk. */
const MOST_VALUES = 1_000_000;
/** Values of a file of plain YAML. */
const MOST_PLAIN_VALUES = 10_000_000;
/** Octets of a file that is not plain. */
export const MOST_LIBRARY_OCTETS = 8 * 1024 * 1024;

export interface PolicyDocument {
  readonly file: string;
  /**
   * Mappings as objects without prototype, lists as arrays, scalars as text, number, boolean or null. A list of mappings right
   * below the root may be an EntryList.
   */
  readonly value: unknown;
  /** The place of the value at a key path, or of its key; where nothing stands there, of what would hold it. */
  locate(path: KeyPath, at?: 'key' | 'value'): Place;
}

/** Reads a policy file. Gives undefined, and has said why, where it cannot be read as one document. */
export function readDocument(file: string, bytes: Uint8Array, problems: Problems): PolicyDocument | undefined {
  const start: Place = { file, line: 1, column: 1 };
  const decoded = utf8Text(bytes);
  if (!('text' in decoded)) {
    const { at, problem } = decoded;
    problems.add('bad-encoding', () => ({ file, ...at }), [], problem);
    return undefined;
  }
  const { text } = decoded;
  const plain = readPlainYaml(text, MOST_PLAIN_VALUES);
  if ('value' in plain) {
    const places = new LinePlaces(file, text);
    return { file, value: plain.value, locate: (path, at = 'value') => places.of(plain.locate(path, at)) };
  }
  if (bytes.length > MOST_LIBRARY_OCTETS) {
    const expected = `a file of more than ${MOST_LIBRARY_OCTETS} bytes is read only as far as its YAML is plain`;
    const found = 'expected block lists and mappings with each value on one line, found something else';
    const at = new LinePlaces(file, text).of(plain.notPlain);
    problems.add('too-complex', () => at, [], `${expected}: ${found}, or a mistake`);
    return undefined;
  }
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return line === 0 ? start : { file, line, column: col };
  };

  const parsed = parse(text, lines);
  if (!('document' in parsed)) {
    problems.add('too-complex', () => start, [], parsed.problem);
    return undefined;
  }
  const { document } = parsed;
  // An unknown tag is only a warning to the library; a policy has no use for one.
  const faults = toldFaults([...document.errors, ...document.warnings]);
  const blank = faults.length === 0 ? undefined : foreignBlank(text);
  const lineOf = (offset: number): number => lines.linePos(offset).line;
  // One in a comment or a text does no harm. The first fault behind one that does stands in its line or the next one.
  const first = faults.find(({ pos }) => blank !== undefined && pos[1] >= blank.at);
  const foreign = blank && first && lineOf(first.pos[0]) <= lineOf(blank.at) + 1 ? blank : undefined;
  if (foreign !== undefined) problems.add('bad-yaml', () => place(foreign.at), [], foreign.problem);
  for (const fault of faults) {
    // What comes behind it follows from it.
    if (foreign !== undefined && fault.pos[1] >= foreign.at) continue;
    const at = fault.message.startsWith(UNCLOSED) ? quoteBefore(text, fault.pos[0]) : fault.pos[0];
    problems.add('bad-yaml', () => place(at), [], yamlFaultText(fault));
  }
  if (faults.length > 0) return undefined;

  const root = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) {
    problems.add('empty-file', () => start, [], 'expected a mapping of policy keys, found nothing');
    return undefined;
  }
  const placeOf = (node: Node): Place => place(node.range?.[0] ?? 0);
  const walk = new Walk(
    (code, node, path, message) => problems.add(code, () => placeOf(node), path, message),
    (node) => placeOf(node).line,
  );
  const value = walk.value(root, []);
  if (walk.failed) return undefined;
  return {
    file,
    value,
    locate: (path, at = 'value') => placeOf(walk.find(root, path, at)),
  };
}

/** Places of offsets; where lines begin is counted when somebody asks. */
class LinePlaces {
  readonly #file: string;
  readonly #text: string;
  #starts: Float64Array | undefined;

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
  }

  of(offset: number): Place {
    this.#starts ??= lineStarts(this.#text);
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { file: this.#file, line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 };
  }
}

function lineStarts(text: string): Float64Array {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return Float64Array.from(starts);
}

/** Levels that the library may be led into; what is deeper than MOST_DEPTH is said with its place after it. */
const MOST_NESTING = 500;

/** At most how deep a text is nested: steps of indentation, dashes in a row, and brackets that are open. */
function nesting(text: string): number {
  const indents: number[] = [];
  let steps = 0;
  for (const line of text.split('\n')) {
    const indent = line.length - line.trimStart().length;
    while ((indents.at(-1) ?? -1) >= indent) indents.pop();
    indents.push(indent);
    steps = Math.max(steps, indents.length);
  }
  return steps + markNesting(text);
}

/** Of what is not told by indentation. What is a bracket, and what a part of a text or a comment, the library knows. */
function markNesting(text: string): number {
  let [brackets, mostBrackets, dashes, mostDashes] = [0, 0, 0, 0];
  let before = '';
  for (const token of new Lexer().lex(text)) {
    if (before !== CST.SCALAR) {
      if (token === '[' || token === '{') mostBrackets = Math.max(mostBrackets, ++brackets);
      else if (token === ']' || token === '}') brackets = Math.max(0, brackets - 1);
      else if (token === '-' || token === '?') mostDashes = Math.max(mostDashes, ++dashes);
      else if (token.endsWith('\n')) dashes = 0;
    }
    before = token;
  }
  return mostBrackets + mostDashes;
}

/** Where the last quoted text before an offset begins. */
function quoteBefore(text: string, end: number): number {
  let [at, quote, before] = [0, end, ''];
  for (const token of new Lexer().lex(text)) {
    if (at >= end) break;
    if (before !== CST.SCALAR && /^["']/.test(token)) quote = at;
    // Marks of the lexer's own are no part of the text.
    if (token !== CST.SCALAR && token !== CST.DOCUMENT && token !== CST.FLOW_END) at += token.length;
    before = token;
  }
  return quote;
}

function parse(text: string, lineCounter: LineCounter): { readonly document: Document.Parsed } | { problem: string } {
  // Near the end of the stack it is not only an error that may come: an expression that is compiled there ends the process.
  if (nesting(text) > MOST_NESTING) return { problem: 'cannot be read as YAML: nested too deeply' };
  try {
    // The core schema of YAML 1.2, whatever the file says of itself: `off` stays text and a date stays text. Duplicates are found
    // below, with their places and without the quadratic search of the library.
    const document = parseDocument(text, {
      lineCounter,
      schema: 'core',
      resolveKnownTags: false,
      merge: false,
      strict: true,
      stringKeys: false,
      uniqueKeys: false,
      prettyErrors: false,
    });
    return { document };
  } catch (cause) {
    // The composer is recursive: the only thing that it throws is the end of its stack.
    return { problem: `cannot be read as YAML: ${cause instanceof RangeError ? 'nested too deeply' : String(cause)}` };
  }
}

const STAR = ' (text that begins with "*" needs quotes)';

type Report = (code: ProblemCode, node: Node, path: KeyPath, message: string) => void;

interface Anchored {
  readonly node: Node;
  readonly value: unknown;
  readonly size: number;
}

/** Turns nodes into plain values, once, and remembers where aliases lead. */
class Walk {
  failed = false;
  #size = 0;
  readonly #anchors = new Map<string, Anchored>();
  readonly #targets = new Map<Node, Node>();
  readonly #report: Report;

  readonly #line: (node: Node) => number;

  constructor(report: Report, line: (node: Node) => number) {
    this.#report = report;
    this.#line = line;
  }

  value(node: Node, path: KeyPath): unknown {
    if (this.#size > MOST_VALUES) return undefined;
    if (path.length > MOST_DEPTH) return this.#fail('too-complex', node, [], `nested deeper than ${MOST_DEPTH} levels`);
    const before = this.#size;
    this.#grow(1, node, path);
    if (isAlias(node)) return this.#alias(node, node.source, path);
    const value = isMap(node)
      ? this.#mapping(node, path)
      : isSeq(node)
        ? node.items.map((item, index) => this.value(item as Node, [...path, index]))
        : isScalar(node)
          ? scalarValue(node)
          : null;
    const anchor = 'anchor' in node ? node.anchor : undefined;
    if (typeof anchor === 'string') this.#anchors.set(anchor, { node, value, size: this.#size - before });
    return value;
  }

  /** The node at a key path, as far as it exists. */
  find(root: Node, path: KeyPath, at: 'key' | 'value'): Node {
    let node = this.#targets.get(root) ?? root;
    for (const [index, step] of path.entries()) {
      let next: Node | undefined;
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => keyText(key as Node) === String(step));
        if (pair && at === 'key' && index === path.length - 1) return pair.key as Node;
        next = (pair?.value as Node | null | undefined) ?? (pair?.key as Node | undefined);
      } else if (isSeq(node)) {
        next = node.items[Number(step)] as Node | undefined;
      }
      if (!next) return node;
      node = this.#targets.get(next) ?? next;
    }
    return node;
  }

  #mapping(
    node: Node & { readonly flow?: boolean; readonly items: readonly { key: unknown; value: unknown }[] },
    path: KeyPath,
  ): unknown {
    const mapping: Record<string, unknown> = Object.create(null);
    const seen = new Map<string, Node>();
    for (const pair of node.items) {
      const keyNode = pair.key as Node;
      const key = keyText(keyNode);
      if (key === undefined || key === '__proto__') {
        this.#fail('bad-yaml', keyNode ?? node, path, 'expected a plain word as key (an IPv6 address needs quotes)');
        continue;
      }
      const first = seen.get(key);
      if (first !== undefined) {
        // An entry of a list that begins again: its dash is missing.
        const again = !node.flow && seen.keys().next().value === key && typeof path.at(-1) === 'number';
        const hint = again ? ' (does "- " stand before the next entry of the list?)' : '';
        const message = `the key stands twice in one mapping, first in line ${this.#line(first)}${hint}`;
        this.#fail('duplicate-key', keyNode, [...path, key], message);
        continue;
      }
      seen.set(key, keyNode);
      mapping[key] = pair.value === null ? null : this.value(pair.value as Node, [...path, key]);
    }
    return mapping;
  }

  /** An alias shares the value of its anchor; what it adds is counted, so that a bomb stops at the budget. */
  #alias(node: Node, source: string, path: KeyPath): unknown {
    const anchored = this.#anchors.get(source);
    if (!anchored) return this.#fail('bad-yaml', node, path, `alias *${source} refers to no anchor before it${STAR}`);
    this.#targets.set(node, anchored.node);
    this.#grow(anchored.size, node, path);
    return anchored.value;
  }

  #grow(size: number, node: Node, path: KeyPath): void {
    const before = this.#size;
    this.#size += size;
    if (before <= MOST_VALUES && this.#size > MOST_VALUES) {
      this.#fail('too-complex', node, path, `expected at most ${MOST_VALUES} values with aliases followed, found more`);
    }
  }

  #fail(code: ProblemCode, node: Node, path: KeyPath, message: string): undefined {
    this.failed = true;
    this.#report(code, node, path, message);
    return undefined;
  }
}

function keyText(key: Node | null): string | undefined {
  if (!isScalar(key)) return undefined;
  return typeof key.value === 'string' ? key.value : (key.source ?? undefined);
}

/**
 * A plain number that is not written as JavaScript would write it (`+4930`, `0660`, `1.10`) stays text: to YAML the
 * first is 4930 and the second is 660, and neither is what its author meant.
 */
function scalarValue(node: Scalar): unknown {
  const { value, source } = node;
  if (typeof value === 'number') return String(value) === source ? value : (source ?? String(value));
  return typeof value === 'string' || typeof value === 'boolean' || value === null ? value : String(value);
}
