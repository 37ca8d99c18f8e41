/** A whole SIP message split into start line, header block and body. */

import { latin1 } from './ascii.js';

export interface SplitMessage {
  /** Without its line end; latin1. */
  readonly startLine: string;
  /** CRLF or LF: what ended the start line. */
  readonly startLineEnd: string;
  /** The header block with the empty line that ends it. */
  readonly headers: Uint8Array;
  readonly body: Uint8Array;
}

export interface MalformedMessage {
  readonly malformed: string;
}

/**
 * Splits at the first empty line, as a lenient reader does; the empty line stays with the header block, where the
 * scanner sees how it ends. Empty lines before the start line are skipped (RFC 3261 §7.5). A message without an empty
 * line is all header block.
 */
export function splitMessage(bytes: Uint8Array): SplitMessage | MalformedMessage {
  const text = latin1(bytes);
  let pos = 0;
  while (text.startsWith('\r\n', pos)) pos += 2;
  if (pos === text.length) return { malformed: 'expected a start line, found nothing' };
  const lf = text.indexOf('\n', pos);
  if (lf < 0) return { malformed: 'expected a start line ended by CRLF, found no line end' };
  const crlf = lf > pos && text.charCodeAt(lf - 1) === 0x0d;
  const startLine = text.slice(pos, crlf ? lf - 1 : lf);
  if (startLine === '') return { malformed: 'expected a start line, found an empty line' };
  const from = lf + 1;
  const until = endOfBlock(text, from);
  return {
    startLine,
    startLineEnd: crlf ? '\r\n' : '\n',
    headers: bytes.subarray(from, until),
    body: bytes.subarray(until),
  };
}

/** Index behind the first empty line at or after `from`. */
function endOfBlock(text: string, from: number): number {
  let line = from;
  while (line < text.length) {
    const lf = text.indexOf('\n', line);
    if (lf < 0) return text.length;
    if (lf === line || (lf === line + 1 && text.charCodeAt(line) === 0x0d)) return lf + 1;
    line = lf + 1;
  }
  return text.length;
}
