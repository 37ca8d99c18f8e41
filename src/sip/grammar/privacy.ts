/** The Privacy header field (RFC 3323 §4.2, RFC 3325 §9.3, RFC 7044 §10.1.2), read to the user's benefit. */

import { asciiLower, isBlank, isTokenCode } from './ascii.js';
import type { HeaderField } from './header-block.js';

/** The priv-values that some document defines. */
export const PRIVACY_VALUES: ReadonlySet<string> = new Set([
  'header',
  'session',
  'user',
  'none',
  'critical',
  'id',
  'history',
]);

export interface Privacy {
  /** Is there any Privacy row? */
  readonly present: boolean;
  /** Lower case; the union of all rows. Holds `none` only where nothing contradicts it. */
  readonly values: ReadonlySet<string>;
  /** The rows break RFC 3323 §4.2 (V-1, V-2); `defects` says how. */
  readonly invalid: boolean;
  readonly defects: readonly string[];
  /** Asked-for values that no document defines. */
  readonly unknown: readonly string[];
}

/**
 * Reads all Privacy rows of a message. What is malformed is read fail-private (V-3): every token counts as asked for,
 * whatever separates it, and `none` counts only when it stands alone.
 */
export function parsePrivacy(fields: readonly HeaderField[]): Privacy {
  const rows = fields.filter((field) => field.key === 'privacy');
  const values = new Set<string>();
  const defects: string[] = [];
  const defect = (text: string): void => {
    if (!defects.includes(text)) defects.push(text);
  };
  let garbage = false;
  for (const row of rows) {
    const { tokens, clean } = readTokens(row.value);
    if (!clean || tokens.length === 0) garbage = true;
    for (const token of tokens) {
      if (values.has(token)) defect('a value stands twice');
      values.add(token);
    }
  }
  if (garbage) defect('expected tokens separated by ";", found something else');
  if (values.has('none') && (values.size > 1 || garbage)) {
    defect('"none" together with something else');
    values.delete('none');
  }
  if (values.size === 1 && values.has('critical')) defect('"critical" alone');
  return {
    present: rows.length > 0,
    values,
    invalid: defects.length > 0,
    defects,
    unknown: [...values].filter((value) => !PRIVACY_VALUES.has(value)),
  };
}

/** The priv-values of one Privacy value, lower case, read as leniently as those of a row. */
export function privacyTokens(value: string): readonly string[] {
  return readTokens(value).tokens;
}

/** All maximal runs of token chars; `clean` unless anything but `;`, `,` and white space separates them. */
function readTokens(value: string): { readonly tokens: readonly string[]; readonly clean: boolean } {
  const tokens: string[] = [];
  let clean = true;
  let separated = true;
  let start = -1;
  for (let i = 0; i <= value.length; i++) {
    const code = i < value.length ? value.charCodeAt(i) : 0x3b;
    if (isTokenCode(code)) {
      if (start < 0) start = i;
      continue;
    }
    if (start >= 0) {
      tokens.push(asciiLower(value.slice(start, i)));
      if (!separated) clean = false;
      separated = false;
      start = -1;
    }
    if (code === 0x3b || code === 0x2c) separated = true;
    else if (!isBlank(code)) clean = false;
  }
  return { tokens, clean };
}
