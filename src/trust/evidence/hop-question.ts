/** The question for a next hop out of the URI that a request goes to. */

import type { NextHopQuestion } from '../../net/hop/index.js';
import { asciiLower, parseUri, type SipUri } from '../../sip/grammar/index.js';
import { referenceDomain } from '../../x509/identity/index.js';

/** The question, or why the URI asks none. */
export type HopQuestion = NextHopQuestion | { readonly why: string };

/** Longest row of a message that is plausible, and so longest URI in it. */
const MOST_URI = 16_384;

/** The question of a `sip:` or `sips:` URI, as it stands between `<` and `>`. */
export function questionOfUri(text: string): HopQuestion {
  if (text.length > MOST_URI) return { why: `expected a URI of at most ${MOST_URI} bytes, found ${text.length}` };
  const uri = parseUri(text);
  if (uri.kind === 'malformed') return { why: uri.detail };
  if (uri.kind !== 'sip') return { why: `expected a sip: or sips: URI, found the scheme "${uri.scheme}"` };
  const transport = single(uri, 'transport');
  const maddr = single(uri, 'maddr');
  if (typeof transport === 'object') return transport;
  if (typeof maddr === 'object') return maddr;
  // RFC 3263 §4: maddr is where the request goes, and so also whom the certificate must name.
  return question(maddr ?? uri.host, { scheme: uri.scheme, port: uri.port, transport });
}

/** The question of a domain alone. */
export function questionOfDomain(domain: string): HopQuestion {
  return question(domain, { scheme: 'sip', port: undefined, transport: undefined });
}

function question(text: string, rest: Omit<NextHopQuestion, 'host'>): HopQuestion {
  if (rest.port === 0) return { why: 'there is no port 0' };
  const host = referenceDomain(text);
  return host.kind === 'invalid' ? { why: host.why } : { ...rest, host };
}

/** The value of a parameter that may stand once: of different ones two readers would take either (RFC 3261 §19.1.1). */
function single(uri: SipUri, key: string): string | undefined | { readonly why: string } {
  const [param, ...more] = uri.params.filter((each) => each.key === key);
  if (param === undefined) return undefined;
  if (!param.value) return { why: `expected a value of the parameter ${key}, found none` };
  const value = asciiLower(param.value);
  if (more.some((each) => asciiLower(each.value ?? '') !== value)) {
    return { why: `expected one value of the parameter ${key}, found several` };
  }
  return param.value;
}
