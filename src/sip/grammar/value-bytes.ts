/** Bytes of a header value that readers treat differently: controls, broken UTF-8, line breaks of Unicode. */

import { isControl } from './ascii.js';

export interface ValueBytes {
  /** A control byte (NUL included) that no quoted-pair covers. */
  readonly control: number | undefined;
  /** A control byte behind a backslash in a quoted string: legal (RFC 3261 §25.1 quoted-pair), and rare. */
  readonly escapedControl: number | undefined;
  readonly invalidUtf8: boolean;
  /** More bytes than a character needs, which may be a line end to whoever decodes them (RFC 3629 §10). */
  readonly overlong: boolean;
  /** NEL, U+2028 or U+2029, where readers that know Unicode start a new line. */
  readonly unicodeLineBreak: boolean;
}

/** Nothing but HT and the printable chars of ASCII: most values, and nothing to inspect. */
export function isPrintableAscii(text: string): boolean {
  return /^[\t\x20-\x7e]*$/.test(text);
}

/** Looks through one row as received; line ends of folds must be gone. Linear. */
export function inspectBytes(text: string): ValueBytes {
  let control: number | undefined;
  let escapedControl: number | undefined;
  let invalidUtf8 = false;
  let overlong = false;
  let unicodeLineBreak = false;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) {
      const length = utf8Length(text, i);
      if (length === 0) {
        invalidUtf8 = true;
        overlong ||= isOverlong(text, i);
      }
      if (length > 0 && isLineBreak(text, i)) unicodeLineBreak = true;
      i += Math.max(length, 1) - 1;
    } else if (isControl(code)) {
      control ??= code;
    } else if (code === 0x22) {
      quoted = !quoted;
    } else if (code === 0x5c && quoted) {
      i++;
      const escaped = text.charCodeAt(i);
      if (escaped >= 0x80) i--;
      else if (isControl(escaped)) escapedControl ??= escaped;
    }
  }
  return { control, escapedControl, invalidUtf8, overlong, unicodeLineBreak };
}

/**
 * The text in UTF-8, as RFC 3261 §7 has it: bytes that are none are read as Latin-1, which is what most equipment means
 * by them, and those that are no letter there become question marks.
 */
export function asUtf8(text: string): string {
  if (!inspectBytes(text).invalidUtf8) return text;
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const length = code < 0x80 ? 1 : utf8Length(text, i);
    if (length > 0) out += text.slice(i, i + length);
    else if (code < 0xa0) out += '?';
    else out += String.fromCharCode(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    i += Math.max(length, 1) - 1;
  }
  return out;
}

/** Does a character begin here that is written in more bytes than it needs? */
function isOverlong(text: string, at: number): boolean {
  const lead = text.charCodeAt(at);
  const second = text.charCodeAt(at + 1);
  const follows = second >= 0x80 && second <= 0xbf;
  if (lead === 0xc0 || lead === 0xc1) return follows;
  return (lead === 0xe0 && follows && second < 0xa0) || (lead === 0xf0 && follows && second < 0x90);
}

/** Length of the UTF-8 sequence that starts here, 0 if none does (RFC 3629 §4: shortest form, no surrogates). */
function utf8Length(text: string, at: number): number {
  const lead = text.charCodeAt(at);
  const second = text.charCodeAt(at + 1);
  const follows = (index: number): boolean => (text.charCodeAt(index) & 0xc0) === 0x80 && text.charCodeAt(index) < 0xc0;
  if (lead >= 0xc2 && lead <= 0xdf) return follows(at + 1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const low = lead === 0xe0 ? 0xa0 : 0x80;
    const high = lead === 0xed ? 0x9f : 0xbf;
    return second >= low && second <= high && follows(at + 2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const low = lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high && follows(at + 2) && follows(at + 3) ? 4 : 0;
  }
  return 0;
}

function isLineBreak(text: string, at: number): boolean {
  return text.startsWith('\xc2\x85', at) || text.startsWith('\xe2\x80\xa8', at) || text.startsWith('\xe2\x80\xa9', at);
}
