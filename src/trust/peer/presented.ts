/** What a peer shows of itself: the names that it may be taken for, and how an agreement is held against it. */

import type { Finding } from '../../reasons.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import { isDomainName, type SipIdentities, sipIdentities } from '../../x509/identity/index.js';
import { type Agreement, agreementOfName, parentOf, type Snapshot } from '../agreement/index.js';
import { type Cover, type CoverContext, certificateCovered, nextInstant } from '../cover/index.js';
import type { TlsEvidence } from '../evidence/index.js';
import type { Trail } from '../verdict/index.js';

export interface Presented {
  readonly kind: SipIdentities['kind'];
  /** Lower-case domain names (RFC 5922 §7.1). */
  readonly names: readonly string[];
  /** What stands behind `*.` in its dNSNames: no identity, unless an agreement accepts one (RFC 5922 §7.2). */
  readonly wildcards: readonly string[];
  /** What can be done about a wildcard among them. */
  readonly wildcardHint: string;
  /** Names that do not count, and why. */
  readonly findings: readonly Finding[];
  /** Whether the TLS stack of the proxy verified it. */
  readonly verified: boolean;
  /** Instant (ms) at which it changes by itself. */
  readonly validUntil: number;
  /** Whether an agreement covers it. */
  readonly cover: (agreement: Agreement, context: CoverContext) => Cover;
}

/**
 * A certificate that the proxy handed over.
 * @param claims whether its common name counts as a claim to be the partner of that name, also where no agreement accepts it
 */
export function presentedCertificate(
  leaf: CertificateFacts,
  { verified }: Pick<TlsEvidence, 'verified'>,
  { snapshot, now }: Pick<CoverContext, 'snapshot' | 'now'>,
  claims: boolean,
): Presented {
  const found = identities(leaf, snapshot, claims);
  // One acceptable URI makes every dNSName irrelevant (RFC 5922 §7.1).
  const wildcards = found.kind === 'uri' ? [] : wildcardsOf(leaf);
  return {
    ...found,
    wildcards,
    wildcardHint: hintAt(leaf, wildcards),
    verified,
    validUntil: nextInstant(now, [leaf], snapshot.skew),
    cover: (agreement, context) => certificateCovered(agreement, leaf, verified, context),
  };
}

/** The identities that count here; the common name only where an agreement accepts it (RFC 5922 §7.1). */
function identities(leaf: CertificateFacts, snapshot: Snapshot, claims: boolean): SipIdentities {
  const strict = sipIdentities(leaf, { cnFallback: false });
  // Beside a subjectAltName no common name counts, whatever an agreement says (RFC 5922 §7.1 step 4).
  if (strict.kind !== 'none' || leaf.subjectAltNames !== undefined) return strict;
  const lax = sipIdentities(leaf, { cnFallback: true });
  // These count under no agreement, whatever it says of common names (rulebook T-34).
  if (lax.findings.some(({ code }) => code === 'cn-ambiguous' || code === 'wildcard')) return lax;
  // A text of another type than PrintableString and UTF8String, an address: what no setting makes a name is told as it is.
  if (lax.findings.every(({ code }) => code === 'no-sip-id') && lax.kind === 'none') return lax;
  const agreements = lax.names.flatMap((name) => agreementOfName(name, snapshot) ?? []);
  // It is for the agreement of that name to say whether it accepts it.
  if (agreements.some(({ cnFallback }) => claims || cnFallback)) return lax;
  // A machine below the domain of an agreement that accepts common names: what it lacks is its own name there.
  return claims && lax.names.some((name) => acceptedAbove(name, snapshot)) ? lax : strict;
}

function acceptedAbove(name: string, { byDomain }: Snapshot): boolean {
  for (let above = parentOf(name); above !== ''; above = parentOf(above)) {
    if (byDomain.get(above)?.cnFallback === true) return true;
  }
  return false;
}

const WILDCARD = '*.';

/** Suffixes of the dNSNames that are one whole wildcard label and a domain name (RFC 9525 §6.3). */
function wildcardsOf({ subjectAltNames = [] }: CertificateFacts): readonly string[] {
  const suffixes = new Set<string>();
  for (const { type, bytes } of subjectAltNames) {
    if (type !== 'dns' || bytes[0] !== 0x2a) continue;
    const text = Buffer.from(bytes).toString('latin1');
    const suffix = text.slice(WILDCARD.length);
    if (text.startsWith(WILDCARD) && isDomainName(suffix)) suffixes.add(suffix.toLowerCase());
  }
  return [...suffixes];
}

/** Whether a name of the peer is one label in front of a suffix that the agreement accepts; the names that are. */
export function underWildcard(presented: Presented, { wildcardNames }: Agreement): readonly string[] {
  if (wildcardNames.length === 0) return [];
  return [
    ...presented.names.filter((name) => wildcardNames.includes(parentOf(name))),
    ...presented.wildcards.filter((suffix) => wildcardNames.includes(suffix)).map((suffix) => WILDCARD + suffix),
  ];
}

const MOST_SUFFIXES = 3;

function hintAt({ subjectAltNames }: CertificateFacts, wildcards: readonly string[]): string {
  if (subjectAltNames === undefined) {
    return 'no setting accepts one in the common name: the partner needs a subjectAltName';
  }
  if (wildcards.length === 0) return 'no setting accepts another form than *. in front of a whole domain, as a dNSName';
  const suffixes = wildcards.slice(0, MOST_SUFFIXES).join(', ');
  return `an agreement can accept one label in front of a suffix (wildcard_names: [${suffixes}])`;
}

/** Says what names the peer has, and which of its names are none. `accepted`: an agreement takes one of its wildcards. */
export function noteIdentities(presented: Presented, accepted: boolean, trail: Trail): void {
  const { kind, names, findings, wildcardHint: hint } = presented;
  const told = findings.map((finding) =>
    finding.code === 'wildcard' && !accepted ? { ...finding, detail: `${finding.detail}; ${hint}` } : finding,
  );
  if (names.length > 0) trail.pass('identity', `${kind} ${names.join(', ')}`, 'RFC 5922 §7.1');
  if (names.length > 0 || accepted) {
    for (const { code, detail } of told) if (code !== 'no-sip-id') trail.note('identity', code, detail);
    return;
  }
  const why = told.filter(({ code }) => code !== 'no-sip-id');
  for (const { code, detail } of why) trail.fail('identity', code, detail);
  const none = told.find(({ code }) => code === 'no-sip-id')?.detail;
  const detail = none ?? 'expected a dNSName or sip: URI in subjectAltName, found none that counts';
  trail.fail(why.length === 0 ? 'identity' : undefined, 'no-sip-id', detail);
}
