/** Which problems of a header block refuse a message (rulebook §3). */

import { OPEN_BRACKET } from '../../sip/audit/index.js';
import {
  asciiLower,
  type HeaderBlock,
  type HeaderRow,
  type Problem,
  TOO_MANY_PROBLEMS,
} from '../../sip/grammar/index.js';
import { PRIVATE_KEYS } from '../../sip/table/index.js';

/** The block is more than any reader should be asked to carry: 513 rather than 400. */
const SIZE_KINDS: ReadonlySet<string> = new Set(['row-too-long', 'block-too-long', 'too-many-rows', 'too-many-values']);

/** Readers disagree on where fields begin and what they are called. */
const STRUCTURE_KINDS: ReadonlySet<string> = new Set([
  'bare-cr',
  'bare-lf',
  'leading-space',
  'blank-continuation',
  'no-colon',
  'fold-before-colon',
  'folded-field',
  'name-empty',
  'name-control',
  'name-no-break-space',
  'name-space',
  'name-not-token',
  'value-control',
  'unicode-line-break',
  'hidden-field',
  'duplicate-single',
  'start-line',
]);

/** What nobody tolerates: more problems than anybody looks at, and what makes the body a part of the header block to some readers. */
const NEVER_TOLERATED: ReadonlySet<string> = new Set([TOO_MANY_PROBLEMS, OPEN_BRACKET]);

function squeezed(text: string): string {
  return asciiLower(text).replace(/[^a-z0-9]/g, '');
}

/** The names of the table, as they are without what a disguise puts between their letters. */
const PRIVATE_NAMES: readonly string[] = [
  'privacy',
  ...[...PRIVATE_KEYS].filter((key) => key !== 'reason').map(squeezed),
];

/** The rows of a block by their lines, and what was found out about each: many problems may stand in one long row. */
class Rows {
  readonly #byLine: HeaderRow[] = [];
  readonly #touching = new Map<HeaderRow, boolean>();

  constructor(block: HeaderBlock) {
    for (const row of block.rows) for (const _ of row.raw.split('\n')) this.#byLine.push(row);
  }

  /** The row in which a line of the block stands. */
  at(line: number): HeaderRow | undefined {
    return this.#byLine[line - 1];
  }

  /** Key of the field there; empty where there is none that can be found by its name. */
  keyAt(line: number): string {
    const field = this.at(line)?.field;
    return field?.regular === true ? field.key : '';
  }

  /** Does a problem there leave it open what the message says of an identity? */
  touchIdentity(line: number): boolean {
    const row = this.at(line);
    if (row === undefined) return true;
    const known = this.#touching.get(row) ?? touchesIdentity(row.raw);
    this.#touching.set(row, known);
    return known;
  }
}

/** What one reader or another takes for the end of a line. */
const LINE_ENDS = /[\0\n\v\f\r]|\xc2?\x85|\xe2\x80[\xa8\xa9]/;

function touchesIdentity(raw: string): boolean {
  const text = squeezed(raw);
  if (PRIVATE_NAMES.some((name) => text.includes(name))) return true;
  // From is screened, so there must be one of it, and a readable one.
  const name = squeezed(raw.slice(0, Math.max(raw.indexOf(':'), 0)));
  return name === 'from' || name === 'f' || raw.split(LINE_ENDS).some((line) => /^[ \t]*[px]-/i.test(line));
}

/** What is wrong inside a value does not matter where the field goes as a whole. */
const VALUE_KINDS: ReadonlySet<string> = new Set([
  ...['address-syntax', 'open-quote', 'unbracketed-ipv6', 'overlong-utf8'],
  OPEN_BRACKET,
]);

/** `strict`: from an untrusted peer. `tolerant`: from a trusted one, or in an emergency. `leaving`: to an untrusted peer. */
export type MalformedPolicy = 'strict' | 'tolerant' | 'leaving';

/**
 * The problem for which the message is refused; undefined: it can be carried. `goes`: is a field with this key removed
 * whatever it holds?
 *
 * From an untrusted peer each ambiguity refuses. From a trusted one only what touches an identity does, what is too long,
 * and more problems than anybody looks at: its users' calls are not ours to drop because of a display name in Latin-1 or a
 * second Max-Forwards.
 */
export function refusal(
  problems: readonly Problem[],
  block: HeaderBlock,
  policy: MalformedPolicy,
  goes: (key: string) => boolean,
): { readonly code: 400 | 513; readonly phrase: string; readonly detail: string } | undefined {
  const rejects = problems.filter(({ severity }) => severity === 'reject');
  if (rejects.length === 0) return undefined;
  const rows = new Rows(block);
  for (const problem of rejects) {
    if (VALUE_KINDS.has(problem.kind) && goes(rows.keyAt(problem.line))) continue;
    const size = SIZE_KINDS.has(problem.kind);
    const counts =
      policy === 'strict' ||
      NEVER_TOLERATED.has(problem.kind) ||
      (policy === 'tolerant' && (size || touchesStructure(problem, rows))) ||
      (policy === 'leaving' && STRUCTURE_KINDS.has(problem.kind));
    if (!counts) continue;
    const detail = `line ${problem.line}: ${problem.kind}: ${problem.detail}`;
    return size
      ? { code: 513, phrase: 'Message Too Large', detail }
      : { code: 400, phrase: 'Malformed Header', detail };
  }
  return undefined;
}

function touchesStructure(problem: Problem, rows: Rows): boolean {
  if (problem.kind === 'address-syntax' || problem.kind === 'open-quote' || problem.kind === 'unbracketed-ipv6') {
    const raw = asciiLower(rows.at(problem.line)?.raw ?? '');
    return /^(from|f)[ \t]*:/.test(raw);
  }
  return STRUCTURE_KINDS.has(problem.kind) && problem.kind !== 'start-line' && rows.touchIdentity(problem.line);
}
