/** Where a search for a path ends that reaches no anchor, for people. */

import type { CertificateFacts } from '../certificate/index.js';
import type { Issuers } from './issuers.js';

/** Tells a missing intermediate from a CA that is no anchor. */
export function whereItEnds(leaf: CertificateFacts, issuers: Issuers): string {
  const missing = new Set<string>();
  const strangers = new Set<string>();
  const seen = new Set<string>();
  const queue = [leaf];
  for (let current = queue.pop(); current !== undefined; current = queue.pop()) {
    const { text } = current.issuerKeys;
    if (seen.has(text)) continue;
    seen.add(text);
    const above = issuers.above(current);
    if (above.length === 0) missing.add(current.issuerText || '(empty name)');
    for (const issuer of above) {
      if (issuers.isAnchor(issuer)) continue;
      if (issuer.selfIssued) strangers.add(issuer.subjectText);
      else queue.push(issuer);
    }
  }
  const ends = [
    ...(missing.size > 0 ? [`no certificate of ${listed([...missing])} is at hand`] : []),
    ...(strangers.size > 0 ? [`${listed([...strangers])} is no anchor`] : []),
  ];
  return ends.join('; ') || `no certificate of ${leaf.issuerText || '(empty name)'} that is at hand leads to one`;
}

/** A few names, and that there are more. */
export function listed(names: readonly string[]): string {
  return names.length > 3
    ? `${names.slice(0, 3).join('; ')}; and ${names.length - 3} more`
    : names.join('; ') || 'none at all';
}
