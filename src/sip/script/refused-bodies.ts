/** Bodies that nobody may bring who is not trusted, as the whole or as a part of another. */

import { BOUNDARY_RULES } from '../table/index.js';

/** What stands behind `application/`, or the beginning of it. */
export const REFUSED_SUBTYPES: readonly string[] = BOUNDARY_RULES.filter(
  (rule) => rule.kind === 'body' && rule.in === 'reject',
).map(({ name }) => name.replace(/^application\/|[*]$/g, ''));

/** Finds such a type in a text of which each byte is written as two hexadecimal digits: expressions of POSIX end at a NUL. */
export function refusedInHex(): string {
  const blanks = `(${[...'\t\n\r '].map(byteInHex).join('|')})*`;
  const types = REFUSED_SUBTYPES.map(inHex).join('|');
  return `^(..)*${inHex('application')}${blanks}${byteInHex('/')}${blanks}(${types})`;
}

/** Letters in either case. */
export function inHex(text: string): string {
  return text.replace(/./g, (char) => byteInHex(char).replace(/^[67]/, (row) => (row === '6' ? '[46]' : '[57]')));
}

function byteInHex(char: string): string {
  return char.charCodeAt(0).toString(16).padStart(2, '0');
}
