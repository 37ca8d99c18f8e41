/** What a certificate's revocation is judged by, and what the judging costs. */

import type { Budget, CertificateFacts } from '../certificate/index.js';
import type { CrlFacts } from './crl.js';

/** A certificate in the name of a list's issuer. */
export interface ListSigner {
  readonly certificate: CertificateFacts;
  /** Why no path leads from it to the anchor of the certificate's path: it signs no lists here. undefined: one does. */
  readonly fault?: string;
}

export interface RevocationContext {
  readonly crls: readonly CrlFacts[];
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly skew: number;
  /** Milliseconds by which the last list may be used past its nextUpdate (rulebook §8.3). */
  readonly grace?: number;
  /** Whether lists must keep RFC 5280 §5 where §6.3 does not look, and the TLS profile of indirect lists and names. */
  readonly strict: boolean;
  readonly tls: boolean;
  readonly budget: Budget;
  /** Certificates that bear the name of this issuer. */
  readonly signers: (issuerText: string) => Iterable<ListSigner>;
}

/** Microseconds for a list that is looked at for one distribution point, for each name of either, and as a delta of another. */
export const COST = { list: 2, name: 1, delta: 0.1 } as const;
