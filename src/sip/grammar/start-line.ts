/** The start line (RFC 3261 §7.1, §7.2), without its line end; latin1. */

import { printable } from '../../printable.js';
import { asciiLower, isControl, isToken } from './ascii.js';
import { type ParsedUri, parseUri } from './uri.js';

export interface RequestLine {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: ParsedUri;
  readonly version: string;
}

export interface StatusLine {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly version: string;
}

export interface MalformedStartLine {
  readonly kind: 'malformed';
  readonly detail: string;
}

/** Reads a start line strictly: its parts are separated by single SPs, and nothing follows them. */
export function parseStartLine(line: string): RequestLine | StatusLine | MalformedStartLine {
  for (let i = 0; i < line.length; i++) {
    if (isControl(line.charCodeAt(i))) {
      return { kind: 'malformed', detail: `expected no control byte, found ${printable(line.charAt(i))}` };
    }
  }
  const malformed = (expected: string): MalformedStartLine => ({
    kind: 'malformed',
    detail: `expected "${expected}", found "${printable(line)}"`,
  });
  if (asciiLower(line.slice(0, 4)) === 'sip/') {
    const [version = '', code = '', ...reason] = line.split(' ');
    if (!isVersion(version) || !isStatus(code)) return malformed('SIP/2.0 code reason');
    return { kind: 'response', status: Number(code), reason: reason.join(' '), version };
  }
  const [method = '', uri = '', version = '', ...more] = line.split(' ');
  if (more.length > 0 || !isToken(method) || uri === '' || !isVersion(version)) return malformed('METHOD uri SIP/2.0');
  return { kind: 'request', method, uri: parseUri(uri), version };
}

function isVersion(text: string): boolean {
  if (asciiLower(text.slice(0, 4)) !== 'sip/') return false;
  const [major = '', minor = '', ...more] = text.slice(4).split('.');
  return more.length === 0 && isDigits(major) && isDigits(minor);
}

/** Three digits, 100 to 699. */
function isStatus(text: string): boolean {
  return text.length === 3 && isDigits(text) && text.charAt(0) >= '1' && text.charAt(0) <= '6';
}

/** One or more ASCII digits. */
export function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charAt(i) < '0' || text.charAt(i) > '9') return false;
  return text !== '';
}
