/** What a certificate is judged by, under one agreement, and until when the judgement holds. */

import type { Budget, CertificateFacts } from '../../x509/certificate/index.js';
import type { CrlFacts, OcspAnswers } from '../../x509/revocation/index.js';
import type { Direction, Snapshot } from '../agreement/index.js';
import type { Trail } from '../verdict/index.js';

/** What the checks of an agreement look at, besides the agreement itself. */
export interface CoverContext {
  readonly direction: Direction;
  readonly snapshot: Snapshot;
  readonly now: number;
  /** Whether the TLS stack of the proxy verified the certificate. Of what it did not, there is no chain. */
  readonly verified: boolean;
  /** What else the peer sent: it helps to build paths and is trusted by nothing. */
  readonly chain: readonly CertificateFacts[];
  /** What of it could not be read, and why. */
  readonly unread: readonly string[];
  /** CRLs that were fetched in the background, besides the agreement's own files. */
  readonly crls: readonly CrlFacts[];
  /** OCSP answers that were asked for in the background. */
  readonly ocsp: OcspAnswers;
  /** Keys that the operator approved, besides the pins of the policy. */
  readonly approved: ApprovedPins;
  /** Work on paths and revocation, of all agreements that the certificate names: a stranger may name every one. */
  readonly pathBudget: Budget;
  /** Work on saying where a path ends, likewise. */
  readonly endBudget: Budget;
  readonly trail: Trail;
}

/** Base64 SHA-256 of SubjectPublicKeyInfos, by the name of the agreement. */
export type ApprovedPins = ReadonlyMap<string, ReadonlySet<string>>;

export const NO_APPROVED_PINS: ApprovedPins = new Map();

/** Of a path, or of a certificate that stands for one. */
export interface PathJudgement {
  readonly ok: boolean;
  /** Leaf first, anchor last; empty where none holds. */
  readonly path: readonly CertificateFacts[];
  readonly validUntil: number;
}

/** The role that the peer plays in the handshake: it is the client where we are asked inbound. */
export function peerRole(direction: Direction): 'client' | 'server' {
  return direction === 'in' ? 'client' : 'server';
}

/** The next instant after `now` at which one of the certificates (or the given bound) begins or ends. */
export function nextInstant(
  now: number,
  certificates: readonly Pick<CertificateFacts, 'notBefore' | 'notAfter'>[],
  skew: number,
  bound: number | undefined = undefined,
): number {
  const instants = certificates.flatMap(({ notBefore, notAfter }) => [notBefore - skew, notAfter + skew + 1]);
  if (bound !== undefined) instants.push(bound);
  return Math.min(...instants.filter((at) => at > now), Number.POSITIVE_INFINITY);
}
