/** Judges one whole path, from the anchor down to the leaf (RFC 5280 §6.1.2 to §6.1.5). Signatures are verified already. */

import type { Finding } from '../../reasons.js';
import { entryAt, last } from '../../typed.js';
import { type Budget, type CertificateFacts, certificateName, type NameCheck } from '../certificate/index.js';
import { nameMismatch, type PeerName } from '../identity/index.js';
import type { RevocationStatus } from '../revocation/index.js';
import {
  acceptedPurposes,
  allows,
  brokenRules,
  checkUsage,
  type EkuPolicy,
  type Level,
  otherRoleHint,
  type Place,
  purposeText,
  type Role,
} from '../rules/index.js';
import { PolicyState } from './policies.js';

/** How revocation counts: unknown is a failure, a remark, or nobody looks. */
export type RevocationMode = 'hard' | 'soft' | 'off';

export interface CheckContext {
  /** Milliseconds since 1970, whole seconds. */
  readonly at: number;
  readonly skew: number;
  readonly purpose: Role | 'any';
  readonly ekuPolicy: EkuPolicy;
  readonly names: readonly PeerName[];
  readonly levels: readonly Level[];
  readonly revocation: RevocationMode;
  /** Asked once per certificate below the anchor, with the path from it upwards. */
  readonly revocationOf: (upwards: readonly CertificateFacts[]) => RevocationStatus;
  readonly budget: Budget;
  readonly nameCheck: NameCheck;
}

export interface CheckOutcome {
  /** Why the path does not hold; empty: it does. */
  readonly failures: readonly Finding[];
  /** What is worth knowing of a path that holds. */
  readonly remarks: readonly Finding[];
  /** When (ms) the first of the CRLs behind the outcome runs out. */
  readonly crlsUntil: number;
}

/** The place of a certificate in a path that is given leaf first. */
export function placeOf(index: number, length: number): Place {
  if (index === length - 1) return 'anchor';
  return index === 0 ? 'leaf' : 'intermediate';
}

/** What is wrong with the leaf whatever path it is on: its own rules, its use, its names. */
export function judgeLeaf(leaf: CertificateFacts, context: CheckContext): readonly Finding[] {
  const findings = [...brokenRules(leaf, { ...context, place: 'leaf' }, context.levels)];
  if (context.purpose !== 'any') {
    const usage = checkUsage(leaf, context.purpose, context.ekuPolicy);
    if (usage !== undefined) findings.push(usage);
  }
  const mismatch = nameMismatch(leaf, context.names);
  if (mismatch !== undefined) findings.push(mismatch);
  return findings;
}

/** What is wrong with a certificate as an issuer, whatever path it is on. */
export function judgeIssuer(
  certificate: CertificateFacts,
  place: 'intermediate' | 'anchor',
  context: CheckContext,
): readonly Finding[] {
  const findings = brokenRules(certificate, { ...context, place }, context.levels);
  // What is wrong with an anchor, who has named it can mend, and the peer cannot.
  return place === 'anchor' ? findings.map(({ code, detail }) => ({ code, detail: `anchor ${detail}` })) : findings;
}

/**
 * Whether an issuer can stand above a chain (leaf first) for all that is cheap to see: what it demands of lengths and
 * purposes below it, no certificate further up can mend.
 */
export function canStandAbove(
  chain: readonly CertificateFacts[],
  issuer: CertificateFacts,
  context: CheckContext,
): boolean {
  const path = [...chain, issuer];
  return checkLengths(path).length === 0 && checkPurposes(path, context).length === 0;
}

/** The same for its name constraints. */
export function namesAllowed(
  chain: readonly CertificateFacts[],
  issuer: CertificateFacts,
  { nameCheck }: CheckContext,
): boolean {
  return issuer.nameConstraints === undefined || nameCheck.violation([...chain, issuer]) === undefined;
}

/**
 * Judges a path: leaf first, anchor last, each certificate's signature verified with the key of the next. `judged`: what
 * `judgeLeaf` and `judgeIssuer` say of each.
 */
export function checkPath(
  path: readonly CertificateFacts[],
  context: CheckContext,
  judged: (certificate: CertificateFacts, place: Place) => readonly Finding[],
): CheckOutcome {
  const misnamed = context.nameCheck.violation(path);
  const failures: Finding[] = [
    ...path.flatMap((certificate, index) => judged(certificate, placeOf(index, path.length))),
    ...checkLengths(path),
    ...(misnamed === undefined ? [] : [misnamed]),
    ...checkPolicies(path, context.budget),
    ...checkPurposes(path, context),
  ];
  const { failures: revoked, remarks, crlsUntil } = checkRevocation(path, context);
  failures.push(...revoked);
  return { failures, remarks, crlsUntil };
}

/** The intermediates with their index in the path, from the anchor down. */
function downwards(path: readonly CertificateFacts[]): readonly CertificateFacts[] {
  return path.slice(1, -1).reverse();
}

/** §6.1.4 (l), (m): each CA bounds the issuers below it that are not self-issued. The anchor's own bound counts too. */
function checkLengths(path: readonly CertificateFacts[]): readonly Finding[] {
  let by = last(path);
  let left = by.basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY;
  for (const certificate of downwards(path)) {
    if (!certificate.selfIssued) {
      if (left <= 0) {
        const bound = `at most ${by.basicConstraints?.pathLength} further CAs below ${by.subjectText} (pathLenConstraint)`;
        const detail = `${certificate.subjectText}: expected ${bound}, found this one beyond them`;
        return [{ code: 'path-length', detail }];
      }
      left -= 1;
    }
    const own = certificate.basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY;
    if (own < left) {
      left = own;
      by = certificate;
    }
  }
  return [];
}

function checkPolicies(path: readonly CertificateFacts[], budget: Budget): readonly Finding[] {
  const state = new PolicyState(path.length - 1, budget);
  const leaf = entryAt(path, 0);
  state.constrain(last(path));
  const problem = (certificate: CertificateFacts, text: string): readonly Finding[] => [
    { code: 'certificate-policy', detail: `${certificateName(certificate)}: ${text}` },
  ];
  for (const certificate of downwards(path)) {
    const wrong = state.enter(certificate, false) ?? state.leave(certificate);
    if (wrong !== undefined) return problem(certificate, wrong);
  }
  const wrong = state.enter(leaf, true) ?? state.finish(leaf);
  return wrong === undefined ? [] : problem(leaf, wrong);
}

/**
 * A CA with extendedKeyUsage vouches for those purposes only. RFC 5280 §4.2.1.12 leaves that open; every TLS stack and
 * CABF §7.1.2.10.6 do it.
 */
function checkPurposes(path: readonly CertificateFacts[], { purpose, ekuPolicy }: CheckContext): readonly Finding[] {
  if (purpose === 'any') return [];
  // A leaf that the policy does not accept is reported by itself.
  let purposes = acceptedPurposes(path[0]?.extendedKeyUsage, purpose, ekuPolicy) ?? [];
  if (purposes.length === 0) return [];
  for (const certificate of path.slice(1)) {
    const left: readonly string[] = purposes.filter((oid) => allows(certificate.extendedKeyUsage, oid));
    if (left.length === 0) {
      const found = purposeText(certificate.extendedKeyUsage);
      const wanted = purposes.map((oid) => purposeText([oid])).join(' or ');
      const detail = `${certificate.subjectText}: expected a CA for ${wanted}, found extendedKeyUsage ${found}${otherRoleHint(certificate.extendedKeyUsage, purpose, ekuPolicy)}`;
      return [{ code: 'eku', detail }];
    }
    purposes = left;
  }
  return [];
}

/** §6.1.3 (a)(3), for every certificate below the anchor (rulebook §8.3). */
function checkRevocation(path: readonly CertificateFacts[], { revocation, revocationOf }: CheckContext): CheckOutcome {
  const failures: Finding[] = [];
  const remarks: Finding[] = [];
  let crlsUntil = Number.POSITIVE_INFINITY;
  if (revocation !== 'off') {
    for (let index = path.length - 2; index >= 0; index--) {
      const status = revocationOf(path.slice(index));
      if (status.status === 'good') {
        crlsUntil = Math.min(crlsUntil, status.until);
        remarks.push(...(status.findings ?? []));
      } else if (status.status === 'revoked') failures.push({ code: 'revoked', detail: status.detail });
      else for (const finding of status.findings) (revocation === 'hard' ? failures : remarks).push(finding);
    }
  }
  return { failures, remarks, crlsUntil };
}
