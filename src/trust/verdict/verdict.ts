/** The answer to "who is at the other end, under which agreement, and is the path protected as agreed?" */

import type { Finding, ReasonCode } from '../../reasons.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import type { Agreement } from '../agreement/index.js';

/** What a verdict rests on, weakest first. */
export const ASSURANCES = ['none', 'address', 'za', 'tls-attributes', 'tls-certificate', 'tls-pinned'] as const;
export type Assurance = (typeof ASSURANCES)[number];

/**
 * What a verdict holds for: one TLS connection; all that comes from one source address to one local socket; or, where
 * the policy looks at source ports, that from one source port of it.
 */
export type VerdictScope = 'connection' | 'address' | 'port';

/** One step of the decision, kept so that every answer can be explained (design rule 10). */
export interface Check {
  readonly name: string;
  /** What was compared with what. */
  readonly compared: string;
  readonly outcome: 'pass' | 'fail' | 'skip' | 'note';
  readonly clause: string;
}

/** What an agreement that is only monitored would have come to. */
export interface Would extends Pick<Verdict, 'verdict' | 'action' | 'code' | 'phrase'> {
  readonly reason: ReasonCode | undefined;
  /**
   * The peer proved to be this partner: its messages pass as they are, as if siptrust were not there. Otherwise it is
   * what it would be without the agreement: a stranger.
   */
  readonly passes: boolean;
}

export interface Verdict {
  readonly verdict: 'trusted' | 'untrusted' | 'reject';
  readonly assurance: Assurance;
  /** The agreement that covers the peer; also set when it was found but did not hold. */
  readonly agreement: Agreement | undefined;
  /** SIP domain identities of the peer, lower case. */
  readonly domains: readonly string[];
  /** Most telling first. */
  readonly findings: readonly Finding[];
  readonly action: 'continue' | 'reject' | 'close';
  /** SIP status for `reject`; 0 otherwise. */
  readonly code: number;
  readonly phrase: string;
  /** Instant (ms) after which the verdict may differ although the policy did not change. */
  readonly validUntil: number;
  readonly revision: number;
  /** What a script may keep the verdict for. */
  readonly per: VerdictScope;
  readonly checks: readonly Check[];
  /** Present where the agreement is only monitored, which changes nothing: the verdict is then `untrusted`. */
  readonly would?: Would;
  /**
   * Agreements that the certificate satisfies in all but an approval of its key (or their enforcement): for these it
   * may be recorded as a pin that was observed. Absent: none; a stranger is never recorded.
   */
  readonly observes?: readonly string[];
}

/** The agreement by whose terms the peer is treated; undefined: by those of a stranger, also where one is only monitored. */
export function agreementInEffect({ agreement, would }: Pick<Verdict, 'agreement' | 'would'>): Agreement | undefined {
  return would === undefined ? agreement : undefined;
}

/**
 * Whether a certificate that the peer's chain may have and the question had not could change this, monitored or in force.
 * `told`: what it had of the chain. Above a root stands nothing; any other CA may have been signed by several,
 * and one of these may bear the name of an anchor.
 */
export function lacksLink(
  { findings, would }: Pick<Verdict, 'findings' | 'would'>,
  told: readonly CertificateFacts[],
): boolean {
  const reasons = [findings[0]?.code, would?.reason];
  if (reasons.includes('missing-intermediate')) return true;
  const open = reasons.includes('anchor-mismatch') || reasons.includes('bad-signature');
  return open && told.at(-1)?.selfIssued === false;
}
