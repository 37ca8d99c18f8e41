/**
 * The first answer: who is at the other end of this connection, under which agreement, and is the path protected as
 * agreed? Trusted means both (TS 33.203 §5.4, §6.5; design rule 1). Pure: the time and the policy are arguments.
 */

import { printable } from '../sip/ascii.js';
import type { CrlFacts } from '../x509/crl.js';
import type { CertificateFacts } from '../x509/facts.js';
import { type SipIdentities, sipIdentities } from '../x509/identity.js';
import type { OcspAnswers } from '../x509/ocsp.js';
import type { Agreement, Snapshot } from './agreement.js';
import { judgeAttributes } from './attribute-evidence.js';
import {
  type ApprovedPins,
  agreementChange,
  agreementInForce,
  type CoverContext,
  certificateCovered,
  NO_APPROVED_PINS,
  nextInstant,
} from './covers.js';
import { type Evidence, isOverTls, type PeerChain, type TlsEvidence } from './evidence.js';
import { leastPrivilege } from './least-privilege.js';
import { findInterface, judgeInterface, verdictScope } from './nds.js';
import { nextHopName } from './next-hop-name.js';
import { decided, type Outcome, untrusted } from './outcome.js';
import { encryptionHolds, floorHolds } from './tls-profile.js';
import { Trail } from './trail.js';
import { ASSURANCES, type Assurance, type Verdict } from './verdict.js';

const NO_ANSWERS: OcspAnswers = new Map();

/**
 * Judges the peer of one connection. `crls`, `ocsp`: fetched in the background, besides the agreements' own files;
 * `approved`: keys that the operator approved, besides the pins of the policy.
 */
export function judgePeer(
  evidence: Evidence,
  snapshot: Snapshot,
  now: number,
  crls: readonly CrlFacts[] = [],
  ocsp: OcspAnswers = NO_ANSWERS,
  approved: ApprovedPins = NO_APPROVED_PINS,
): Verdict {
  const trail = new Trail();
  const chain = evidence.tls?.chain?.certificates ?? [];
  const context: CoverContext = { direction: evidence.direction, snapshot, now, chain, crls, ocsp, approved, trail };
  return decided(judge(evidence, context), verdictScope(snapshot, evidence), context);
}

function judge(evidence: Evidence, context: CoverContext): Outcome {
  const { trail, snapshot } = context;
  const iface = findInterface(snapshot, evidence);
  const tls = evidence.tls;
  if (!isOverTls(evidence)) {
    if (tls !== undefined && (tls.certificate !== undefined || tls.attributes !== undefined)) {
      trail.fail('transport', 'bad-input', `transport ${evidence.transport} has no certificate, but one was given`);
      return untrusted();
    }
    if (iface !== undefined) return judgeInterface(iface, evidence, context);
    const detail = `transport ${evidence.transport} on ${local(evidence)}, which is no nds-ip interface`;
    trail.fail('transport', 'no-tls', detail);
    return untrusted();
  }
  trail.pass('transport', `transport ${evidence.transport}`, 'TS 33.203 §6.5');
  const outcome = judgeTls(evidence, tls, context);
  return iface !== undefined && leavesOpen(outcome, trail) ? judgeInterface(iface, evidence, context) : outcome;
}

/**
 * A hop that is protected both ways may still be trusted by its path, but only where the certificate claims no partner:
 * evidence that contradicts an agreement is never outweighed by an address. Nor is a refusal of what does not encrypt.
 */
function leavesOpen({ grant, agreement, action }: Outcome, { failures }: Trail): boolean {
  const refused = failures.some(({ code }) => code === 'null-encryption');
  return grant === undefined && agreement === undefined && action === 'continue' && !refused;
}

function local(evidence: Evidence): string {
  return `${evidence.localAddress ?? 'an unknown address'} port ${evidence.localPort ?? 'unknown'}`;
}

function judgeTls(evidence: Evidence, tls: TlsEvidence | undefined, context: CoverContext): Outcome {
  const { trail } = context;
  if (tls !== undefined && !encryptionHolds(evidence, tls, context)) return untrusted();
  if (tls?.certificate === undefined) {
    if (tls?.attributes !== undefined) return judgeAttributes(evidence, tls, tls.attributes, context);
    // A stack that verified something but hands over nothing (resumption without the chain) is no evidence (T-47).
    if (tls === undefined || tls.verified) {
      trail.fail('certificate', 'no-cert-facts', 'expected a certificate in tls.pem, found none');
    } else {
      trail.fail('certificate', 'no-client-cert', 'the peer presented no certificate');
    }
    return evidence.direction === 'in' ? untrusted() : closed();
  }
  if ('malformed' in tls.certificate) {
    trail.fail('certificate', 'malformed-cert', tls.certificate.malformed);
    return evidence.direction === 'in' ? untrusted() : closed();
  }
  const leaf = tls.certificate;
  trail.pass('certificate', `${leaf.subjectText || '(empty name)'}, SHA-256 ${leaf.sha256}`, 'RFC 5280 §4.1');
  if (tls.chain !== undefined) noteChain(tls.chain, trail);
  if (!floorHolds(tls, trail)) return untrusted();
  return evidence.direction === 'in' ? judgeInbound(leaf, tls, context) : judgeOutbound(evidence, leaf, tls, context);
}

/** What came besides the leaf: a line for those who explain, nothing that decides. */
function noteChain({ certificates, ignored }: PeerChain, trail: Trail): void {
  const names = certificates.map(({ subjectText }) => printable(subjectText || '(empty name)')).join(' | ');
  if (certificates.length > 0) {
    const clause = 'RFC 8446 §4.4.2';
    trail.pass('chain', `the peer also sent ${names}: of use for paths, trusted by nothing`, clause);
  }
  for (const why of ignored) trail.skip('chain', `left out of what the peer sent: ${why}`, 'RFC 8446 §4.4.2');
}

/** What a peer that is to be refused outright gets: nothing goes out over this connection (RFC 5922 §7.3). */
function closed(agreement?: Agreement, validUntil?: number): Outcome {
  return { ...untrusted(agreement, validUntil), action: 'close' };
}

/** The identities that count here; the common name only where an agreement accepts it (RFC 5922 §7.1). */
function identities(leaf: CertificateFacts, snapshot: Snapshot): SipIdentities {
  const strict = sipIdentities(leaf, { cnFallback: false });
  if (strict.kind !== 'none') return strict;
  const lax = sipIdentities(leaf, { cnFallback: true });
  // Several common names count under no agreement (rulebook T-34).
  if (lax.findings.some(({ code }) => code === 'cn-ambiguous')) return lax;
  const accepted = lax.names.some((name) => agreementOf(snapshot, name)?.cnFallback === true);
  return accepted ? lax : strict;
}

function agreementOf(snapshot: Snapshot, domain: string): Agreement | undefined {
  return snapshot.byDomain.get(domain);
}

function noteIdentities(found: SipIdentities, trail: Trail): void {
  if (found.names.length === 0) {
    for (const finding of found.findings) trail.fail('identity', finding.code, finding.detail);
    if (!found.findings.some(({ code }) => code === 'no-sip-id')) {
      trail.fail('identity', 'no-sip-id', 'expected a dNSName or sip: URI in subjectAltName, found none that counts');
    }
    return;
  }
  trail.pass('identity', `${found.kind} ${found.names.join(', ')}`, 'RFC 5922 §7.1');
  for (const finding of found.findings) trail.note('identity', finding.code, finding.detail);
}

function judgeInbound(leaf: CertificateFacts, tls: TlsEvidence, context: CoverContext): Outcome {
  const { trail, snapshot, now } = context;
  const found = identities(leaf, snapshot);
  noteIdentities(found, trail);
  const ends = nextInstant(now, [leaf], snapshot.skew);
  if (found.names.length === 0) {
    if (!tls.verified) trail.fail('stack', 'stack-unverified', 'the TLS stack did not verify the certificate');
    return untrusted(undefined, ends);
  }
  const candidates = [...new Set(found.names.flatMap((name) => agreementOf(snapshot, name) ?? []))];
  if (candidates.length === 0) {
    trail.fail('agreement', 'not-listed', `no agreement names ${found.names.join(', ')}`);
    if (!tls.verified) trail.fail('stack', 'stack-unverified', 'the TLS stack did not verify the certificate');
    return untrusted(undefined, ends);
  }
  const outcomes = candidates.map((agreement) => judgeAgreement(agreement, found, leaf, tls, context));
  const [first, ...rest] = outcomes;
  if (first === undefined) return untrusted(undefined, ends);
  return rest.reduce((held, next) => both(held, next, trail), first);
}

function weaker(a: Assurance, b: Assurance): Assurance {
  return ASSURANCES.indexOf(a) < ASSURANCES.indexOf(b) ? a : b;
}

/** Two agreements on one certificate: each must hold, and what remains is what both allow (rulebook I-4, T-44). */
function both(a: Outcome, b: Outcome, trail: Trail): Outcome {
  const names = `${a.agreement?.name ?? 'none'} and ${b.agreement?.name ?? 'none'}`;
  const validUntil = Math.min(a.validUntil, b.validUntil);
  const [seenByA, seenByB] = [a.observes ?? [], b.observes ?? []];
  const observes = seenByA.length > 0 && seenByB.length > 0 ? [...seenByA, ...seenByB] : [];
  if (a.grant && b.grant && a.agreement !== undefined && b.agreement !== undefined) {
    trail.note('agreement', 'ambiguous-peer', `agreements ${names} both cover the certificate`);
    return {
      ...a,
      assurance: weaker(a.assurance, b.assurance),
      agreement: leastPrivilege(a.agreement, b.agreement),
      domains: [...a.domains, ...b.domains],
      validUntil,
      observes,
    };
  }
  trail.fail('agreement', 'ambiguous-peer', `agreements ${names} are both named by the certificate; one does not hold`);
  return { ...(a.grant ? b : a), validUntil, observes };
}

function judgeAgreement(
  agreement: Agreement,
  found: SipIdentities,
  leaf: CertificateFacts,
  tls: TlsEvidence,
  context: CoverContext,
): Outcome {
  const { trail, now, snapshot, direction } = context;
  const change = agreementChange(agreement, now);
  if (agreement.mechanism !== 'tls') {
    const detail = `agreement ${agreement.name}: expected ${agreement.mechanism}, found tls`;
    trail.fail('mechanism', 'agreement-mechanism', detail);
    return untrusted(agreement, change);
  }
  if (!agreementInForce(agreement, context)) return untrusted(agreement, change);
  if (found.kind === 'cn' && !agreement.cnFallback) {
    trail.fail('identity', 'cn-disabled', `agreement ${agreement.name}: cn_fallback is false`);
    return untrusted(agreement, change);
  }
  const cover = certificateCovered(agreement, leaf, tls.verified, context);
  const validUntil = Math.min(change, cover.validUntil);
  const observes = cover.pinnable ? [agreement.name] : [];
  if (!cover.ok) {
    const revoked = trail.failures.some(({ code }) => code === 'revoked');
    const refuse = direction === 'out' || revoked ? closed : untrusted;
    return { ...refuse(agreement, validUntil), observes };
  }
  const domains = found.names.filter((name) => agreement.domains.includes(name));
  // Only the names of the agreement stand: its anchors may not vouch for others (rulebook §6.6).
  const dropped = found.names.filter((name) => !agreement.domains.includes(name) && !snapshot.byDomain.has(name));
  if (dropped.length > 0) {
    trail.skip('identity', `${dropped.join(', ')} dropped: not in agreement ${agreement.name}`, 'TS 33.203 §6.5');
  }
  if (agreement.enforcement === 'monitor') {
    trail.fail('enforcement', 'monitor-only', `agreement ${agreement.name}: would be trusted, enforcement is monitor`);
    return { ...untrusted(agreement, validUntil), observes };
  }
  const grant = trail.grant('agreement-covers', `agreement ${agreement.name} covers ${domains.join(', ')}`);
  return {
    grant,
    assurance: cover.pinned ? 'tls-pinned' : 'tls-certificate',
    agreement,
    domains,
    action: 'continue',
    validUntil,
    observes,
  };
}

function judgeOutbound(evidence: Evidence, leaf: CertificateFacts, tls: TlsEvidence, context: CoverContext): Outcome {
  const { trail, snapshot, now } = context;
  const ends = nextInstant(now, [leaf], snapshot.skew);
  const found = identities(leaf, snapshot);
  const target = nextHopName(evidence.nextHop ?? '', snapshot);
  if (target.kind === 'invalid') {
    const what = evidence.nextHop === undefined ? 'none' : `"${evidence.nextHop}" (${target.why})`;
    trail.fail('next hop', 'bad-input', `expected the domain that was resolved in next_hop, found ${what}`);
    return untrusted();
  }
  if (target.kind === 'ip') {
    trail.fail('next hop', 'ip-literal', `next_hop ${target.address} is an address; no identity can match it`);
    return untrusted(undefined, ends);
  }
  noteIdentities(found, trail);
  // RFC 5922 §7.3: without a match the server is not authenticated and the connection MUST be closed.
  const names = found.names.filter((name) => target.domains.includes(name));
  const [first] = names;
  if (first === undefined) {
    if (found.names.length > 0) {
      const detail = `next_hop is ${target.text}, the certificate names ${found.names.join(', ')}`;
      trail.fail('next hop', 'name-mismatch', detail);
    }
    return closed(undefined, ends);
  }
  trail.pass('next hop', `${target.text} is an identity of the certificate`, 'RFC 5922 §7.3');
  const agreement = agreementOf(snapshot, first);
  if (agreement === undefined) {
    trail.fail('agreement', 'not-listed', `no agreement names ${first}`);
    if (tls.verified) return untrusted(undefined, ends);
    trail.fail('stack', 'stack-unverified', 'the TLS stack did not verify the certificate');
    return closed(undefined, ends);
  }
  return judgeAgreement(agreement, { ...found, names }, leaf, tls, context);
}
