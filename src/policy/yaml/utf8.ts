/** Bytes of a text file as text: UTF-8 without control characters, with or without a byte order mark. */

import { isUtf16 } from '../../x509/der/index.js';

export interface TextFault {
  readonly at: { readonly line: number; readonly column: number };
  readonly problem: string;
}

/** The text of strict UTF-8, or where it is none. */
export function utf8Text(bytes: Uint8Array): { readonly text: string } | TextFault {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const offset = firstInvalid(bytes);
    const before = new TextDecoder().decode(bytes.subarray(0, offset));
    const byte = bytes[offset] ?? 0;
    const hint = isUtf16(bytes) ? ' (this is text in UTF-16: save it as UTF-8)' : '';
    return {
      at: placeAfter(before),
      problem: `expected UTF-8, found byte 0x${byte.toString(16).padStart(2, '0')}${hint}`,
    };
  }
  const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.exec(text);
  if (!control) return { text };
  const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return { at: placeAfter(text.slice(0, control.index)), problem: `expected text, found control character U+${code}` };
}

/** Offset of the first byte that begins no character of UTF-8: behind the longest prefix that decodes, by bisection. */
function firstInvalid(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length;
  while (good < bad) {
    const middle = (good + bad + 1) >> 1;
    if (decodes(bytes.subarray(0, middle), true)) good = middle;
    else bad = middle - 1;
  }
  // What was begun there, of three bytes at most, does not go on.
  while (good > 0 && !decodes(bytes.subarray(0, good), false)) good--;
  return Math.min(good, bytes.length - 1);
}

function decodes(bytes: Uint8Array, stream: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream });
    return true;
  } catch {
    return false;
  }
}

function placeAfter(before: string): TextFault['at'] {
  const lines = before.split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}
