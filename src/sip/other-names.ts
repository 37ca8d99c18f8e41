/** A POSIX extended expression for "a name, but none of these": no such expression has a way to say "not". */

import { asciiLower } from './ascii.js';

/** All characters of a token (RFC 3261 §25.1); the hyphen first, where it is one in a bracket expression. */
const TOKEN_CHARS = "-abcdefghijklmnopqrstuvwxyz0123456789.!%*_+`'~";

/** What cannot be the first character of a name: blanks, separators, line ends. */
const NO_NAME = ' \t\r\n;,=';

/**
 * Matches at the start of a name that is none of these (lower case, letters, digits and hyphens), and not at one of
 * them. It ends within the name or one character behind it. No backslash; to be matched without regard to case.
 */
export function otherName(names: readonly string[]): string {
  return otherThan(names.map(asciiLower), true);
}

/** The same for what is left of the names behind a common beginning. */
function otherThan(rests: readonly string[], first: boolean): string {
  const heads = [...new Set(rests.filter((rest) => rest !== '').map((rest) => rest.charAt(0)))];
  // Where one of the names ends, only a further token character makes another name; elsewhere its end does too.
  const other = rests.includes('')
    ? `[${[...TOKEN_CHARS].filter((char) => !heads.includes(char)).join('')}]`
    : `[^${heads.filter((char) => char !== '-').join('')}${first ? NO_NAME : ''}${heads.includes('-') ? '-' : ''}]`;
  const deeper = heads.map(
    (head) =>
      head +
      otherThan(
        rests.filter((rest) => rest.startsWith(head)).map((rest) => rest.slice(1)),
        false,
      ),
  );
  return `(${[other, ...deeper].join('|')})`;
}
