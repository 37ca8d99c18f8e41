import type { Snapshot } from '../../trust/agreement/index.js';
import type { CertificateFacts } from '../../x509/certificate/index.js';
import type { CrlFacts, OcspAnswers } from '../../x509/revocation/index.js';

/** One list or status, for operators. */
export interface RevocationRow {
  readonly kind: 'crl' | 'ocsp';
  /** URL, or the agreement whose file it is. */
  readonly source: string;
  readonly issuer: string;
  /** ocsp: the certificate that it is about. */
  readonly certificate: string;
  readonly thisUpdate: number | undefined;
  readonly nextUpdate: number | undefined;
  /** crl: revoked certificates in the list. */
  readonly entries: number | undefined;
  readonly state: RevocationState;
  /** The last answer that was of use. */
  readonly checkedAt: number | undefined;
  readonly nextAt: number | undefined;
  readonly error: string;
}

/**
 * `current`, `ending` (soon past nextUpdate), `stale` (past it); `good` and `revoked` of a status; `pending` (nobody has
 * asked yet), `none` (asked, and nothing usable at hand).
 */
export type RevocationState = 'current' | 'ending' | 'stale' | 'good' | 'revoked' | 'pending' | 'none';

/** What is known of revocation beyond the files of agreements, and who makes it known. */
export interface RevocationSource {
  /** All fetched lists at hand. */
  readonly crls: readonly CrlFacts[];
  readonly ocsp: OcspAnswers;
  /**
   * A certificate that names a partner (`agreement`) has been judged: what it says of its revocation is asked for from now on, and so is
   * what the CAs say that came with it (`chain`), where a CA of the policy has signed them.
   */
  observe(leaf: CertificateFacts, chain: readonly CertificateFacts[], agreement: string): void;
  /** Whether something about this certificate is being asked for the first time. */
  awaits(leaf: CertificateFacts): boolean;
  /** Another policy is in force. */
  follow(snapshot: Snapshot): Promise<void>;
  rows(): Promise<readonly RevocationRow[]>;
  /** Asks again, about everything or one URL; the number of sources that were asked. Settles when all have answered. */
  refresh(url: string | undefined): Promise<number>;
}

/** Nothing beyond the files of agreements: where nothing is fetched. */
export const NO_REVOCATION_SOURCE: RevocationSource = Object.freeze({
  crls: Object.freeze([]),
  ocsp: new Map(),
  observe: () => {},
  awaits: () => false,
  follow: () => Promise.resolve(),
  rows: () => Promise.resolve([]),
  refresh: () => Promise.resolve(0),
});
