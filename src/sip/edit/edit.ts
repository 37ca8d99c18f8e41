/**
 * Edits of addresses and URIs that give whole new values and leave every other byte as it was received (design rule 9:
 * the script never edits inside a header). What cannot be parsed cannot be edited: these take parsed values only.
 */

import {
  decodePercent,
  type EmbeddedHeader,
  isControl,
  type MalformedAddr,
  type NameAddr,
  type Param,
  parseNameAddr,
  skipBlanks,
  splitList,
  trimBlanks,
  type Uri,
} from '../grammar/index.js';

/** All parameters of a URI, wherever they may stand in it: after the host, in the user part, in a tel URI (P-10). */
export function uriParams(uri: Uri): readonly Param[] {
  if (uri.kind === 'sip') return [...uri.userParams, ...uri.params];
  return uri.kind === 'tel' ? uri.params : [];
}

/**
 * The URI without its embedded header fields (`?Name=value&...`), but for those of the keys in `except`, and those only
 * where whoever makes a header field of them makes one, not several (P-14). The `?` goes when none is left
 * (RFC 3261 §19.1.5).
 */
export function withoutEmbeddedHeaders(uri: Uri, except: ReadonlySet<string> = new Set()): string {
  if (uri.kind !== 'sip') return uri.raw;
  return keepEmbedded(uri.raw, uri.headers, ({ key, value }) => except.has(key) && isOneLine(decodePercent(value)));
}

function isOneLine(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (isControl(text.charCodeAt(i))) return false;
  return true;
}

/** The URI without the embedded header fields of these keys. */
export function withoutEmbeddedKeys(uri: Uri, keys: ReadonlySet<string>): string {
  if (uri.kind !== 'sip') return uri.raw;
  return keepEmbedded(uri.raw, uri.headers, (header) => !keys.has(header.key));
}

function keepEmbedded(
  raw: string,
  headers: readonly EmbeddedHeader[],
  keep: (header: EmbeddedHeader) => boolean,
): string {
  const kept = headers.filter(keep);
  if (kept.length === headers.length && kept.length > 0) return raw;
  const first = headers[0];
  // `sip:host?` alone embeds nothing; its question mark may stay.
  if (first === undefined) return raw;
  const before = raw.slice(0, raw.lastIndexOf('?', first.start - 1));
  return kept.length === 0
    ? before
    : `${before}?${kept.map((header) => raw.slice(header.start, header.end)).join('&')}`;
}

/** The address with another URI between its `<` and `>`, or bare where it stood bare. */
export function withUri(addr: NameAddr, uri: string): string {
  return addr.raw.slice(0, addr.uriStart) + uri + addr.raw.slice(addr.uriEnd);
}

/** The address without the parameters of these keys: in its URI (all positions) and among its header parameters. */
export function withoutAddrParams(addr: NameAddr, keys: ReadonlySet<string>): string {
  const inUri = uriParams(addr.uri)
    .filter((param) => keys.has(param.key))
    .map((param) => ({ start: param.start + addr.uriStart, end: param.end + addr.uriStart }));
  return cut(addr.raw, [...inUri, ...addr.params.filter((param) => keys.has(param.key))]);
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** The text without these spans, which do not overlap. */
function cut(text: string, spans: readonly Span[]): string {
  let out = '';
  let pos = 0;
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    out += text.slice(pos, span.start);
    pos = span.end;
  }
  return out + text.slice(pos);
}

/**
 * Runs `edit` over each element of a comma-separated list of addresses. It answers with the element's new text, or
 * undefined to drop it. White space and commas around the elements that stay are kept; the empty text means that
 * nothing is left. An element that does not `concern` the edit is not read, and stays.
 */
export function editAddrList(
  value: string,
  edit: (addr: NameAddr | MalformedAddr) => string | undefined,
  concerns: (piece: string) => boolean = () => true,
): string {
  if (trimBlanks(value) === '') return value;
  const kept: string[] = [];
  for (const piece of splitList(value)) {
    if (!concerns(piece)) {
      kept.push(piece);
      continue;
    }
    const addr = parseNameAddr(piece);
    const text = edit(addr);
    if (text === undefined) continue;
    const start = skipBlanks(piece, 0);
    kept.push(piece.slice(0, start) + text + piece.slice(start + addr.raw.length));
  }
  return trimBlanks(kept.join(','));
}
