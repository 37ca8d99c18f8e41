/**
 * Where a certificate that names a partner leads, when it leads to none of the anchors of its agreement.
 *
 * Two very different things look alike there: a CA that changed its intermediate, and somebody else's certificate. What
 * tells them apart is whether the path is complete. It is where it ends at a self-signed certificate, or at a CA of
 * another agreement, unless that CA leads on to an anchor of this one (partners under one public root). It is not where
 * no certificate of some issuer is at hand: a peer need not send its root (RFC 8446 §4.4.2), so a chain without one ends
 * in a name, and nobody can tell whether that is a root or one more intermediate. That is told as what it is, a CA that
 * is missing, and is no alarm.
 */

import { printable } from '../../printable.js';
import type { Finding } from '../../reasons.js';
import {
  type Budget,
  BudgetExhausted,
  type CertificateFacts,
  certificateName,
  isSelfSigned,
  OTHER_KEY,
  signatureVerifies,
} from '../../x509/certificate/index.js';
import { listed } from '../../x509/path/index.js';
import { authorityLocations } from '../../x509/revocation/index.js';
import type { Agreement } from '../agreement/index.js';
import type { CoverContext } from './context.js';

interface ChainEnd {
  /** The last certificate that a path upwards from the leaf leads to. */
  readonly last: CertificateFacts;
  /** Whether it ends there for good: `last` is signed by its own key, as far as that is looked at (isSelfSigned). */
  readonly selfSigned: boolean;
  /** The agreement whose CA issued `last`, if it is not the peer's. */
  readonly other?: OtherAuthority;
}

interface OtherAuthority {
  readonly agreement: Agreement;
  readonly authority: CertificateFacts;
  /** By what the policy names, an anchor of the peer's own agreement stands above it. */
  readonly leadsOn: boolean;
}

/** What of the context says where a chain ends. */
type EndContext = Pick<CoverContext, 'verified' | 'chain' | 'unread' | 'snapshot' | 'endBudget'>;

/** Microseconds: enough for every signature between the few certificates of a chain. */
export const END_BUDGET = 10_000;
const MOST_LOCATIONS = 3;
const MOST_SHOWN = 200;

/** What to say in front of `untrusted-chain`. `role`: that of the peer in the handshake. */
export function chainEndFindings(
  agreement: Agreement,
  role: 'client' | 'server',
  leaf: CertificateFacts,
  context: EndContext,
): readonly Finding[] {
  if (leaf.selfIssued) return [];
  const { last, selfSigned, other } = chainEnd(agreement, role, leaf, context);
  const issuer = printable(last.issuerText || '(empty name)', MOST_SHOWN);
  const accepted = `agreement ${agreement.name} accepts ${counted(agreement, role)}`;
  if (other !== undefined && !other.leadsOn) {
    const owner = `${printable(other.authority.subjectText, MOST_SHOWN)} stands in agreement ${other.agreement.name}`;
    return [
      { code: 'anchor-mismatch', detail: `${accepted}; the certificate leads to ${issuer}${crossHint(last, context)}` },
      { code: 'anchor-name', detail: `${owner}, which may not vouch for ${agreement.domains.join(', ')}` },
    ];
  }
  if (selfSigned) {
    const isNamesake = bearsNameOf(agreement.anchors[role], last);
    const which = isNamesake ? `has another key than the anchor of its name: ${OTHER_KEY}` : 'is none of them';
    const root = `the self-signed ${printable(certificateName(last), MOST_SHOWN)}, which ${which}`;
    const hint = isNamesake ? '' : crossHint(last, context);
    return [{ code: 'anchor-mismatch', detail: `${accepted}; the certificate leads to ${root}${hint}` }];
  }
  const whose = printable(certificateName(last), MOST_SHOWN);
  if (other !== undefined && last.selfIssued) {
    const stands = `the certificate leads to ${whose}, which stands in agreement ${other.agreement.name}`;
    const detail = `agreement ${agreement.name}: ${stands}, and what an anchor of this one has signed for it is not at hand (${sentText(context)}); put that under intermediates`;
    return [{ code: 'missing-intermediate', detail }];
  }
  const missing = `no certificate of ${issuer}, which issued ${whose}, is at hand`;
  const place = other === undefined ? where(last) : `it stands in agreement ${other.agreement.name}`;
  const remedy = `${place}; put it under intermediates or, if it is a root of this network, under anchors`;
  return [
    {
      code: 'missing-intermediate',
      detail: `agreement ${agreement.name}: ${missing} (${sentText(context)}); ${remedy}`,
    },
  ];
}

function bearsNameOf(anchors: readonly CertificateFacts[], root: CertificateFacts): boolean {
  return anchors.some(({ subjectKeys }) => subjectKeys.text === root.subjectKeys.text);
}

/** A TLS stack ends the chain that it verified at the first root it knows, though the peer sent what another has signed for this one. */
function crossHint({ selfIssued }: CertificateFacts, { verified }: EndContext): string {
  return selfIssued && verified
    ? '; if one of these anchors has signed a certificate for this root, put that under intermediates'
    : '';
}

/** What came of the chain: an intermediate that was sent and could not be read is not one that is missing. */
function sentText({ verified, chain, unread }: EndContext): string {
  const sent = chain.length;
  const [why] = unread;
  const came = 'the proxy handed over';
  const read = sent === 0 ? `${came} no chain` : `${came} ${sent} more certificate${sent === 1 ? '' : 's'}`;
  if (why === undefined) return sent === 0 && !verified ? `${read}: it has none of what its TLS did not verify` : read;
  const which = `what cannot be read: ${printable(why, MOST_SHOWN)}`;
  return sent === 0 ? `${came} a chain, and of it ${which}` : `${read}, and ${which}`;
}

function counted({ anchors }: Agreement, role: 'client' | 'server'): string {
  const { length } = anchors[role];
  const names = printable(listed(anchors[role].map(({ subjectText }) => subjectText)), MOST_SHOWN);
  return `${length === 1 ? 'one anchor' : `${length} anchors`} for a TLS ${role} (${names})`;
}

/** Where the certificate says that its issuer can be had (RFC 5280 §4.2.2.1): told to people, never fetched. */
function where(certificate: CertificateFacts): string {
  const urls = authorityLocations(certificate).slice(0, MOST_LOCATIONS);
  if (urls.length === 0) return 'the certificate does not say where it can be had';
  return `the certificate says it can be had at ${urls.map((url) => printable(url, MOST_SHOWN)).join(', ')}`;
}

/** Walks upwards from the leaf over all that is at hand; every step is a signature that verifies. */
function chainEnd(
  agreement: Agreement,
  role: 'client' | 'server',
  leaf: CertificateFacts,
  context: EndContext,
): ChainEnd {
  const { chain, endBudget: budget } = context;
  const atHand = [...chain, ...agreement.intermediates, ...agreement.anchors.client, ...agreement.anchors.server];
  const seen = new Set<CertificateFacts>([leaf]);
  const ends: CertificateFacts[] = [];
  const queue = [leaf];
  try {
    for (let current = queue.shift(); current !== undefined; current = queue.shift()) {
      const certificate = current;
      const above = atHand.filter((each) => each !== certificate && issued(each, certificate, budget));
      const fresh = above.filter((each) => !seen.has(each));
      for (const each of fresh) seen.add(each);
      queue.push(...fresh);
      if (above.length === 0) ends.push(certificate);
    }
    const other = ofOthers(agreement, role, ends, context);
    if (other !== undefined) return other;
    // A root in the name of an anchor settles it, whatever else was sent beside it.
    const namesake = [...seen].find((each) => bearsNameOf(agreement.anchors[role], each) && isSelfSigned(each, budget));
    if (namesake !== undefined) return { last: namesake, selfSigned: true };
    // Where several paths end, a missing issuer leaves open what a self-signed end would settle.
    const open = ends.find((end) => !isSelfSigned(end, budget));
    return { last: open ?? ends[0] ?? leaf, selfSigned: open === undefined && ends.length > 0 };
  } catch (cause) {
    if (!(cause instanceof BudgetExhausted)) throw cause;
    return { last: leaf, selfSigned: false };
  }
}

/** The CA of another agreement that issued one of these or is one of these. */
function ofOthers(
  agreement: Agreement,
  role: 'client' | 'server',
  ends: readonly CertificateFacts[],
  context: EndContext,
): ChainEnd | undefined {
  const { snapshot, endBudget: budget } = context;
  for (const last of ends) {
    for (const name of [last.issuerKeys.text, last.subjectKeys.text]) {
      for (const { certificate: authority, agreements } of snapshot.authorities.named(name)) {
        const other = agreements.find((each) => each.name !== agreement.name);
        if (other === undefined) continue;
        if (last.sha256 !== authority.sha256 && !issued(authority, last, budget)) continue;
        const leadsOn = leadsTo(agreement.anchors[role], authority, context);
        return { last, selfSigned: false, other: { agreement: other, authority, leadsOn } };
      }
    }
  }
  return undefined;
}

/** Whether one of these anchors stands above the CA, by what all agreements name. What cannot be looked at leads nowhere. */
function leadsTo(
  anchors: readonly CertificateFacts[],
  authority: CertificateFacts,
  { snapshot, endBudget: budget }: EndContext,
): boolean {
  const seen = new Map([[authority.sha256, authority]]);
  try {
    for (const current of seen.values()) {
      if (anchors.some((anchor) => issued(anchor, current, budget))) return true;
      for (const { certificate } of snapshot.authorities.named(current.issuerKeys.text)) {
        if (!seen.has(certificate.sha256) && issued(certificate, current, budget))
          seen.set(certificate.sha256, certificate);
      }
    }
  } catch (cause) {
    if (!(cause instanceof BudgetExhausted)) throw cause;
  }
  return false;
}

function issued(issuer: CertificateFacts, certificate: CertificateFacts, budget: Budget): boolean {
  if (issuer.subjectKeys.text !== certificate.issuerKeys.text) return false;
  return signatureVerifies(certificate, issuer.publicKey, budget);
}
