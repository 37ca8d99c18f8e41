/** History-Info entries (RFC 7044): what they ask for, and their anonymous form. */

import { asciiLower, decodePercent, isDigits, type NameAddr, privacyTokens } from '../grammar/index.js';
import { ANONYMOUS_URI } from './anonymous.js';
import { withoutEmbeddedKeys, withUri } from './edit.js';

export interface HistoryEntry {
  readonly addr: NameAddr;
  /** The values of all Privacy fields embedded in the URI, lower case. */
  readonly privacy: ReadonlySet<string>;
}

/** An address read as a History-Info entry. */
export function historyEntry(addr: NameAddr): HistoryEntry {
  const { uri } = addr;
  const embedded = uri.kind === 'sip' ? uri.headers.filter(({ key }) => key === 'privacy') : [];
  const asked = [...embedded.map(({ value }) => value), ...askedBehind(uri.raw)];
  return { addr, privacy: new Set(asked.flatMap((value) => privacyTokens(decodePercent(value)))) };
}

/**
 * What a URI asks for behind its question mark, whatever stands between its fields there (`?Reason=x?Privacy=history`), and of
 * any scheme (`im:`, `pres:`): what is read nowhere else is read to the user's benefit.
 */
function askedBehind(raw: string): readonly string[] {
  const question = raw.indexOf('?');
  const fields = question < 0 ? [] : raw.slice(question + 1).split(/[?&;]/);
  return fields.flatMap((field) => {
    const [name = '', ...value] = field.split('=');
    return asciiLower(decodePercent(name)) === 'privacy' ? [value.join('=')] : [];
  });
}

const PRIVACY_KEY: ReadonlySet<string> = new Set(['privacy']);

/**
 * The entry without the Privacy fields embedded in its URI, all else byte for byte: "in any case" before an entry
 * leaves (RFC 7044 §10.1.2).
 */
export function withoutEmbeddedPrivacy(entry: HistoryEntry): string {
  return withUri(entry.addr, withoutEmbeddedKeys(entry.addr.uri, PRIVACY_KEY));
}

/** hi-params that place the entry in the history and name nobody (RFC 7044 §5). */
const PLACE_PARAMS: ReadonlySet<string> = new Set(['index', 'rc', 'mp', 'np']);

/**
 * The entry with an anonymous URI. Index, rc, mp and np stay, and the `cause` of the redirection (RFC 4458), which
 * services downstream need; display name, embedded fields and all other parameters go.
 */
export function anonymousEntry(entry: HistoryEntry): string {
  const { addr } = entry;
  const cause =
    addr.uri.kind === 'sip'
      ? addr.uri.params.find((param) => param.key === 'cause' && isDigits(param.value ?? ''))?.value
      : undefined;
  const uri = cause === undefined ? ANONYMOUS_URI : `${ANONYMOUS_URI};cause=${cause}`;
  const params = addr.params.filter((param) => PLACE_PARAMS.has(param.key));
  return `<${uri}>${params.map((param) => addr.raw.slice(param.start, param.end)).join('')}`;
}
