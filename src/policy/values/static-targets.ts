/** Next hops that an agreement names by address (`targets`). */

import { type StaticTarget, targetKey } from '../../trust/agreement/index.js';
import type { Site } from '../reading/index.js';
import { entrySite } from './entries.js';
import { readListen } from './listen-address.js';

/** `address:port` or `tls:address:port`, IPv6 in brackets. */
function readTarget(text: string): StaticTarget | undefined {
  return readListen(text.replace(/^tls:/i, ''), 1);
}

/** The targets of the list at `site`, in its order; what is none is reported and left out. */
export function staticTargets(texts: readonly string[], site: Site): readonly StaticTarget[] {
  const targets = new Map<string, StaticTarget>();
  for (const [index, text] of texts.entries()) {
    const target = readTarget(text);
    if (target === undefined) {
      const expected = 'expected an IP address and a port, as in 192.0.2.7:5061 or "tls:[2001:db8::7]:5061"';
      site.at(index).report('bad-address', `${expected}, found ${JSON.stringify(text)}`);
    } else if (targets.has(targetKey(target))) {
      site.at(index).report('repeated-value', `${text} stands in this list already`);
    } else {
      targets.set(targetKey(target), target);
    }
  }
  return [...targets.values()];
}

/** The site of the entry that means this target. */
export function targetSite(texts: readonly string[], target: StaticTarget, site: Site): Site {
  return entrySite(site, texts, targetKey(target), (text) => {
    const read = readTarget(text);
    return read === undefined ? undefined : targetKey(read);
  });
}
