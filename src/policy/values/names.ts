/** Names in a policy: domains, and the names of agreements and interfaces. */

import { parseAddress } from '../../net/address/index.js';
import { quoted } from '../../printable.js';
import { referenceDomain } from '../../x509/identity/index.js';
import type { Site } from '../reading/index.js';
import { entrySite } from './entries.js';

/** A name that is safe in commands, logs and metrics. */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);
}

/** Names are keys of commands, logs and metrics: a plain word. */
export function checkName(name: string, site: Site): void {
  if (isPlainName(name)) return;
  const expected = 'expected letters, digits, ".", "_" and "-", at most 64, beginning with a letter or digit';
  site.report('bad-name', `${expected}, found ${JSON.stringify(name)}`);
}

/**
 * The domain that an entry means, in lower-case A-labels: a whole domain name and nothing else. U-labels are converted
 * here, once (rulebook C-4).
 */
export function policyDomain(text: string): { readonly domain: string } | { readonly fault: string } {
  if (addressOf(text) !== undefined) return { fault: NO_IDENTITY };
  // The reference side of a connection may be a URI or have a port; an entry of a list may not.
  const more = moreThanName(text);
  if (more !== undefined) return { fault: more };
  const reference = referenceDomain(text);
  if (reference.kind === 'domain') return mixedLabel(text) ?? { domain: reference.name };
  return { fault: reference.kind === 'ip' ? NO_IDENTITY : reference.why };
}

const NO_IDENTITY = 'an IP address is no SIP domain identity (RFC 5922 §7.2)';

const addressOf = (text: string) => parseAddress(/^\[(.*)\]$/.exec(text)?.[1] ?? text);

/** Scripts that have letters which look alike. */
const ALIKE = [/\p{Script=Latin}/u, /\p{Script=Greek}/u, /\p{Script=Cyrillic}/u];

/** Refuses a label that mixes such scripts: whoever reads the policy takes it for another name (UTS #39 §5). */
function mixedLabel(text: string): { readonly fault: string } | undefined {
  const label = text.split('.').find((each) => ALIKE.filter((script) => script.test(each)).length > 1);
  if (label === undefined) return undefined;
  return { fault: `the label ${quoted(label)} mixes letters of Latin, Greek or Cyrillic, which look alike` };
}

/** What stands in a text besides a name, and where it belongs. */
function moreThanName(text: string): string | undefined {
  if (!/[:/@;?]/.test(text)) return undefined;
  if (/^sips?:/i.test(text)) return 'a domain stands without "sip:"';
  if (text.includes('@')) return 'a domain stands without the user part';
  if (/^[^:/;?]+:[0-9]*$/.test(text)) {
    return 'a domain has no port (where a partner is reached without DNS is for `targets`: address and port)';
  }
  return 'it holds more than a name';
}

/** The domains of the list at `site`; what is none is reported and left out. */
export function domainNames(texts: readonly string[], site: Site): readonly string[] {
  return namesOf(texts, site, policyDomain, A_DOMAIN);
}

const A_DOMAIN = 'a domain name, as in ims.operator.example';

/** Domains that an asserted identity may have; an address in their place is told where it belongs. */
export function assertedDomains(texts: readonly string[], site: Site): readonly string[] {
  const meaning = (text: string) =>
    addressOf(text) === undefined ? policyDomain(text) : { fault: 'an IP address belongs in asserts.hosts' };
  return namesOf(texts, site, meaning, A_DOMAIN);
}

/** The suffixes of wildcard names: written as they stand behind the wildcard label. */
export function wildcardSuffixes(texts: readonly string[], site: Site): readonly string[] {
  const expected = 'a domain name, as in pstn.operator.example for *.pstn.operator.example';
  return namesOf(texts, site, policyDomain, expected);
}

/** Hosts that an asserted identity may have: addresses in the form of a SIP URI, IPv6 in brackets, and names. */
export function assertedHosts(texts: readonly string[], site: Site): readonly string[] {
  const expected = 'an IP address or a host name, as in 192.0.2.7, "2001:db8::7" or sbc.operator.example';
  return namesOf(texts, site, assertedHost, expected);
}

function assertedHost(text: string): ReturnType<typeof policyDomain> {
  const address = addressOf(text);
  if (address === undefined) return policyDomain(text);
  return { domain: address.text.includes(':') ? `[${address.text}]` : address.text };
}

function namesOf(
  texts: readonly string[],
  site: Site,
  meaning: typeof policyDomain,
  expected: string,
): readonly string[] {
  const names = new Set<string>();
  for (const [index, text] of texts.entries()) {
    const read = meaning(text);
    if ('fault' in read) {
      site.at(index).report('bad-domain', `expected ${expected}, found ${JSON.stringify(text)}: ${read.fault}`);
    } else if (names.has(read.domain)) {
      site.at(index).report('repeated-value', `${read.domain} stands in this list already`);
    } else {
      names.add(read.domain);
    }
  }
  return [...names];
}

/** The site of the entry that means this domain. */
export function domainSite(texts: readonly string[], domain: string, site: Site): Site {
  return entrySite(site, texts, domain, (text) => {
    const read = policyDomain(text);
    return 'domain' in read ? read.domain : undefined;
  });
}
