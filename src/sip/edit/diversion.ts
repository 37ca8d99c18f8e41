/** Diversion entries (RFC 5806): what they ask for, and their anonymous form (RFC 7544 §3.2). */

import { asciiLower, type NameAddr } from '../grammar/index.js';
import { ANONYMOUS_URI } from './anonymous.js';

export interface DiversionEntry {
  readonly addr: NameAddr;
  /** `full`, `name`, `uri`, `off` or a token nobody knows, lower case; undefined without the parameter. */
  readonly privacy: string | undefined;
}

/**
 * An address read as a Diversion entry. Of several `privacy` parameters any that is not `off` counts, and one within the
 * `<>` too: whoever wrote it there asked.
 */
export function diversionEntry(addr: NameAddr): DiversionEntry {
  const { uri } = addr;
  const within = uri.kind === 'other' ? [] : uri.kind === 'tel' ? uri.params : [...uri.params, ...uri.headers];
  const asked = [...addr.params, ...within]
    .filter(({ key }) => key === 'privacy')
    .map(({ value }) => unquoted(value ?? ''));
  return { addr, privacy: asked.find((value) => value !== 'off') ?? asked[0] };
}

/** Must the address be hidden outside the trust domain? An unknown or empty value asks for more, not for less. */
export function asksPrivacy(entry: DiversionEntry): boolean {
  return entry.privacy !== undefined && entry.privacy !== 'off';
}

/** Parameters that say why and how often, and name nobody (RFC 5806 §4). */
const PLAIN_PARAMS: ReadonlySet<string> = new Set(['reason', 'counter', 'limit', 'screen']);

/** The entry with an anonymous address, without display name, `privacy` and extensions. */
export function anonymousDiversion(entry: DiversionEntry): string {
  const params = entry.addr.params.filter((param) => PLAIN_PARAMS.has(param.key));
  return `<${ANONYMOUS_URI}>${params.map((param) => entry.addr.raw.slice(param.start, param.end)).join('')}`;
}

/** A parameter value without quotes and quoted-pairs, lower case. */
function unquoted(value: string): string {
  if (!value.startsWith('"')) return asciiLower(value);
  let out = '';
  for (let i = 1; i < value.length - 1; i++) {
    if (value.charAt(i) === '\\') i++;
    out += value.charAt(i);
  }
  return asciiLower(out);
}
