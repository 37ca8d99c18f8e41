/**
 * The first answer: who is at the other end of this connection, under which agreement, and is the path protected as
 * agreed? Trusted means both (TS 33.203 §5.4, §6.5; design rule 1). Pure: the time and the policy are arguments.
 */

import { printable } from '../../printable.js';
import { Budget, certificateName } from '../../x509/certificate/index.js';
import type { CrlFacts, OcspAnswers } from '../../x509/revocation/index.js';
import type { Agreement, Snapshot } from '../agreement/index.js';
import { type ApprovedPins, type CoverContext, END_BUDGET, NO_APPROVED_PINS } from '../cover/index.js';
import { type Evidence, isOverTls, type PeerChain, type TlsEvidence } from '../evidence/index.js';
import { decided, type Outcome, Trail, untrusted, type Verdict } from '../verdict/index.js';
import { presentedAttributes } from './attribute-evidence.js';
import { candidatesOf, judgeInbound } from './inbound.js';
import { findInterface, judgeInterface, otherSocket, verdictScope } from './nds.js';
import { judgeOutbound } from './outbound.js';
import { type Presented, presentedCertificate } from './presented.js';
import { encryptionHolds, floorHolds } from './tls-profile.js';

const NO_ANSWERS: OcspAnswers = new Map();

/** What is known besides the policy; without it nothing is. */
export interface AtHand {
  /** Fetched in the background, besides the agreements' own files. */
  readonly crls?: readonly CrlFacts[];
  readonly ocsp?: OcspAnswers;
  /** Keys that the operator approved, besides the pins of the policy. */
  readonly approved?: ApprovedPins | undefined;
}

/** Judges the peer of one connection at `now`, ms. */
export function judgePeer(
  evidence: Evidence,
  snapshot: Snapshot,
  now: number,
  { crls = [], ocsp = NO_ANSWERS, approved = NO_APPROVED_PINS }: AtHand = {},
): Verdict {
  const trail = new Trail();
  const { certificates: chain = [], ignored: unread = [] } = evidence.tls?.chain ?? {};
  const budgets = { pathBudget: new Budget(), endBudget: new Budget(END_BUDGET) };
  const { direction } = evidence;
  const verified = evidence.tls?.verified === true;
  const shown = { verified, chain, unread };
  const context: CoverContext = { direction, snapshot, now, ...shown, crls, ocsp, approved, ...budgets, trail };
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
    trail.fail('transport', 'no-tls', detail + otherSocket(snapshot, evidence));
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

function local({ localAddress, localPort }: Evidence): string {
  if (localAddress === undefined) return 'a socket that the question does not name';
  return `${localAddress} port ${localPort ?? 'unknown'}`;
}

function judgeTls(evidence: Evidence, tls: TlsEvidence | undefined, context: CoverContext): Outcome {
  const present = (given: TlsEvidence | undefined) => presentedOver(evidence, given, context);
  if (evidence.direction === 'out') return judgeOutbound(evidence, tls, context, present);
  const presented = present(tls);
  return presented === undefined ? untrusted(claimed(evidence, tls, context)) : judgeInbound(presented, context);
}

const GOOD = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' };

/**
 * The partner that it says it is where version or cipher is all that was looked at: his operator is to hear of it. Nothing of
 * that is proven. Over a path the path is asked next, which a name would keep from it.
 */
function claimed(evidence: Evidence, tls: TlsEvidence | undefined, context: CoverContext): Agreement | undefined {
  if (tls === undefined || findInterface(context.snapshot, evidence) !== undefined) return undefined;
  const presented = presentedOver(evidence, { ...tls, ...GOOD }, { ...context, trail: new Trail() });
  return presented && candidatesOf(presented, context.snapshot)[0];
}

/** What the peer showed of itself over this connection; undefined: nothing that is of use, and the trail says why. */
function presentedOver(evidence: Evidence, tls: TlsEvidence | undefined, context: CoverContext): Presented | undefined {
  const { trail } = context;
  if (tls !== undefined && !encryptionHolds(evidence, tls, context)) return undefined;
  if (tls?.certificate === undefined) {
    if (tls?.attributes !== undefined) return presentedAttributes(tls, tls.attributes, context);
    // A stack that verified something but hands over nothing (resumption without the chain) is no evidence (T-47).
    if (tls === undefined || tls.verified) {
      trail.fail('certificate', 'no-cert-facts', 'expected a certificate in tls.pem, found none');
    } else {
      trail.fail('certificate', 'no-client-cert', 'the peer presented no certificate');
    }
    return undefined;
  }
  if ('malformed' in tls.certificate) {
    trail.fail('certificate', 'malformed-cert', tls.certificate.malformed);
    return undefined;
  }
  const leaf = tls.certificate;
  trail.pass('certificate', `${certificateName(leaf)}, SHA-256 ${leaf.sha256}`, 'RFC 5280 §4.1');
  if (tls.chain !== undefined) noteChain(tls.chain, trail);
  if (!floorHolds(tls, trail)) return undefined;
  // Who calls over a path is told by the path, unless the certificate has a name that counts.
  const claims = context.direction === 'in' && findInterface(context.snapshot, evidence) === undefined;
  return presentedCertificate(leaf, tls, context, claims);
}

/** What came besides the leaf: a line for those who explain, nothing that decides. */
function noteChain({ certificates, ignored }: PeerChain, trail: Trail): void {
  const names = certificates.map((each) => printable(certificateName(each))).join(' | ');
  if (certificates.length > 0) {
    const clause = 'RFC 8446 §4.4.2';
    trail.pass('chain', `the peer also sent ${names}: of use for paths, trusted by nothing`, clause);
  }
  for (const why of ignored) trail.skip('chain', `left out of what the peer sent: ${why}`, 'RFC 8446 §4.4.2');
}
