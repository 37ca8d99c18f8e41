/** Which problems of a header block refuse a message (rulebook §3). */

import { asciiLower } from '../sip/ascii.js';
import { BOUNDARY_RULES } from '../sip/boundary.js';
import type { HeaderBlock, Problem } from '../sip/header-block.js';

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
  'duplicate-single',
  'start-line',
]);

function squeezed(text: string): string {
  return asciiLower(text).replace(/[^a-z0-9]/g, '');
}

/** The names of the table without what a disguise could put between their letters; `subject` and its like are no secret. */
const PRIVATE_NAMES: readonly string[] = [
  ...new Set(
    BOUNDARY_RULES.filter(({ kind, in: inbound, out }) => kind === 'header' && (inbound !== 'keep' || out !== 'keep'))
      .filter(({ out, name }) => out !== 'on-privacy' && name !== 'Reason')
      .map(({ name }) => squeezed(name))
      .filter((name) => name.length > 3),
  ),
  'privacy',
];

/** Raw text of the row in which a line of the block stands. */
function rowAt(block: HeaderBlock, line: number): string | undefined {
  let first = 1;
  for (const row of block.rows) {
    const next = first + row.raw.split('\n').length;
    if (line >= first && line < next) return row.raw;
    first = next;
  }
  return undefined;
}

/** Does the problem leave it open what the message says of an identity? */
function touchesIdentity(problem: Problem, block: HeaderBlock): boolean {
  const raw = rowAt(block, problem.line);
  if (raw === undefined) return true;
  const text = squeezed(raw);
  if (PRIVATE_NAMES.some((name) => text.includes(name))) return true;
  // From is screened, so there must be one of it, and a readable one.
  const name = squeezed(raw.slice(0, Math.max(raw.indexOf(':'), 0)));
  return name === 'from' || name === 'f' || /^[ \t]*(p|x)-/im.test(raw);
}

/** `strict`: from an untrusted peer. `tolerant`: from a trusted one, or in an emergency. `leaving`: to an untrusted peer. */
export type MalformedPolicy = 'strict' | 'tolerant' | 'leaving';

/**
 * The problem for which the message is refused; undefined: it can be carried.
 *
 * From an untrusted peer each ambiguity refuses. From a trusted one only what touches an identity does: its users'
 * calls are not ours to drop because of a display name in Latin-1 or a second Max-Forwards.
 */
export function refusal(
  problems: readonly Problem[],
  block: HeaderBlock,
  policy: MalformedPolicy,
): { readonly code: 400 | 513; readonly phrase: string; readonly detail: string } | undefined {
  for (const problem of problems) {
    if (problem.severity !== 'reject') continue;
    const size = SIZE_KINDS.has(problem.kind);
    const counts =
      policy === 'strict' ||
      (policy === 'tolerant' && (size || touchesStructure(problem, block))) ||
      (policy === 'leaving' && STRUCTURE_KINDS.has(problem.kind));
    if (!counts) continue;
    const detail = `line ${problem.line}: ${problem.kind}: ${problem.detail}`;
    return size
      ? { code: 513, phrase: 'Message Too Large', detail }
      : { code: 400, phrase: 'Malformed Header', detail };
  }
  return undefined;
}

function touchesStructure(problem: Problem, block: HeaderBlock): boolean {
  if (problem.kind === 'address-syntax' || problem.kind === 'open-quote' || problem.kind === 'unbracketed-ipv6') {
    const raw = asciiLower(rowAt(block, problem.line) ?? '');
    return /^(from|f)[ \t]*:/.test(raw);
  }
  return STRUCTURE_KINDS.has(problem.kind) && problem.kind !== 'start-line' && touchesIdentity(problem, block);
}
