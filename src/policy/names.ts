/** Names in a policy: domains, and the names of agreements and interfaces. */

import { referenceDomain } from '../x509/domain.js';
import { entrySite } from './entries.js';
import type { Site } from './site.js';

/** A name that is safe in commands, logs and metrics. */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);
}

/**
 * The domain that an entry means, in lower-case A-labels: a whole domain name and nothing else. U-labels are converted
 * here, once (rulebook C-4).
 */
export function policyDomain(text: string): { readonly domain: string } | { readonly fault: string } {
  // The reference side of a connection may be a URI or have a port; an entry of a list may not.
  const more = moreThanName(text);
  if (more !== undefined) return { fault: more };
  const reference = referenceDomain(text);
  if (reference.kind === 'domain') return { domain: reference.name };
  return { fault: reference.kind === 'ip' ? 'an IP address is no SIP domain identity (RFC 5922 §7.2)' : reference.why };
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
  const domains = new Set<string>();
  for (const [index, text] of texts.entries()) {
    const read = policyDomain(text);
    if ('fault' in read) {
      const found = `found ${JSON.stringify(text)}: ${read.fault}`;
      site.at(index).report('bad-domain', `expected a domain name, as in ims.operator.example, ${found}`);
    } else if (domains.has(read.domain)) {
      site.at(index).report('repeated-value', `${read.domain} stands in this list already`);
    } else {
      domains.add(read.domain);
    }
  }
  return [...domains];
}

/** The site of the entry that means this domain. */
export function domainSite(texts: readonly string[], domain: string, site: Site): Site {
  return entrySite(site, texts, domain, (text) => {
    const read = policyDomain(text);
    return 'domain' in read ? read.domain : undefined;
  });
}
