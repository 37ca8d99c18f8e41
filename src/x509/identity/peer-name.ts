/**
 * Names that a certificate is asked for in a path check (RFC 9525 §6). SIP domain identities are another thing, with
 * stricter rules: see identity.ts.
 */

import type { Finding } from '../../reasons.js';
import { present } from '../../typed.js';
import { type AlternativeName, type CertificateFacts, certificateName, generalNameText } from '../certificate/index.js';
import { sameOctets } from '../der/index.js';
import { referenceDomain } from './domain.js';

/** One name that the certificate must bear. */
export type PeerName =
  | { readonly dns: string }
  | { readonly ip: string }
  | { readonly uri: string }
  | { readonly email: string };

/** The first of the names that the certificate does not bear, as a finding; every one of them must match. */
export function nameMismatch(leaf: CertificateFacts, names: readonly PeerName[]): Finding | undefined {
  const missing = names.find((name) => !bears(leaf, name));
  if (missing === undefined) return undefined;
  const [kind, value] = present(Object.entries(missing)[0], 'a name to ask for');
  const found = leaf.subjectAltNames
    ?.slice(0, 8)
    .map((name) => generalNameText(name))
    .join(', ');
  return {
    code: 'name-mismatch',
    detail: `${certificateName(leaf)}: expected subjectAltName ${kind}:${value}, found ${found || 'none'}`,
  };
}

function bearsAddress(sans: readonly AlternativeName[], address: Uint8Array): boolean {
  return sans.some(({ type, bytes }) => type === 'ip' && sameOctets(bytes, address));
}

function bears({ subjectAltNames }: CertificateFacts, name: PeerName): boolean {
  const sans = subjectAltNames ?? [];
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
  if ('dns' in name) {
    // An address is no DNS name, however it was asked for (RFC 9525 §6.2 wants an IP-ID then).
    const address = addressOctets(name.dns);
    if (address !== undefined) return bearsAddress(sans, address);
    const reference = dnsLabels(asciiName(name.dns));
    return (
      reference !== undefined && sans.some(({ type, bytes }) => type === 'dns' && dnsMatches(text(bytes), reference))
    );
  }
  if ('ip' in name) {
    const address = addressOctets(name.ip);
    return address !== undefined && bearsAddress(sans, address);
  }
  if ('email' in name) {
    const wanted = mailboxKey(name.email);
    return (
      wanted !== undefined && sans.some(({ type, bytes }) => type === 'email' && mailboxKey(text(bytes)) === wanted)
    );
  }
  const wanted = uriKey(name.uri);
  return wanted !== undefined && sans.some(({ type, bytes }) => type === 'uri' && uriKey(text(bytes)) === wanted);
}

const DNS_LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/** The reference side with A-labels for U-labels (RFC 9525 §6.3); presented names are never converted. */
function asciiName(name: string): string {
  if (/^[\x00-\x7f]*$/.test(name)) return name;
  const reference = referenceDomain(name);
  return reference.kind === 'domain' ? reference.name : '';
}

/** Labels of a DNS name in lower case; undefined: it is none (wildcards, U-labels, empty labels). One trailing dot may stand. */
function dnsLabels(name: string): readonly string[] | undefined {
  if (!/^[\x21-\x7e]+$/.test(name)) return undefined;
  const labels = name.toLowerCase().replace(/\.$/, '').split('.');
  return labels.join('.').length <= 253 && labels.every((label) => DNS_LABEL.test(label)) ? labels : undefined;
}

/** RFC 9525 §6.3: ASCII case-insensitive; a wildcard only as the whole left-most label, for exactly one label. */
function dnsMatches(presented: string, reference: readonly string[]): boolean {
  if (presented.startsWith('*.')) {
    const rest = dnsLabels(presented.slice(2));
    // Of a name directly below the root a wildcard would be the whole internet.
    if (rest === undefined || rest.length < 2 || presented.endsWith('.')) return false;
    return reference.length === rest.length + 1 && rest.every((label, i) => label === reference[i + 1]);
  }
  const labels = dnsLabels(presented);
  return labels !== undefined && !presented.endsWith('.') && labels.join('.') === reference.join('.');
}

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** Octets of an IPv4 or IPv6 address (brackets may stand, zones may not); undefined: it is none. */
function addressOctets(text: string): Uint8Array | undefined {
  const plain = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  return plain.includes(':') ? ipv6Octets(plain) : ipv4Octets(plain);
}

function ipv4Octets(text: string): Uint8Array | undefined {
  const parts = IPV4.exec(text)?.slice(1);
  // Leading zeros read as octal elsewhere.
  if (parts === undefined || !parts.every((part) => Number(part) <= 255 && String(Number(part)) === part))
    return undefined;
  return Uint8Array.from(parts, Number);
}

/** RFC 4291 §2.2: eight groups, one run of zero groups as `::`, the last two groups maybe as IPv4. */
function ipv6Octets(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const sides = halves.map((half) => (half === '' ? [] : half.split(':')));
  const octets = sides.map((groups, side) => {
    const out: number[] = [];
    for (const [index, group] of groups.entries()) {
      const last = side === sides.length - 1 && index === groups.length - 1;
      const embedded = last ? ipv4Octets(group) : undefined;
      if (embedded !== undefined) out.push(...embedded);
      else if (/^[0-9a-f]{1,4}$/i.test(group))
        out.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255);
      else return undefined;
    }
    return out;
  });
  const [front, back] = octets;
  if (front === undefined || octets.includes(undefined)) return undefined;
  if (halves.length === 1) return front.length === 16 ? Uint8Array.from(front) : undefined;
  const gap = 16 - front.length - (back?.length ?? 0);
  return gap >= 2 ? Uint8Array.from([...front, ...new Array<number>(gap).fill(0), ...(back ?? [])]) : undefined;
}

/** A mailbox compares by its local part as it stands and its host without case (RFC 5280 §7.5). */
function mailboxKey(text: string): string | undefined {
  const match = /^([\x21-\x3f\x41-\x7e]+)@([\x21-\x3f\x41-\x7e]+)$/.exec(text);
  return match === null ? undefined : `${match[1]}@${(match[2] ?? '').toLowerCase()}`;
}

/** A URI compares by its octets, scheme and host without case (RFC 5280 §7.4). */
function uriKey(text: string): string | undefined {
  if (!/^[\x21-\x7e]+$/.test(text)) return undefined;
  const match = /^([a-z][a-z0-9+.-]*):(\/\/[^/?#]*)?(.*)$/i.exec(text);
  if (match === null) return undefined;
  const [, scheme = '', authority = '', rest = ''] = match;
  // sip and sips URIs have no authority; their host follows the scheme, or the user part (RFC 3261 §19.1.4).
  if (/^sips?$/i.test(scheme) && authority === '') {
    const at = rest.indexOf('@') + 1;
    const end = rest.slice(at).search(/[;?]/);
    const host = end < 0 ? rest.length : at + end;
    return `${scheme.toLowerCase()}:${rest.slice(0, at)}${rest.slice(at, host).toLowerCase()}${rest.slice(host)}`;
  }
  return `${scheme.toLowerCase()}:${authority.toLowerCase()}${rest}`;
}
