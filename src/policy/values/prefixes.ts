/** Lists of source addresses, as policies write them. */

import { type AddressPrefix, PrefixList, parsePrefix } from '../../net/address/index.js';
import type { Site } from '../reading/index.js';

/** Shortest prefix that one network may have, in bits: what is wider holds everybody. */
const LEAST_BITS = { four: 8, six: 16 } as const;

/** The prefixes of the list at `site`; what is none, or stands there twice, is reported and left out. */
export function sourcePrefixes(sources: readonly string[], site: Site): PrefixList {
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
      if (prefix.length < (prefix.bytes.length === 4 ? LEAST_BITS.four : LEAST_BITS.six)) {
        const text = `${prefix.text} is wider than any network: everyone who reaches the interface may be trusted`;
        site.at(index).report('wide-source', text);
      }
    }
  }
  return PrefixList.of(prefixes);
}
