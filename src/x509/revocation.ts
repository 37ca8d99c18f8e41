/** Revocation by CRL (RFC 5280 §6.3.3): what a set of lists says of one certificate. Undetermined is never good. */

import type { Finding } from '../reasons.js';
import type { Budget } from './budget.js';
import type { CrlFacts, IssuingDistributionPoint } from './crl.js';
import { type CrlEntry, directoryTexts } from './crl-entries.js';
import { hex, MalformedDer, sameOctets } from './der.js';
import { EXTENSION } from './extensions.js';
import type {
  AlternativeName,
  CertificateFacts,
  DistributionPoint,
  DistributionPointName,
  RevocationReason,
} from './facts.js';
import { parseName, relativeNameKey } from './name.js';
import { signatureVerifies, weakAlgorithm } from './signature.js';

/** The outcome for one certificate. `until`: when (ms) what settled it runs out; `findings`: what is worth knowing. */
export type RevocationStatus =
  | { readonly status: 'good'; readonly until: number; readonly findings?: readonly Finding[] }
  | { readonly status: 'revoked'; readonly detail: string }
  /** `findings`: why each list that was looked at did not settle it. */
  | { readonly status: 'unknown'; readonly findings: readonly Finding[] };

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
  /** Certificates that may have signed lists of this issuer, whose paths lead to the anchor of the certificate's path. */
  readonly signers: (issuerText: string) => Iterable<CertificateFacts>;
}

/** All reasons that lists must cover between them; `unused` is no reason (RFC 5280 §4.2.1.13). */
const ALL_REASONS: readonly RevocationReason[] = [
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
  'aACompromise',
];

/** A distribution point with the names it stands for, as the comparisons of §6.3.3 need them. */
interface Point {
  readonly reasons: ReadonlySet<RevocationReason> | undefined;
  /** Key texts of cRLIssuer; undefined: the certificate issuer publishes the list itself. */
  readonly crlIssuers: readonly string[] | undefined;
  /** Comparable names; undefined: the point gives none. */
  readonly names: ReadonlySet<string> | undefined;
  /** It names only what locates a list: URIs and directory names. */
  readonly plain: boolean;
}

/** What two sources say together: revoked by one is revoked, and one that knows is enough. */
export function either(a: RevocationStatus, b: RevocationStatus): RevocationStatus {
  if (a.status === 'revoked' || b.status === 'revoked') return a.status === 'revoked' ? a : b;
  if (a.status === 'good' && b.status === 'good') return a.until >= b.until ? a : b;
  if (a.status === 'good' || b.status === 'good') return a.status === 'good' ? a : b;
  return { status: 'unknown', findings: [...b.findings, ...a.findings] };
}

/** Judges one certificate by all lists at hand. */
export function revocationStatus(certificate: CertificateFacts, context: RevocationContext): RevocationStatus {
  const covered = new Set<RevocationReason>();
  const findings: Finding[] = [];
  const remarks: Finding[] = [];
  const crls = newestFirst(context.crls);
  let until = Number.POSITIVE_INFINITY;
  for (const point of pointsOf(certificate)) {
    for (const crl of crls) {
      const wanted = point.crlIssuers ?? [certificate.issuerKeys.text];
      if (crl.baseCrlNumber !== undefined || !wanted.includes(crl.issuerKeys.text)) continue;
      const reasons = reasonsOf(point, crl.issuingDistributionPoint);
      if (reasons.every((reason) => covered.has(reason))) continue;
      const unusable = whyUnusable(crl, certificate, point, context);
      if (unusable !== undefined) {
        findings.push({ code: 'crl-scope', detail: `CRL of ${crl.issuerText}: ${unusable}` });
        continue;
      }
      const { entry, nextUpdate } = lookUp(crl, certificate, context);
      if (entry?.reason === 'removeFromCRL') {
        const detail = `CRL of ${crl.issuerText}: expected removeFromCRL only in a delta CRL (§5.3.1)`;
        findings.push({ code: 'crl-scope', detail });
        continue;
      }
      if (entry !== undefined) return { status: 'revoked', detail: revokedText(certificate, crl, entry) };
      for (const reason of reasons) covered.add(reason);
      if (nextUpdate <= context.at) remarks.push(graceFinding(crl, nextUpdate));
      until = Math.min(until, nextUpdate <= context.at ? nextUpdate + (context.grace ?? 0) : nextUpdate);
      if (ALL_REASONS.every((reason) => covered.has(reason))) {
        return remarks.length === 0 ? { status: 'good', until } : { status: 'good', until, findings: remarks };
      }
    }
  }
  return { status: 'unknown', findings: [unknownFinding(certificate, covered), ...findings] };
}

/**
 * Of lists with one scope the newest speaks: an older one that has not run out yet (a file beside what was fetched since)
 * knows nothing of what was revoked in between.
 */
function newestFirst(crls: readonly CrlFacts[]): readonly CrlFacts[] {
  return crls.length < 2 ? crls : [...crls].sort((a, b) => b.thisUpdate - a.thisUpdate);
}

function graceFinding({ issuerText }: CrlFacts, nextUpdate: number): Finding {
  const detail = `CRL of ${issuerText}: should have been replaced at ${new Date(nextUpdate).toISOString()}`;
  return { code: 'crl-grace', detail: `${detail}, used within the grace of the policy` };
}

function unknownFinding(certificate: CertificateFacts, covered: ReadonlySet<RevocationReason>): Finding {
  const who = certificate.subjectText || '(empty name)';
  const missing = ALL_REASONS.filter((reason) => !covered.has(reason));
  const what =
    covered.size === 0
      ? `no usable CRL of ${certificate.issuerText}`
      : `no usable CRL for the reasons ${missing.join(', ')}`;
  return { code: 'rev-unknown', detail: `${who}: expected a revocation status, found ${what}` };
}

function revokedText(certificate: CertificateFacts, crl: CrlFacts, { revocationDate, reason }: CrlEntry): string {
  const date = new Date(revocationDate).toISOString();
  return `${certificate.subjectText || '(empty name)'}: serial ${certificate.serial} revoked ${date} (${reason}) by ${crl.issuerText}`;
}

/** The points of the certificate, then the one that §6.3.3 assumes for lists found elsewhere. */
function pointsOf(certificate: CertificateFacts): readonly Point[] {
  const assumed: Point = {
    reasons: undefined,
    crlIssuers: undefined,
    names: new Set([`directory:${certificate.issuerKeys.text}`]),
    plain: true,
  };
  const points = (certificate.crlDistributionPoints ?? []).flatMap((point) => {
    try {
      return [readPoint(point, certificate)];
    } catch (cause) {
      // A name in it cannot be read: the point locates nothing.
      if (cause instanceof MalformedDer) return [];
      throw cause;
    }
  });
  return [...points, assumed];
}

function readPoint({ name, reasons, crlIssuer }: DistributionPoint, certificate: CertificateFacts): Point {
  const crlIssuers = crlIssuer === undefined ? undefined : directoryTexts(crlIssuer);
  const base = crlIssuers?.[0] ?? certificate.issuerKeys.text;
  return {
    reasons,
    crlIssuers,
    names: name === undefined ? undefined : comparableNames(name, base),
    plain: isPlain(name),
  };
}

const isPlain = (name: DistributionPointName | undefined): boolean =>
  name?.full?.every(({ type }) => type === 'uri' || type === 'directory') ?? true;

/** Names as strings that are equal if and only if the names match: URIs octet by octet, directory names by §7.1. */
function comparableNames({ full, relative }: DistributionPointName, base: string): ReadonlySet<string> {
  if (relative !== undefined) {
    const own = relativeNameKey(relative, 'nameRelativeToCRLIssuer');
    return new Set([`directory:${base === '' ? own : `${base}\n${own}`}`]);
  }
  return new Set((full ?? []).map(comparable));
}

function comparable({ type, bytes }: AlternativeName): string {
  return type === 'directory' ? `directory:${parseName(bytes, 'directoryName').keys.text}` : `${type}:${hex(bytes)}`;
}

/** §6.3.3 (d): the interim reasons mask. */
function reasonsOf({ reasons }: Point, scope: IssuingDistributionPoint | undefined): readonly RevocationReason[] {
  return ALL_REASONS.filter(
    (reason) => (reasons?.has(reason) ?? true) && (scope?.onlySomeReasons?.has(reason) ?? true),
  );
}

/** Why a complete list cannot be used for this certificate at this point; undefined: it can. */
function whyUnusable(
  crl: CrlFacts,
  certificate: CertificateFacts,
  point: Point,
  context: RevocationContext,
): string | undefined {
  return (
    outOfTime(crl, context) ??
    unfit(crl, context) ??
    outOfScope(crl, certificate, point, context) ??
    (signedBy(crl, context) === undefined ? unsignedText(crl) : undefined)
  );
}

function unsignedText(crl: CrlFacts): string {
  return (
    weakAlgorithm(crl.signatureAlgorithm) ??
    'expected a signature by its issuer under the same anchor, found none that verifies'
  );
}

/** Rulebook K-2. */
function outOfTime(
  { thisUpdate, nextUpdate }: CrlFacts,
  { at, skew, grace = 0 }: RevocationContext,
): string | undefined {
  const now = new Date(at).toISOString();
  if (nextUpdate === undefined) return 'expected nextUpdate (§5.1.2.5), found none';
  if (thisUpdate > at + skew) return `expected thisUpdate before ${now}, found ${new Date(thisUpdate).toISOString()}`;
  return nextUpdate + grace <= at
    ? `expected nextUpdate after ${now}, found ${new Date(nextUpdate).toISOString()}`
    : undefined;
}

/** §5.2, §5.3: critical extensions; with `strict` also what §5 demands of the form. */
function unfit(crl: CrlFacts, { strict, tls }: RevocationContext): string | undefined {
  if (crl.unknownCritical !== undefined)
    return `expected critical extensions that are understood, found ${crl.unknownCritical}`;
  if (!strict) return undefined;
  const number = crl.extensions.find(({ oid }) => oid === EXTENSION.cRLNumber);
  if (crl.version === 2 && (number === undefined || number.critical))
    return 'expected a non-critical cRLNumber (§5.2.3)';
  // Of two octets: an empty SEQUENCE.
  if (crl.issuingDistributionPoint?.value.length === 2)
    return 'expected issuingDistributionPoint not to be empty (§5.2.5)';
  if (!tls) return undefined;
  if (crl.earlyGeneralizedTime) return 'expected UTCTime before 2050 (§5.1.2.4), found GeneralizedTime';
  return crl.oddity === undefined ? undefined : `expected entries as RFC 5280 §5.3 has them, found ${crl.oddity}`;
}

/** §6.3.3 (b): does the list speak of this certificate at all? */
function outOfScope(
  crl: CrlFacts,
  certificate: CertificateFacts,
  point: Point,
  { strict, tls }: RevocationContext,
): string | undefined {
  const scope = crl.issuingDistributionPoint;
  // (b)(1)
  if (point.crlIssuers !== undefined && !scope?.indirectCrl)
    return 'expected an indirect CRL, as the distribution point names a CRL issuer';
  if (scope === undefined) return undefined;
  // (b)(2)(ii)-(iv)
  if (scope.onlyContainsAttributeCerts) return 'it lists attribute certificates only';
  if (scope.onlyContainsUserCerts && certificate.isCa) return 'it lists end-entity certificates only, and this is a CA';
  if (scope.onlyContainsCaCerts && !certificate.isCa) return 'it lists CA certificates only, and this is an end entity';
  // CABF §7.2.2.1: a list that is indirect without need, or located by other names, says something else than it seems to.
  if (strict && tls) {
    if (scope.indirectCrl && point.crlIssuers === undefined)
      return 'it is indirect, and the certificate does not name its issuer';
    if (!isPlain(scope.name) || !point.plain) return 'expected URIs or directory names of the distribution point';
  }
  // (b)(2)(i)
  if (scope.name === undefined) return undefined;
  try {
    const listed = comparableNames(scope.name, crl.issuerKeys.text);
    const wanted = point.names ?? new Set((point.crlIssuers ?? []).map((text) => `directory:${text}`));
    return [...listed].some((name) => wanted.has(name)) ? undefined : 'its issuing distribution point is another one';
  } catch (cause) {
    if (cause instanceof MalformedDer) return cause.message;
    throw cause;
  }
}

/** §6.3.3 (f), (g): the signer of the list, if its path leads to the same anchor and its key may sign lists. */
function signedBy(crl: CrlFacts, { signers, budget }: RevocationContext): CertificateFacts | undefined {
  for (const signer of signers(crl.issuerKeys.text)) {
    // (f) asks for cRLSign where keyUsage is present. An end entity without it was not made to sign lists (§4.2.1.3).
    if (signer.keyUsage === undefined && !signer.isCa && signer.version === 3) continue;
    if (signer.keyUsage !== undefined && !signer.keyUsage.has('cRLSign')) continue;
    if (signatureVerifies(crl, signer.publicKey, budget)) return signer;
  }
  return undefined;
}

/** §6.3.3 (c), (i)-(k): the newest delta that fits, then the complete list. */
function lookUp(
  crl: CrlFacts,
  certificate: CertificateFacts,
  context: RevocationContext,
): { entry: CrlEntry | undefined; nextUpdate: number } {
  const { text } = certificate.issuerKeys;
  const find = ({ entries, issuerKeys }: CrlFacts): CrlEntry | undefined =>
    entries.find(certificate.serialOctets, text, issuerKeys.text);
  let nextUpdate = crl.nextUpdate ?? 0;
  let newest: CrlFacts | undefined;
  for (const delta of context.crls) {
    if (!isDeltaOf(delta, crl) || outOfTime(delta, context) !== undefined || unfit(delta, context) !== undefined)
      continue;
    if (newest !== undefined && compareNumbers(delta.crlNumber, newest.crlNumber) <= 0) continue;
    if (signedBy(delta, context) !== undefined) newest = delta;
  }
  if (newest !== undefined) {
    nextUpdate = Math.min(nextUpdate, newest.nextUpdate ?? 0);
    const entry = find(newest);
    if (entry !== undefined) return { entry: entry.reason === 'removeFromCRL' ? undefined : entry, nextUpdate };
  }
  return { entry: find(crl), nextUpdate };
}

/** §5.2.4, §6.3.3 (c): same issuer, scope and key; the complete list is no older than the delta's base. */
function isDeltaOf(delta: CrlFacts, crl: CrlFacts): boolean {
  const same = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
    a === undefined || b === undefined ? a === b : sameOctets(a, b);
  return (
    delta.baseCrlNumber !== undefined &&
    delta.crlNumber !== undefined &&
    crl.crlNumber !== undefined &&
    delta.issuerKeys.text === crl.issuerKeys.text &&
    same(delta.issuingDistributionPoint?.value, crl.issuingDistributionPoint?.value) &&
    same(delta.authorityKeyIdentifier, crl.authorityKeyIdentifier) &&
    compareNumbers(crl.crlNumber, delta.baseCrlNumber) >= 0 &&
    compareNumbers(crl.crlNumber, delta.crlNumber) < 0
  );
}

/** Compares two CRL numbers (content octets of an INTEGER); both are positive where CAs conform. */
function compareNumbers(a: Uint8Array | undefined, b: Uint8Array | undefined): number {
  const value = (octets: Uint8Array | undefined): bigint => BigInt(`0x${hex(octets ?? new Uint8Array(1)) || '0'}`);
  const [left, right] = [value(a), value(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
