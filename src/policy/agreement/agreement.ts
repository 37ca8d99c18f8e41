/** One agreement of the policy file, checked by itself and compiled. What it shares with others is checked in claims.ts. */

import { type AddressPrefix, PrefixList, parsePrefix } from '../../net/address/index.js';
import {
  type Agreement,
  type Asserts,
  type AttributeMatch,
  type EkuPolicy,
  type PrivacyMode,
  parseOneLineName,
  type RevocationPolicy,
} from '../../trust/agreement/index.js';
import { whyUnsigned } from '../../x509/revocation/index.js';
import type { Site } from '../reading/index.js';
import type { AgreementInput } from '../settings/index.js';
import { dayText, parseInstant } from './dates.js';
import { compileHeaders } from './header-rules.js';
import type { Material } from './material.js';
import { assertedHosts, domainNames, isPlainName, wildcardSuffixes } from './names.js';
import { staticTargets } from './static-targets.js';

/** What an agreement that says nothing of it gets. */
export interface AgreementDefaults {
  readonly privacy: PrivacyMode;
  readonly revocation: RevocationPolicy;
  readonly eku: EkuPolicy;
}

export interface AgreementContext {
  readonly material: Material;
  readonly defaults: AgreementDefaults;
  readonly now: number;
}

/** Keys that speak of certificates, and keys that speak of a path: each kind means nothing to the other mechanism. */
const KEYS_OF_MECHANISM = {
  tls: [
    'server_names',
    'wildcard_names',
    'anchors',
    'intermediates',
    'subject',
    'issuer',
    'attributes',
    'revocation',
    'crls',
    'eku',
    'stack_verification',
    'cn_fallback',
    'pins',
    'pinned',
    'pin',
    'migration',
    'require_tls',
    'targets',
    'allow_tls_fallback',
  ],
  'nds-ip': ['interface', 'sources'],
} as const satisfies Record<Agreement['mechanism'], readonly (keyof AgreementInput)[]>;

const ENDS_SOON_DAYS = 30;
const DAY = 86_400_000;

/** Compiles an agreement. Where something is wrong it is reported, and the rest is checked all the same. */
export function compileAgreement(input: AgreementInput, site: Site, context: AgreementContext): Agreement {
  const { defaults, material, now } = context;
  checkName(input.name, site.at('name'));
  checkMechanism(input, site);
  const domains = domainNames(input.domains, site.at('domains'));
  const valid = validity(input, site.at('valid'), now);
  const pins = pinHashes(input.pins ?? [], site.at('pins'));
  const anchors = anchorsByRole(input, site.at('anchors'), material);
  const path = input.mechanism === 'tls' ? input.migration : input;
  const agreement: Agreement = {
    name: input.name,
    domains,
    serverNames: domainNames(input.server_names ?? [], site.at('server_names')),
    wildcardNames: wildcardSuffixes(input.wildcard_names ?? [], site.at('wildcard_names')),
    mechanism: input.mechanism,
    anchors,
    intermediates: material.certificates(input.intermediates ?? [], site.at('intermediates'), 'intermediate'),
    subject: attributeMatch(input.subject),
    issuer: attributeMatch(input.issuer),
    attributeIssuers: attributeIssuers(input, site.at('attributes', 'issuers')),
    interconnect: input.interconnect ?? 'non-roaming',
    directions: [...new Set(input.directions ?? (['in', 'out'] as const))],
    valid,
    asserts: asserted(input, domains, site.at('asserts')),
    privacy: input.privacy ?? defaults.privacy,
    revocation: input.revocation ?? defaults.revocation,
    crls: material.crls(input.crls ?? [], site.at('crls')),
    eku: input.eku ?? defaults.eku,
    stackVerification: input.stack_verification ?? 'required',
    cnFallback: input.cn_fallback ?? false,
    pins,
    pinned: input.pinned ?? false,
    pinLeaf: input.pin === 'leaf',
    headers: compileHeaders(input.headers, site.at('headers')),
    enforcement: input.enforcement ?? 'enforce',
    enabled: input.enabled ?? true,
    interface: path?.interface,
    sources: sourcePrefixes(path?.sources ?? [], pathSite(input, site).at('sources')),
    migrationUntil: migrationEnd(input, site.at('migration', 'until'), now),
    requireTls: input.require_tls ?? false,
    targets: staticTargets(input.targets ?? [], site.at('targets')),
    allowTlsFallback: input.allow_tls_fallback ?? false,
  };
  checkTrustBasis(agreement, input, site);
  checkNextHop(agreement, input, site);
  return agreement;
}

/** Names are keys of commands, logs and metrics: a plain word. */
export function checkName(name: string, site: Site): void {
  if (!isPlainName(name)) {
    const expected = 'expected letters, digits, ".", "_" and "-", at most 64, beginning with a letter or digit';
    site.report('bad-name', `${expected}, found ${JSON.stringify(name)}`);
  }
}

/** A key that means nothing to the mechanism would do nothing in silence. */
function checkMechanism(input: AgreementInput, site: Site): void {
  const other = input.mechanism === 'tls' ? 'nds-ip' : 'tls';
  for (const key of KEYS_OF_MECHANISM[other]) {
    if (input[key] === undefined) continue;
    site
      .at(key)
      .report('misplaced-key', `the key belongs to mechanism ${other}, found mechanism ${input.mechanism}`, 'key');
  }
  if (input.mechanism === 'tls') return;
  if (input.interface === undefined) {
    site.at('interface').report('missing-key', 'the key is missing: an nds-ip agreement names its interface');
  }
  if ((input.sources ?? []).length === 0) {
    const expected = 'an nds-ip agreement names the addresses that it covers';
    const found = input.sources === undefined ? 'the key is missing' : 'expected at least one prefix, found none';
    site.at('sources').report('missing-key', `${found}: ${expected}`);
  }
}

function validity(input: AgreementInput, site: Site, now: number): Agreement['valid'] {
  const from = instant(input.valid?.from, site.at('from'), 'from') ?? Number.NEGATIVE_INFINITY;
  const until = instant(input.valid?.until, site.at('until'), 'until') ?? Number.POSITIVE_INFINITY;
  if (from > until) {
    site
      .at('until')
      .report('bad-date', `expected an end after the beginning ${dayText(from)}, found ${dayText(until)}`);
  } else if (input.enabled !== false && until < now) {
    site.at('until').report('agreement-ended', `agreement ${input.name} ended on ${dayText(until)}`);
  } else if (input.enabled !== false && until - now <= ENDS_SOON_DAYS * DAY) {
    const days = Math.floor((until - now) / DAY);
    site
      .at('until')
      .report('agreement-ends-soon', `agreement ${input.name} ends on ${dayText(until)}, in ${days} days`);
  }
  return { from, until };
}

function instant(text: string | undefined, site: Site, bound: 'from' | 'until'): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseInstant(text, bound);
  if (ms === undefined) {
    const expected = 'expected a day, as in 2026-01-31, or an RFC 3339 instant, as in 2026-01-31T12:00:00Z';
    site.report('bad-date', `${expected}, found ${JSON.stringify(text)}`);
  }
  return ms;
}

/** Where an agreement says which path stands for the network: `interface` and `sources`. */
export function pathSite(input: AgreementInput, site: Site): Site {
  return input.mechanism === 'tls' ? site.at('migration') : site;
}

/** A migration has an end: a path that stood beside TLS for ever would make TLS worth no more than itself. */
function migrationEnd(input: AgreementInput, site: Site, now: number): number | undefined {
  if (input.migration === undefined) return undefined;
  const until = instant(input.migration.until, site, 'until');
  if (until !== undefined && until < now) {
    const text = `the migration of agreement ${input.name} ended on ${dayText(until)}: the path has no effect any more`;
    site.report('no-effect', text);
  }
  return until ?? Number.NEGATIVE_INFINITY;
}

/** SHA-256 of a SubjectPublicKeyInfo: 32 bytes in padded base64. */
function pinHashes(pins: readonly string[], site: Site): readonly string[] {
  const hashes = new Set<string>();
  for (const [index, pin] of pins.entries()) {
    const hash = /^sha256\/([A-Za-z0-9+/]{43}=)$/.exec(pin)?.[1];
    if (hash === undefined || Buffer.from(hash, 'base64').toString('base64') !== hash) {
      const expected = 'expected sha256/ and the 44 characters of a base64 SHA-256 of the SubjectPublicKeyInfo';
      site.at(index).report('bad-pin', `${expected}, found ${JSON.stringify(pin)}`);
    } else if (hashes.has(hash)) {
      site.at(index).report('repeated-value', `${pin} stands in this list already`);
    } else {
      hashes.add(hash);
    }
  }
  return [...hashes];
}

/** A plain list of anchors holds for both roles. */
function anchorsByRole({ anchors }: AgreementInput, site: Site, material: Material): Agreement['anchors'] {
  if (Array.isArray(anchors)) {
    const both = material.certificates(anchors, site, 'anchor');
    return { client: both, server: both };
  }
  return {
    client: material.certificates(anchors?.client ?? [], site.at('client'), 'anchor'),
    server: material.certificates(anchors?.server ?? [], site.at('server'), 'anchor'),
  };
}

function attributeMatch(input: AgreementInput['subject']): AttributeMatch {
  const match: Record<string, readonly string[]> = {};
  for (const [name, values] of Object.entries(input ?? {})) {
    if (values !== undefined) match[name] = Array.isArray(values) ? values : [values];
  }
  return match;
}

/** Names on one line; what no proxy can print as one would never be found. */
function attributeIssuers(input: AgreementInput, site: Site): readonly string[] {
  const issuers = input.attributes?.issuers ?? [];
  issuers.forEach((name, at) => {
    if (parseOneLineName(name) !== undefined) return;
    const expected = 'a name on one line with each type once, as in "/O=Operator B/CN=Operator B CA"';
    site.at(at).report('bad-value', `expected ${expected}, found ${JSON.stringify(name)}`);
  });
  return issuers;
}

function asserted(input: AgreementInput, domains: readonly string[], site: Site): Asserts {
  const { domains: named, hosts = [], numbers = 'any', transit = false } = input.asserts ?? {};
  if (transit && named !== undefined) {
    const text = 'domains has no effect with transit: true, which lets the peer assert any domain but ours';
    site.at('domains').report('no-effect', text, 'key');
  }
  if (input.interconnect === 'enterprise' && numbers === 'any') {
    const text = 'an enterprise may assert any number: expected asserts.numbers with the prefixes that it owns';
    site.report('broad-assertion', text);
  }
  for (const [index, prefix] of (numbers === 'any' ? [] : numbers).entries()) {
    if (!/^\+[0-9]{1,15}$/.test(prefix)) {
      const expected = 'expected the beginning of a global number: "+" and 1 to 15 digits, as in "+4930"';
      site.at('numbers', index).report('bad-number', `${expected}, found ${JSON.stringify(prefix)}`);
    }
  }
  const own = named === undefined ? domains : domainNames(named, site.at('domains'));
  return { domains: own, hosts: assertedHosts(hosts, site.at('hosts')), numbers, transit };
}

function sourcePrefixes(sources: readonly string[], site: Site): PrefixList {
  const known = new Set<string>();
  const prefixes: Pick<AddressPrefix, 'bytes' | 'length'>[] = [];
  for (const [index, text] of sources.entries()) {
    const prefix = parsePrefix(text);
    if ('invalid' in prefix) {
      site.at(index).report('bad-prefix', prefix.invalid);
    } else if (known.has(prefix.text)) {
      site.at(index).report('repeated-value', `${prefix.text} stands in this list already`);
    } else {
      known.add(prefix.text);
      prefixes.push(prefix);
      const least = prefix.bytes.length === 4 ? 8 : 16;
      if (prefix.length < least) {
        const text = `${prefix.text} is wider than any network: everyone who reaches the interface may be trusted`;
        site.at(index).report('wide-source', text);
      }
    }
  }
  return PrefixList.of(prefixes);
}

/** What the trust in a tls agreement would rest on, and whether that can ever hold. */
function checkTrustBasis(agreement: Agreement, input: AgreementInput, site: Site): void {
  if (agreement.mechanism !== 'tls') return;
  const { pinLeaf, pins, stackVerification, revocation, crls, directions } = agreement;
  const named = Array.isArray(input.anchors) ? { client: input.anchors, server: input.anchors } : (input.anchors ?? {});
  const pinned = pinLeaf && (input.pins ?? []).length > 0;

  if (pinLeaf && (input.pins ?? []).length === 0) {
    site.at('pins').report('missing-key', 'the key is missing: pin: leaf trusts the keys that pins names');
  }
  if (!pinned && !named.client?.length && !named.server?.length) {
    const expected = 'expected at least one anchor: a tls agreement names the CAs that may vouch for the network';
    site.at('anchors').report('no-anchors', `${expected} (or pins with pin: leaf)`);
  } else if (!pinned) {
    for (const [direction, role] of [
      ['in', 'client'],
      ['out', 'server'],
    ] as const) {
      if (!directions.includes(direction) || named[role]?.length) continue;
      const text = `direction ${direction} has no effect: no anchor for the role ${role}, so no ${role} is ever trusted`;
      site.at('anchors').report('no-effect', text, 'key');
    }
  }
  if (stackVerification === 'advisory') {
    const text = 'siptrust alone judges the certificates of this agreement; the proxy has to ask for them unverified';
    site.at('stack_verification').report('stack-advisory', `${text} (verify_client=optional_no_ca)`);
  }
  if (pins.length > 0 && pinLeaf && stackVerification === 'required') {
    const text = 'pin: leaf has an effect only where the proxy itself verifies the certificate; otherwise it takes';
    site.at('pin').report('no-effect', `${text} stack_verification: advisory`);
  }
  if (input.eku === 'any-role' && stackVerification === 'required') {
    // OpenSSL refuses a certificate without the purpose of its role.
    const text = 'eku: any-role does no more than either while the proxy verifies the purpose; otherwise it takes';
    site.at('eku').report('no-effect', `${text} stack_verification: advisory`);
  }
  if (crls.length > 0 && revocation === 'off') {
    site.at('crls').report('no-effect', 'crls has no effect with revocation: off', 'key');
  } else if (!pinned) checkLists(agreement, site);
}

/** Lists that no CA of the agreement has signed: nobody is cleared or revoked by them. */
function checkLists({ name, anchors, intermediates, crls }: Agreement, site: Site): void {
  const authorities = [...anchors.client, ...anchors.server, ...intermediates];
  for (const crl of authorities.length === 0 ? [] : crls) {
    const why = whyUnsigned(crl, authorities);
    if (why === undefined) continue;
    const text = `the CRL of ${crl.issuerText} has no effect: expected one signed by an anchor or intermediate of agreement ${name}`;
    site.at('crls').report('crl-unsigned', `${text}; ${why}`, 'key');
  }
}

/** Keys about where requests go to, where none may go there, and two that contradict each other. */
function checkNextHop(agreement: Agreement, input: AgreementInput, site: Site): void {
  if (agreement.mechanism !== 'tls') return;
  if (agreement.requireTls && agreement.allowTlsFallback) {
    const text = 'allow_tls_fallback has no effect with require_tls: true, which lets nothing but TLS be tried';
    site.at('allow_tls_fallback').report('no-effect', text, 'key');
  }
  for (const key of ['require_tls', 'targets', 'allow_tls_fallback'] as const) {
    if (input[key] === undefined || agreement.directions.includes('out')) continue;
    site.at(key).report('no-effect', `${key} has no effect: the agreement does not cover direction out`, 'key');
  }
}
