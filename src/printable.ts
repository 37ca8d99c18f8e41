/** Text of others in our own messages, which go to logs and terminals: what nobody sees, or what drives a terminal, is written out. */

/** All but printable ASCII, and what quotes: between quotes in a message all is foreign text. */
const BEYOND = /[^\x20\x21\x23-\x5b\x5d-\x7e]/gu;

/**
 * Controls, formats, lone surrogates, private use, what takes no place, and every blank but the space. A name that reads
 * backwards (U+202E), or is two names with nothing visible between them, is no name that somebody can approve.
 */
export const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/gu;

function writtenOut(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** The beginning of a text that is longer than `limit` characters. */
export function shortened(text: string, limit = 60): string {
  return text.length > limit ? `${text.slice(0, limit)}...` : text;
}

/** In one line of printable ASCII without quotes, cut at `limit` characters. Octets as text (latin1) read \xNN. */
export function printable(text: string, limit = 60): string {
  return shortened(text, limit).replace(BEYOND, writtenOut);
}

/** The same between quotes. */
export function quoted(text: string, limit = 100): string {
  return `"${printable(text, limit)}"`;
}

/** In one line, with the letters of all scripts: as people know their names. */
export function visible(text: string): string {
  return text.replace(HIDDEN, writtenOut);
}

/** The same between quotes, which it cannot end by itself. */
export function visiblyQuoted(text: string): string {
  return `"${visible(shortened(text, 100).replace(/["\\]/g, '\\$&'))}"`;
}

/** `1 file`, `2 files`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** What is said of somebody whom the line names in front: his name, with which the text may begin, is not said twice. */
export function saidOf(name: string, text: string): string {
  return text.startsWith(`${name}: `) ? text.slice(name.length + 2) : text;
}
