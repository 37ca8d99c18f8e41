/** Revocation by CRL (RFC 5280 §6.3.3): what a set of lists says of one certificate. Undetermined is never good. */

import type { Finding } from '../../reasons.js';
import {
  type Budget,
  type CertificateFacts,
  certificateName,
  EXTENSION,
  type RevocationReason,
  signatureVerifies,
  weakAlgorithm,
} from '../certificate/index.js';
import { MalformedDer, quoted, sameOctets } from '../der/index.js';
import type { CrlFacts } from './crl.js';
import type { CrlEntry } from './crl-entries.js';
import { ALL_REASONS, comparableNames, isPlain, type Point, pointsOf, reasonsOf } from './distribution-points.js';
import { crlLocations } from './locations.js';

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

/** What two sources say together: revoked by one is revoked, and one that knows is enough. */
export function either(a: RevocationStatus, b: RevocationStatus): RevocationStatus {
  if (a.status === 'revoked' || b.status === 'revoked') return a.status === 'revoked' ? a : b;
  if (a.status === 'good' && b.status === 'good') return a.until >= b.until ? a : b;
  if (a.status === 'good' || b.status === 'good') return a.status === 'good' ? a : b;
  return { status: 'unknown', findings: [...b.findings, ...a.findings] };
}

/** Findings of one certificate that are told: there can be as many as distribution points times lists. */
const MOST_FINDINGS = 8;

/** Microseconds for a list that is looked at for one distribution point, for each name of either, and as a delta of another. */
const COST = { list: 2, name: 1, delta: 0.1 } as const;

/**
 * Judges one certificate by all lists at hand. Only a list that is current, whole and of the right scope clears it; one
 * that lists it revokes it, whatever else is wrong with the list, as long as its issuer signed it: what is known to be
 * revoked stays so (X.509 §7.3 says it of lists with critical extensions that are not understood).
 */
export function revocationStatus(certificate: CertificateFacts, context: RevocationContext): RevocationStatus {
  const { budget } = context;
  const covered = new Set<RevocationReason>();
  const findings: Finding[] = [];
  const remarks: Finding[] = [];
  const lists = byIssuer(context);
  let until = Number.POSITIVE_INFINITY;
  const note = (crl: CrlFacts, why: string): void => {
    const detail = `CRL of ${crl.issuerText}: ${why}`;
    if (findings.length < MOST_FINDINGS && !findings.some((known) => known.detail === detail)) {
      findings.push({ code: 'crl-scope', detail });
    }
  };
  for (const point of pointsOf(certificate)) {
    const wanted = point.crlIssuers ?? [certificate.issuerKeys.text];
    budget.spend('revocation', wanted.length * COST.name);
    for (const crl of newestFirst(wanted.flatMap((issuer) => lists.get(issuer) ?? []))) {
      budget.spend('revocation', COST.list);
      if (crl.baseCrlNumber !== undefined) {
        // Beside its complete list it is looked at there; that it lists the certificate is enough by itself.
        const entry = listedBy(crl, certificate, context);
        if (entry !== undefined) return { status: 'revoked', detail: revokedText(certificate, crl, entry) };
        continue;
      }
      const reasons = reasonsOf(point, crl.issuingDistributionPoint);
      if (reasons.every((reason) => covered.has(reason))) continue;
      const unusable = whyUnusable(crl, certificate, point, context);
      if (unusable !== undefined) {
        const entry = listedBy(crl, certificate, context);
        if (entry !== undefined) return { status: 'revoked', detail: revokedText(certificate, crl, entry) };
        note(crl, unusable);
        continue;
      }
      const { entry, nextUpdate } = lookUp(crl, certificate, context);
      if (entry?.reason === 'removeFromCRL') {
        note(crl, 'expected removeFromCRL only in a delta CRL (§5.3.1)');
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
  return { status: 'unknown', findings: [unknownFinding(certificate, covered, findings, context), ...findings] };
}

function byIssuer({ crls, budget }: RevocationContext): ReadonlyMap<string, readonly CrlFacts[]> {
  budget.spend('revocation', crls.length * COST.delta);
  const lists = new Map<string, CrlFacts[]>();
  for (const crl of crls) {
    const known = lists.get(crl.issuerKeys.text);
    if (known === undefined) lists.set(crl.issuerKeys.text, [crl]);
    else known.push(crl);
  }
  return lists;
}

/** The entry by which a list that clears nobody revokes a certificate all the same, if its issuer signed the list. */
function listedBy(crl: CrlFacts, certificate: CertificateFacts, context: RevocationContext): CrlEntry | undefined {
  // Attribute certificates have numbers of their own.
  if (crl.issuingDistributionPoint?.onlyContainsAttributeCerts) return undefined;
  const entry =
    crl.baseCrlNumber === undefined ? lookUp(crl, certificate, context, false).entry : findEntry(crl, certificate);
  if (entry === undefined || entry.reason === 'removeFromCRL') return undefined;
  const held = crl.baseCrlNumber !== undefined && entry.reason === 'certificateHold';
  if (held && releasedSince(crl, certificate, context)) return undefined;
  return signedBy(crl, context) === undefined ? undefined : entry;
}

/** Whether a newer delta of the same issuer takes the certificate off hold (§5.3.1). */
function releasedSince(delta: CrlFacts, certificate: CertificateFacts, context: RevocationContext): boolean {
  return context.crls.some(
    (other) =>
      other.baseCrlNumber !== undefined &&
      other.issuerKeys.text === delta.issuerKeys.text &&
      compareNumbers(other.crlNumber, delta.crlNumber) > 0 &&
      findEntry(other, certificate)?.reason === 'removeFromCRL' &&
      signedBy(other, context) !== undefined,
  );
}

const findEntry = ({ entries, issuerKeys }: CrlFacts, certificate: CertificateFacts): CrlEntry | undefined =>
  entries.find(certificate.serialOctets, certificate.issuerKeys.text, issuerKeys.text);

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

/** What is missing, and in the same line why what is at hand does not count: it is often all that is read. */
function unknownFinding(
  certificate: CertificateFacts,
  covered: ReadonlySet<RevocationReason>,
  findings: readonly Finding[],
  { crls }: RevocationContext,
): Finding {
  const who = certificateName(certificate);
  const missing = ALL_REASONS.filter((reason) => !covered.has(reason));
  const what =
    covered.size === 0
      ? `no usable CRL of ${certificate.issuerText}`
      : `no usable CRL for the reasons ${missing.join(', ')}`;
  const detail = `${who}: expected a revocation status, found ${what}: ${whyNone(certificate, findings, crls)}`;
  return { code: 'rev-unknown', detail };
}

function whyNone(certificate: CertificateFacts, findings: readonly Finding[], crls: readonly CrlFacts[]): string {
  const [first, second] = findings;
  if (first !== undefined) return second === undefined ? first.detail : `${first.detail}; ${second.detail}`;
  const others = [...new Set(crls.slice(0, MOST_FINDINGS).map(({ issuerText }) => issuerText))];
  const atHand =
    others.length === 0
      ? 'there is no CRL at hand'
      : `the ${crls.length === 1 ? 'CRL' : `${crls.length} CRLs`} at hand ${crls.length === 1 ? 'is' : 'are'} of ${others.slice(0, 2).join(' and ')}`;
  const odd = crlLocations(certificate)
    .map(({ url }) => url)
    .find((url) => !/^http:/i.test(url));
  return odd === undefined
    ? atHand
    : `${atHand}, and ${quoted(odd)} of the certificate is not fetched (http: alone is)`;
}

function revokedText(certificate: CertificateFacts, crl: CrlFacts, { revocationDate, reason }: CrlEntry): string {
  const date = new Date(revocationDate).toISOString();
  return `${certificateName(certificate)}: serial ${certificate.serial} revoked ${date} (${reason}) by ${crl.issuerText}`;
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
  { strict, tls, budget }: RevocationContext,
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
    budget.spend('revocation', (scope.name.full?.length ?? 1) * COST.name);
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
    // (f): where keyUsage is present, and only there.
    if (signer.keyUsage !== undefined && !signer.keyUsage.has('cRLSign')) continue;
    if (signatureVerifies(crl, signer.publicKey, budget)) return signer;
  }
  return undefined;
}

/** §6.3.3 (c), (i)-(k): the newest delta that fits, then the complete list. `timely`: whether deltas must be current. */
function lookUp(
  crl: CrlFacts,
  certificate: CertificateFacts,
  context: RevocationContext,
  timely = true,
): { entry: CrlEntry | undefined; nextUpdate: number } {
  context.budget.spend('revocation', context.crls.length * COST.delta);
  const deltas = context.crls
    .filter(
      (delta) =>
        isDeltaOf(delta, crl) &&
        !(timely && (outOfTime(delta, context) !== undefined || unfit(delta, context) !== undefined)),
    )
    .sort((a, b) => compareNumbers(b.crlNumber, a.crlNumber));
  const newest = deltas.find((delta) => signedBy(delta, context) !== undefined);
  if (newest === undefined) return { entry: findEntry(crl, certificate), nextUpdate: crl.nextUpdate ?? 0 };
  const nextUpdate = Math.min(crl.nextUpdate ?? 0, newest.nextUpdate ?? 0);
  const entry = findEntry(newest, certificate);
  if (entry?.reason !== 'removeFromCRL') return { entry: entry ?? findEntry(crl, certificate), nextUpdate };
  // §5.3.1: it takes off what was on hold and nothing else: what any list before it says of a lost key stays.
  const before = [...deltas, crl]
    .filter((list) => list !== newest)
    .map((list) => ({ list, entry: findEntry(list, certificate) }));
  const lost = before.find(
    ({ list, entry: said }) =>
      said !== undefined && !RELEASED.has(said.reason) && signedBy(list, context) !== undefined,
  );
  return { entry: lost?.entry, nextUpdate };
}

/** What a certificate comes off a list from. */
const RELEASED: ReadonlySet<string> = new Set(['certificateHold', 'removeFromCRL']);

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
  const [left, right] = [significant(a), significant(b)];
  return left.length - right.length || Buffer.compare(left, right);
}

function significant(octets: Uint8Array = new Uint8Array()): Uint8Array {
  const first = octets.findIndex((octet) => octet !== 0);
  return first < 0 ? octets.subarray(octets.length) : octets.subarray(first);
}
