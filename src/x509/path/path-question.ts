/** What is asked about a path, and what is answered. */

import type { Finding } from '../../reasons.js';
import type { Budget, CertificateFacts } from '../certificate/index.js';
import type { PeerName } from '../identity/index.js';
import type { CrlFacts, OcspAnswers, OcspRules } from '../revocation/index.js';
import type { EkuPolicy, Role } from '../rules/index.js';
import type { RevocationMode } from './path-check.js';

export interface PathInput {
  readonly leaf: CertificateFacts;
  /** In any order; they need not be of one path, or of any, and may be whatever a stranger sent. */
  readonly intermediates: readonly CertificateFacts[];
  /** Trusted by name and key; they need not be self-signed (TS 33.310 §5.2.4). What they say of themselves is judged. */
  readonly anchors: readonly CertificateFacts[];
  readonly crls: readonly CrlFacts[];
  /** OCSP answers about certificates of the path. */
  readonly ocsp?: OcspAnswers;
  readonly ocspRules?: OcspRules;
  /** Milliseconds by which a CRL may be used past its nextUpdate. */
  readonly crlGrace?: number;
  /** Milliseconds since 1970; whole seconds count (RFC 5280 §4.1.2.5). */
  readonly at: number;
  /** The part of the leaf's holder in TLS; `any`: RFC 5280 alone, no TLS rules. */
  readonly purpose: Role | 'any';
  /** Every one of them must be in subjectAltName; none: only the path is judged. */
  readonly names: readonly PeerName[];
  readonly revocation: RevocationMode;
  /** Most intermediates between leaf and anchor; self-issued ones are not counted (RFC 5280 §4.2.1.9). */
  readonly maxDepth?: number | undefined;
  /** Milliseconds by which clocks may differ. */
  readonly skew?: number;
  readonly ekuPolicy?: EkuPolicy;
  /** Also ask what RFC 5280 §4 demands of CAs and §6.1 does not look at (see rules.ts). */
  readonly strict?: boolean;
  /** Microseconds of work (budget.ts), or what is left of the work of several questions. */
  readonly budget?: number | Budget;
}

export type PathResult =
  | {
      readonly ok: true;
      /** Leaf first, anchor last. */
      readonly path: readonly CertificateFacts[];
      readonly anchor: CertificateFacts;
      /** Remarks: a status that could not be determined, where that is let pass. */
      readonly findings: readonly Finding[];
      /** Milliseconds since 1970 after which the answer must be asked for again. */
      readonly validUntil: number;
    }
  | {
      readonly ok: false;
      /** Most telling first; never empty. */
      readonly findings: readonly Finding[];
      /** The path that came furthest, where one led to an anchor. */
      readonly path?: readonly CertificateFacts[];
    };
