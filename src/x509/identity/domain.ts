/**
 * Domain names: what is one, and the reference side: the name that a next hop or a policy entry stands for. Names out of certificates never pass the conversions of this file.
 */

import { domainToASCII, domainToUnicode } from 'node:url';
import { parseAddress } from '../../net/address/index.js';
import { quoted } from '../../printable.js';

/** What a text names: a domain in lower-case A-labels, an IP address in canonical text, or nothing, and why. */
export type Reference =
  | { readonly kind: 'domain'; readonly name: string }
  | { readonly kind: 'ip'; readonly address: string }
  | { readonly kind: 'invalid'; readonly why: string };

/** Why a text is no domain name. `bytes`: it holds what no host name has; `form`: only the arrangement is wrong. */
export interface DomainFault {
  readonly kind: 'wildcard' | 'bytes' | 'form';
  readonly why: string;
}

/** Whether a text is a fully qualified domain name of letters, digits and hyphens, in either case. */
export function isDomainName(text: string): boolean {
  return domainFault(text) === undefined;
}

/**
 * What keeps a text from being a domain name; undefined: it is one. At least two labels (a name that resolves by a search
 * list is no identity), 1-63 bytes each and 253 in all (RFC 1035 §2.3.4), no hyphen at an end (RFC 5890 §2.3.1), no
 * trailing dot, and a last label that no address parser takes for a number.
 */
export function domainFault(text: string): DomainFault | undefined {
  if (text.includes('*') && /^[A-Za-z0-9.*-]*$/.test(text)) {
    return { kind: 'wildcard', why: 'a wildcard names no one domain' };
  }
  const strange = /[^A-Za-z0-9.-]/u.exec(text);
  if (strange) {
    const code = strange[0].codePointAt(0) ?? 0;
    return { kind: 'bytes', why: `${codePoint(code)} at position ${strange.index + 1} is in no host name` };
  }
  const form = (why: string): DomainFault => ({ kind: 'form', why });
  if (text.length > 253) return form(`${text.length} bytes are more than the 253 of a domain name`);
  const labels = text.split('.');
  if (labels.includes('')) return form('it has an empty label or a dot at an end');
  if (labels.some((label) => label.length > 63)) return form('a label has more than 63 bytes');
  if (labels.some((label) => label.startsWith('-') || label.endsWith('-')))
    return form('a label has a hyphen at an end');
  if (labels.length < 2) return form('it has one label only and is not fully qualified');
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '')) return form('its last label is a number');
  return undefined;
}

/** No URI of a next hop is longer in earnest; a name that is too long is not looked at label by label. */
const MOST_REFERENCE = 4096;

/**
 * The domain or address that a next hop or a policy entry names. Accepts `domain`, `domain:port`, an IP address, `[IPv6]`
 * with or without port, and a `sip:` or `sips:` URI with user, port and parameters, which never take part in a comparison.
 *
 * U-labels become A-labels (RFC 5280 §7.2, RFC 5890). A label that changes on the way there and back is refused, not
 * folded: `ﬁ`, `Ａ` or the Kelvin sign look like something else to the person who reads the policy (rulebook C-4). One
 * trailing dot is dropped (C-5).
 */
export function referenceDomain(text: string): Reference {
  if (text.length > MOST_REFERENCE)
    return invalid(`${text.length} characters are more than the ${MOST_REFERENCE} of a URI`);
  const strange = /[\x00-\x20\x7f-\x9f]/.exec(text);
  if (strange) return invalid(`${codePoint(strange[0].charCodeAt(0))} at position ${strange.index + 1}`);
  const uri = /^sips?:(.*)$/i.exec(text)?.[1];
  // Only outside a URI can an IPv6 address stand without brackets (RFC 5118 §4.2).
  if (uri === undefined) return bareAddress(text) ?? hostPort(text);
  const ats = uri.split('@');
  if (ats.length > 2) return invalid('a SIP URI has at most one "@"');
  if (ats.length === 2 && ats[0] === '') return invalid('nothing stands before the "@"');
  const [, host = '', tail = ''] = /^([^;?]*)(.*)$/.exec(ats.at(-1) ?? '') ?? [];
  // RFC 3263 §4 resolves maddr instead of the host: which of the two was asked for cannot be told from here.
  if (/;maddr(?:[=;?]|$)/i.test(tail)) return invalid('it has a maddr parameter; give the domain that was resolved');
  return hostPort(host);
}

function bareAddress(text: string): Reference | undefined {
  const address = parseAddress(text);
  return address && { kind: 'ip', address: address.text };
}

function hostPort(text: string): Reference {
  const [, host, port] = /^(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  if (host === undefined) return invalid('expected a domain or address, and a port after ":" if any');
  if (port !== undefined && (Number(port) === 0 || Number(port) > 65535)) return invalid(`there is no port ${port}`);
  if (host.startsWith('[')) return bareAddress(host) ?? invalid('expected an IPv6 address in the brackets');
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  return bareAddress(name) ?? domain(name);
}

/** Of a U-label alone: what becomes plain ASCII by it looked like another name (U+212A is a K). */
function survivesLower(label: string): boolean {
  const lower = label.normalize('NFC').toLowerCase();
  return asciiLabel(lower)?.startsWith('xn--') === true;
}

function domain(text: string): Reference {
  const labels: string[] = [];
  for (const label of text.split('.')) {
    const ascii = asciiLabel(label);
    if (ascii === undefined) {
      const hint = survivesLower(label) ? '; in lower case, and composed (NFC), it does' : '';
      return invalid(`the label ${quoted(label)} does not survive the conversion to an A-label and back${hint}`);
    }
    const strange = NO_LETTER.exec(label);
    if (strange !== null) {
      const where = `${codePoint(strange[0].codePointAt(0) ?? 0)} at position ${strange.index + 1}`;
      return invalid(`the label ${quoted(label)}: ${where} is no letter or digit of a name`);
    }
    labels.push(ascii);
  }
  const name = labels.join('.');
  const fault = domainFault(name);
  return fault ? invalid(fault.why) : { kind: 'domain', name };
}

/**
 * What the conversion takes and no name has (RFC 5892 §2, appendix A): quotation marks and dashes of word processors,
 * currency, pictures. It would make a name of them that nobody bears.
 */
const NO_LETTER = /(?![\p{L}\p{M}\p{Nd}\p{Join_Control}\u0375\u05f3\u05f4\u30fb]|(?<=l)\u00b7(?=l))[^\x00-\x7f]/u;

/** The lower-case A-label or plain label of one label of the reference side; undefined where it would be altered. */
function asciiLabel(label: string): string | undefined {
  // ASCII first: lower-casing all of Unicode would turn U+212A into k and U+0130 into i.
  const lower = label.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const plain = /^[\x00-\x7f]*$/.test(lower);
  if (plain && !lower.startsWith('xn--')) return lower;
  // Nothing but letters, digits and hyphens beside the non-ASCII ones: node:url reads its argument as part of a URL.
  if (!/^[a-z0-9\u0080-\u{10ffff}-]+$/u.test(lower)) return undefined;
  const unicode = plain ? domainToUnicode(lower) : lower;
  const ascii = domainToASCII(unicode);
  if (!ascii.startsWith('xn--') || domainToUnicode(ascii) !== unicode) return undefined;
  return plain && ascii !== lower ? undefined : ascii;
}

function codePoint(code: number): string {
  if (code > 0x20 && code < 0x7f) return `"${String.fromCharCode(code)}"`;
  return code < 0x100
    ? `byte 0x${code.toString(16).padStart(2, '0')}`
    : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

function invalid(why: string): Reference {
  return { kind: 'invalid', why };
}
