/** The SIP domain identities of a certificate (RFC 5922 §7.1): the names that its subject may be taken for. */

import { parseAddress } from '../../net/address/index.js';
import { quoted } from '../../printable.js';
import type { Finding } from '../../reasons.js';
import { type AlternativeName, type CertificateFacts, generalNameText, stringTypeName } from '../certificate/index.js';
import { domainFault, isDomainName } from './domain.js';

export interface SipIdentities {
  /** Where the names stand: in `sip:` URIs, in dNSNames, in the common name, or nowhere. */
  readonly kind: 'uri' | 'dns' | 'cn' | 'none';
  /** Lower-case domain names in the order of the certificate, each once. */
  readonly names: readonly string[];
  /** Names that were refused; where none is left, also what the certificate has instead. */
  readonly findings: readonly Finding[];
}

/** How one value was read: a domain, a fault to report, or a value that is well formed but names no SIP domain. */
type Reading =
  | { readonly name: string }
  | { readonly code: 'wildcard' | 'name-bytes' | 'name-form'; readonly why: string }
  | { readonly skipped: string };

/** No more of one certificate's refused names are told one by one: a certificate can hold thousands. */
const MOST_FINDINGS = 16;

const UTF8_STRING = 12;
const PRINTABLE_STRING = 19;
const COMMON_NAME = '2.5.4.3';

/** The rest of a SIP URI after its host: port, parameters, headers (RFC 3261 §25.1). */
const URI_TAIL =
  /^(?::[0-9]+)?(?:;(?:[A-Za-z0-9\-_.!~*'()[\]/:&+$=]|%[0-9A-Fa-f]{2})+)*(?:\?(?:[A-Za-z0-9\-_.!~*'()[\]/?:+$=&]|%[0-9A-Fa-f]{2})+)?$/;

/**
 * The identities by which the subject may be known, by RFC 5922 §7.1: `sip:` URIs if there is an acceptable one, else
 * dNSNames, else (only where there is no subjectAltName at all, and only with `cnFallback`) a single common name.
 * Expects that the path of the certificate is judged elsewhere.
 */
export function sipIdentities(
  facts: Pick<CertificateFacts, 'subject' | 'subjectAltNames'>,
  { cnFallback }: { readonly cnFallback: boolean },
): SipIdentities {
  if (facts.subjectAltNames === undefined) return fromCommonName(facts.subject, cnFallback);
  const names = { uri: new Set<string>(), dns: new Set<string>() };
  const findings: Finding[] = [];
  const skipped: string[] = [];
  let others = 0;
  for (const [at, alternative] of facts.subjectAltNames.entries()) {
    const reading = readAlternative(alternative);
    if ('name' in reading) {
      names[alternative.type === 'uri' ? 'uri' : 'dns'].add(reading.name);
      continue;
    }
    others += 1;
    const told = 'code' in reading ? findings : skipped;
    // A stranger's certificate can hold tens of thousands: words are made of those that are told.
    if (told.length === MOST_FINDINGS) continue;
    const label = `subjectAltName ${at + 1}, ${describe(alternative)}`;
    if ('code' in reading) findings.push({ code: reading.code, detail: `${label}: ${reading.why}` });
    else skipped.push(`${label}: ${reading.skipped}`);
  }
  // One acceptable URI makes every dNSName irrelevant.
  const kind = names.uri.size > 0 ? 'uri' : names.dns.size > 0 ? 'dns' : 'none';
  if (kind !== 'none') return { kind, names: [...names[kind]], findings };
  const told = others === 0 ? ['nothing'] : [...findings.map(({ detail }) => detail), ...skipped];
  return none(`expected a sip: URI or a dNSName in subjectAltName; ${listed(told, others)}`, findings);
}

/** The domain that a uniformResourceIdentifier identifies by RFC 5922 §7.1; undefined: none. */
export function sipDomain(uri: Uint8Array): string | undefined {
  const reading = readUri(uri);
  return 'name' in reading ? reading.name : undefined;
}

function readAlternative({ type, bytes }: AlternativeName): Reading {
  if (type === 'uri') return readUri(bytes);
  return type === 'dns' ? readDnsName(bytes) : { skipped: 'only a URI or a dNSName can name a SIP domain' };
}

/** RFC 5922 §7.1 step 4: "if and only if the subjectAltName does not appear". Exactly one common name, or none counts. */
function fromCommonName(subject: CertificateFacts['subject'], cnFallback: boolean): SipIdentities {
  const commonNames = subject.filter(({ oid }) => oid === COMMON_NAME);
  const shown = commonNames.map(({ value }) => quoted(value)).join(', ');
  const [only] = commonNames;
  if (only === undefined) return none('expected a subjectAltName, found neither one nor a common name', []);
  if (!cnFallback) {
    const fault = domainFault(only.value);
    const usable = commonNames.some(({ value }) => isDomainName(value));
    const why = usable ? 'does not count without cn_fallback' : `is no domain name: ${fault?.why}`;
    const detail = `the certificate has no subjectAltName, and its common name ${shown} ${why}`;
    return none(detail, usable ? [{ code: 'cn-disabled', detail }] : []);
  }
  if (commonNames.length > 1) {
    const detail = `expected one common name, found ${commonNames.length}: ${shown}`;
    return none(detail, [{ code: 'cn-ambiguous', detail }]);
  }
  if (only.tag !== UTF8_STRING && only.tag !== PRINTABLE_STRING) {
    return none(`common name ${shown}: expected PrintableString or UTF8String, found ${stringTypeName(only.tag)}`, []);
  }
  const reading = readHost(only.value);
  if ('name' in reading) return { kind: 'cn', names: [reading.name], findings: [] };
  if ('skipped' in reading) return none(`common name ${shown}: ${reading.skipped}`, []);
  const detail = `common name ${shown}: ${reading.why}`;
  return none(detail, [{ code: reading.code, detail }]);
}

/** [6] uniformResourceIdentifier: `sip:` with nothing but a domain to identify (RFC 5922 §7.1 step 1). */
function readUri(bytes: Uint8Array): Reading {
  const text = asciiText(bytes);
  // Before anything is split or lower-cased: NUL, blanks and non-ASCII have no place in a URI (RFC 3986 §2).
  if (typeof text !== 'string') return { code: 'name-bytes', why: text.why };
  const [, scheme, rest = ''] = /^([^:]*):(.*)$/.exec(text) ?? [];
  if (scheme === undefined) return { skipped: 'it has no scheme' };
  // sips: MUST NOT be accepted: it says how to reach a resource, not which domain the peer is.
  if (scheme.toLowerCase() !== 'sip') return { skipped: `its scheme is ${quoted(scheme)}; only sip: names a domain` };
  if (rest.startsWith('//')) return { code: 'name-bytes', why: 'a SIP URI has no "//" in front of its host' };
  if (rest.includes('@')) return { skipped: 'it names a user, not a domain' };
  const [, host = '', tail = ''] = /^(\[[^\]]*\]|[^:;?]*)(.*)$/.exec(rest) ?? [];
  if (!URI_TAIL.test(tail)) return { code: 'name-bytes', why: `${quoted(tail)} cannot follow the host of a SIP URI` };
  if (host.startsWith('[')) return { skipped: 'its host is an IP address, not a domain' };
  // A copy: what is cut out of a text keeps all of it in memory, and pins and verdicts keep the name.
  return readHost(Buffer.from(host, 'latin1').toString('latin1'));
}

/** [2] dNSName, as it stands: no splitting at commas, no decoding. */
function readDnsName(bytes: Uint8Array): Reading {
  const text = asciiText(bytes);
  return typeof text === 'string' ? readHost(text) : { code: 'name-bytes', why: text.why };
}

function readHost(text: string): Reading {
  const fault = domainFault(text);
  // Domain names are ASCII from here on, so lower-casing is the one of RFC 4343.
  if (!fault) return { name: text.toLowerCase() };
  if (parseAddress(text)) return { skipped: 'it is an IP address, not a domain' };
  return { code: FAULT_CODES[fault.kind], why: fault.why };
}

const FAULT_CODES = { wildcard: 'wildcard', bytes: 'name-bytes', form: 'name-form' } as const;

function asciiText(bytes: Uint8Array): string | { readonly why: string } {
  const at = bytes.findIndex((byte) => byte < 0x21 || byte > 0x7e);
  if (at < 0) return Buffer.from(bytes).toString('latin1');
  const byte = bytes[at] ?? 0;
  const letters = byte > 0x7f ? ': a name of other letters than A to Z stands as xn--...' : '';
  return { why: `byte 0x${byte.toString(16).padStart(2, '0')} at position ${at + 1} is in no name${letters}` };
}

const TYPE_NAMES: Readonly<Record<AlternativeName['type'], string>> = {
  other: 'otherName',
  email: 'rfc822Name',
  dns: 'dNSName',
  x400: 'x400Address',
  directory: 'directoryName',
  edi: 'ediPartyName',
  uri: 'URI',
  ip: 'iPAddress',
  rid: 'registeredID',
};

function describe(name: AlternativeName): string {
  const { type, bytes } = name;
  if (type === 'other') return `${TYPE_NAMES[type]} ${quoted(generalNameText(name).slice('other:'.length))}`;
  const text = type === 'uri' || type === 'dns' || type === 'email';
  return text ? `${TYPE_NAMES[type]} ${quoted(Buffer.from(bytes).toString('latin1'))}` : TYPE_NAMES[type];
}

function none(detail: string, findings: readonly Finding[]): SipIdentities {
  return { kind: 'none', names: [], findings: [...findings, { code: 'no-sip-id', detail }] };
}

/** `parts`: the first ones of `total`. */
function listed(parts: readonly string[], total: number): string {
  const more = total > MOST_FINDINGS ? `; and ${total - MOST_FINDINGS} more` : '';
  return `found ${parts.slice(0, MOST_FINDINGS).join('; ')}${more}`;
}
