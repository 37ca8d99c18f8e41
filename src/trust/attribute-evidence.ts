/**
 * Judging a peer whose proxy hands over only words about the certificate (OpenSIPS without a certificate variable).
 * Words cannot be checked against an anchor, so they carry trust only where the stack verified the certificate, the
 * agreement names the issuer it expects, and nothing that needs the certificate itself (pins, hard revocation) is
 * asked for. The assurance says `tls-attributes`.
 */

import { isDomainName } from '../x509/domain.js';
import type { Agreement } from './agreement.js';
import { missingAttributes, parseOneLineName } from './attributes.js';
import { agreementChange, agreementInForce, type CoverContext } from './covers.js';
import type { Evidence, TlsEvidence } from './evidence.js';
import { nextHopName } from './next-hop-name.js';
import { type Outcome, untrusted } from './outcome.js';
import { floorHolds } from './tls-profile.js';
import { needsCertificate } from './words.js';

/** Why the words are not enough for this agreement; undefined: they are. */
function lacking(agreement: Agreement, attributes: Readonly<Record<string, string>>): string | undefined {
  const needed = needsCertificate(agreement);
  if (needed !== undefined) return needed;
  const subject = attributes.subject === undefined ? [] : parseOneLineName(attributes.subject);
  const issuer = parseOneLineName(attributes.issuer ?? '');
  if (issuer === undefined) return `expected issuer as /C=../O=../CN=.., found "${attributes.issuer ?? ''}"`;
  if (subject === undefined) return `expected subject as /C=../O=../CN=.., found "${attributes.subject ?? ''}"`;
  const { attributeIssuers } = agreement;
  if (attributeIssuers.length > 0 && !attributeIssuers.includes(attributes.issuer ?? '')) {
    return `expected issuer ${attributeIssuers.join(' or ')}, found "${attributes.issuer ?? ''}"`;
  }
  const missing = [...missingAttributes(agreement.subject, subject), ...missingAttributes(agreement.issuer, issuer)];
  return missing.length > 0 ? missing.join('; ') : undefined;
}

/** The one name that the proxy read from subjectAltName; anything but one plain domain is no name. */
function statedName(attributes: Readonly<Record<string, string>>): string | undefined {
  const stated = (attributes.san ?? '').replace(/^(dns:|uri:)/i, '').replace(/^sip:/i, '');
  const name = /^[\x21-\x7e]+$/.test(stated) ? stated.toLowerCase() : '';
  return isDomainName(name) ? name : undefined;
}

export function judgeAttributes(
  evidence: Evidence,
  tls: TlsEvidence,
  attributes: Readonly<Record<string, string>>,
  context: CoverContext,
): Outcome {
  const { trail, snapshot, now } = context;
  const refused = (agreement?: Agreement): Outcome =>
    evidence.direction === 'in' ? untrusted(agreement) : { ...untrusted(agreement), action: 'close' };
  if (!floorHolds(tls, trail)) return untrusted();
  if (!tls.verified) {
    trail.fail('stack', 'stack-unverified', 'attributes count only where the TLS stack verified the certificate');
    return refused();
  }
  const name = statedName(attributes);
  if (name === undefined) {
    trail.fail('identity', 'no-sip-id', `expected one domain in tls.attributes.san, found "${attributes.san ?? ''}"`);
    return refused();
  }
  trail.pass('identity', `${name}, as the proxy read it`, 'RFC 5922 §7.1');
  if (evidence.direction === 'out') {
    const target = nextHopName(evidence.nextHop ?? '', snapshot);
    if (target.kind !== 'domains' || !target.domains.includes(name)) {
      trail.fail('next hop', 'name-mismatch', `next_hop is ${evidence.nextHop ?? 'not told'}, the peer is ${name}`);
      return refused();
    }
  }
  const agreement = snapshot.byDomain.get(name);
  if (agreement === undefined) {
    trail.fail('agreement', 'not-listed', `no agreement names ${name}`);
    return untrusted();
  }
  const change = agreementChange(agreement, now);
  if (agreement.mechanism !== 'tls') {
    trail.fail('mechanism', 'agreement-mechanism', `agreement ${agreement.name}: expected ${agreement.mechanism}`);
    return untrusted(agreement, change);
  }
  if (!agreementInForce(agreement, context)) return untrusted(agreement, change);
  const why = lacking(agreement, attributes);
  if (why !== undefined) {
    trail.fail('certificate', 'no-cert-facts', `agreement ${agreement.name}: ${why}`);
    return untrusted(agreement, change);
  }
  if (agreement.enforcement === 'monitor') {
    trail.fail('enforcement', 'monitor-only', `agreement ${agreement.name}: would be trusted, enforcement is monitor`);
    return untrusted(agreement, change);
  }
  return {
    grant: trail.grant('agreement-covers', `agreement ${agreement.name} covers ${name}`),
    assurance: 'tls-attributes',
    agreement,
    domains: [name],
    action: 'continue',
    validUntil: change,
  };
}
