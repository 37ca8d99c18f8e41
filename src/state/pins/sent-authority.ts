import type { CertificateFacts } from '../../x509/certificate/index.js';

/**
 * The CA above a certificate that ends before it, of those that the peer sent: its path ends with that one. Up to the first CA
 * that the agreement names, which is told of by itself; of two by one name the one that ends later counts.
 */
export function sentAuthority(
  leaf: CertificateFacts,
  sent: readonly CertificateFacts[],
  named: readonly CertificateFacts[],
): CertificateFacts | undefined {
  if (sent.length === 0) return undefined;
  const passed = new Set(named.map(({ subjectKeys }) => subjectKeys.text));
  let first: CertificateFacts | undefined;
  for (let below = leaf; !passed.has(below.issuerKeys.text); ) {
    const { text } = below.issuerKeys;
    passed.add(text);
    const [above] = sent.filter(({ subjectKeys }) => subjectKeys.text === text).sort((a, b) => b.notAfter - a.notAfter);
    if (above === undefined) break;
    if (above.notAfter < (first ?? leaf).notAfter) first = above;
    below = above;
  }
  return first;
}
