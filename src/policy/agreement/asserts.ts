/** What a peer may assert: `asserts` of an agreement. */

import { z } from 'zod';
import type { Asserts } from '../../trust/agreement/index.js';
import { flag, type Site, someWords, words } from '../reading/index.js';
import { assertedDomains, assertedHosts } from '../values/index.js';
import type { Around } from './key.js';

export const ASSERTS = z
  .strictObject({
    domains: words('a domain name').optional(),
    hosts: words('an IP address or a host name').optional(),
    numbers: z
      .union([z.literal('any'), someWords('the beginning of a global number, as in "+4930"')])
      .describe('"any", or a list of number prefixes as in "+4930"')
      .optional(),
    transit: flag.optional(),
  })
  .describe('a mapping {domains, hosts, numbers, transit}');

/** Without a word of its own an agreement lets its domains and any number be asserted. */
export function readAsserts(given: z.infer<typeof ASSERTS> | undefined, site: Site, around: Around): Asserts {
  const { domains: named, hosts = [], numbers = 'any', transit = false } = given ?? {};
  if (transit && named !== undefined) {
    const text = 'domains has no effect with transit: true, which lets the peer assert any domain but ours';
    site.at('domains').report('no-effect', text, 'key');
  }
  if (around.interconnect === 'enterprise' && numbers === 'any') {
    const text = 'an enterprise may assert any number: expected asserts.numbers with the prefixes that it owns';
    site.report('broad-assertion', text);
  }
  for (const [index, prefix] of (numbers === 'any' ? [] : numbers).entries()) {
    if (!/^\+[0-9]{1,15}$/.test(prefix)) {
      const expected = 'expected the beginning of a global number: "+" and 1 to 15 digits, as in "+4930"';
      site.at('numbers', index).report('bad-number', `${expected}, found ${JSON.stringify(prefix)}`);
    }
  }
  const domains = named === undefined ? around.domains : assertedDomains(named, site.at('domains'));
  return { domains, hosts: assertedHosts(hosts, site.at('hosts')), numbers, transit };
}
