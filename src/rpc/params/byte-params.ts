/**
 * Params as routing scripts send them (design.md, "The RPC contract"): any string param `x` may come as `x_b64`
 * (base64 of the bytes as received), numbers may be strings, and `<null>` (what Kamailio prints for a missing value)
 * counts as absent. After this file a string param is a byte string: one character (U+0000 to U+00FF) per byte.
 */

import { z } from 'zod';
import { MOST_PARAMS, RpcError } from '../dispatch/index.js';

const NULL_TEXT = '<null>';
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2,3})?$/;

function refuse(path: string, expected: string, found: string): never {
  throw new RpcError('invalid-params', [{ path, expected, found }]);
}

/** A JSON string as the bytes of its UTF-8 form, one character per byte. */
function byteString(text: string): string {
  // Most values are ASCII, where both forms are the same.
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** A domain that may have U-labels, as the text that its bytes are; U+FFFD stands for what is no UTF-8, and in no name. */
export const domainText = z.string().transform((bytes) => Buffer.from(bytes, 'latin1').toString('utf8'));

function decodeBase64(path: string, value: unknown): string {
  if (typeof value !== 'string' || !BASE64.test(value)) {
    const found = typeof value === 'string' ? `a string of ${value.length} characters` : typeof value;
    return refuse(path, 'base64 (RFC 4648 §4)', found);
  }
  return Buffer.from(value, 'base64').toString('latin1');
}

/** Params are two objects deep (`tls.attributes`); what is deeper is none, and is not followed. */
const MOST_LEVELS = 4;

/**
 * Folds `x_b64` into `x`, drops absent values, and turns strings into byte strings, in this object and in `tls` and
 * other objects below it.
 * @throws {RpcError} invalid-params where `x` and `x_b64` are both given, base64 does not decode, or objects are too deep
 */
export function foldByteParams(params: unknown, path = '', level = 1): unknown {
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return params;
  if (level > MOST_LEVELS) refuse(path.slice(0, -1), 'a param', 'an object in objects');
  // No prototype: `__proto__` is a key like any other.
  const folded: Record<string, unknown> = Object.create(null);
  const entries = Object.entries(params);
  if (entries.length > MOST_PARAMS) refuse(path.slice(0, -1), `at most ${MOST_PARAMS} params`, String(entries.length));
  for (const [key, value] of entries) {
    if (value === NULL_TEXT || value === null || value === '') continue;
    const encoded = key.endsWith('_b64');
    const name = encoded ? key.slice(0, -'_b64'.length) : key;
    const bytes = encoded ? decodeBase64(path + key, value) : plain(value, `${path}${name}.`, level);
    if (bytes === NULL_TEXT) continue;
    if (name in folded) refuse(path + name, `${name} or ${name}_b64`, 'both');
    folded[name] = bytes;
  }
  return folded;
}

function plain(value: unknown, path: string, level: number): unknown {
  return typeof value === 'string' ? byteString(value) : foldByteParams(value, path, level + 1);
}
