/**
 * Judging a peer whose proxy hands over only words about the certificate (OpenSIPS without a certificate variable).
 * Words cannot be checked against an anchor, so they carry trust only where the stack verified the certificate, the
 * agreement names the issuer it expects, and nothing that needs the certificate itself (pins, hard revocation) is
 * asked for. The assurance says `tls-attributes`.
 */

import { quoted } from '../../printable.js';
import type { Finding } from '../../reasons.js';
import { instant } from '../../x509/der/index.js';
import { isDomainName } from '../../x509/identity/index.js';
import {
  type Agreement,
  missingNames,
  needsCertificate,
  parseOneLineName,
  parsePrintedTime,
} from '../agreement/index.js';
import { type Cover, type CoverContext, nextInstant } from '../cover/index.js';
import type { TlsEvidence } from '../evidence/index.js';
import type { Presented } from './presented.js';
import { floorHolds } from './tls-profile.js';

/** Why the words are not enough for this agreement, or say of the certificate what it does not accept; undefined: they are. */
function lacking(agreement: Agreement, attributes: Readonly<Record<string, string>>): Finding | undefined {
  const noFacts = (why: string): Finding => ({ code: 'no-cert-facts', detail: `agreement ${agreement.name}: ${why}` });
  const differs = (why: string): Finding => ({
    code: 'agreement-attributes',
    detail: `agreement ${agreement.name}: ${why}`,
  });
  const needed = needsCertificate(agreement);
  if (needed !== undefined) return noFacts(needed);
  const subject = attributes.subject === undefined ? [] : parseOneLineName(attributes.subject);
  const issuer = parseOneLineName(attributes.issuer ?? '');
  if (issuer === undefined)
    return noFacts(`expected issuer as /C=../O=../CN=.., found ${quoted(attributes.issuer ?? '')}`);
  if (subject === undefined)
    return noFacts(`expected subject as /C=../O=../CN=.., found ${quoted(attributes.subject ?? '')}`);
  const { attributeIssuers } = agreement;
  if (attributeIssuers.length > 0 && !attributeIssuers.includes(attributes.issuer ?? '')) {
    return differs(`expected issuer ${attributeIssuers.join(' or ')}, found ${quoted(attributes.issuer ?? '')}`);
  }
  const missing = missingNames(agreement, { subject, issuer });
  return missing.length > 0 ? differs(missing.join('; ')) : undefined;
}

/** The one name that the proxy read from subjectAltName; anything but one plain domain is no name. */
function statedName(attributes: Readonly<Record<string, string>>): string | undefined {
  const stated = (attributes.san ?? '').replace(/^(dns:|uri:)/i, '').replace(/^sip:/i, '');
  const name = /^[\x21-\x7e]+$/.test(stated) ? stated.toLowerCase() : '';
  return isDomainName(name) ? name : undefined;
}

/** What the words say of the peer; undefined: nothing that is of use, and the trail says why. */
export function presentedAttributes(
  tls: TlsEvidence,
  attributes: Readonly<Record<string, string>>,
  { trail, snapshot, now }: Pick<CoverContext, 'trail' | 'snapshot' | 'now'>,
): Presented | undefined {
  if (!floorHolds(tls, trail)) return undefined;
  if (!tls.verified) {
    trail.fail('stack', 'stack-unverified', 'attributes count only where the TLS stack verified the certificate');
    return undefined;
  }
  const name = statedName(attributes);
  if (name === undefined) {
    trail.fail(
      'identity',
      'no-sip-id',
      `expected one domain in tls.attributes.san, found ${quoted(attributes.san ?? '')}`,
    );
    return undefined;
  }
  return {
    ...{ kind: 'dns', names: [name], wildcards: [], wildcardHint: '', findings: [], verified: true },
    validUntil: nextInstant(now, [lifetime(attributes)], snapshot.skew),
    cover: (agreement, context) => coveredByWords(agreement, attributes, context),
  };
}

/**
 * The stack has looked at both ends, but at the handshake alone, and a connection may outlive its certificate. Not told: as
 * long as it lives. What is no instant has ended.
 */
function lifetime({ not_after: told }: Readonly<Record<string, string>>): { notBefore: number; notAfter: number } {
  const notAfter = told === undefined ? Number.POSITIVE_INFINITY : parsePrintedTime(told);
  return { notBefore: Number.NEGATIVE_INFINITY, notAfter: notAfter ?? Number.NEGATIVE_INFINITY };
}

function coveredByWords(
  agreement: Agreement,
  attributes: Readonly<Record<string, string>>,
  { trail, snapshot, now }: Pick<CoverContext, 'trail' | 'snapshot' | 'now'>,
): Cover {
  const why = lacking(agreement, attributes);
  if (why !== undefined) trail.fail('certificate', why.code, why.detail);
  const life = lifetime(attributes);
  const ended = now > life.notAfter + snapshot.skew;
  if (ended) {
    const until = quoted(attributes.not_after ?? '');
    trail.fail('certificate', 'cert-time', `expected a time until ${until}, found ${instant(now)}`);
  }
  const ok = why === undefined && !ended;
  const validUntil = nextInstant(now, [life], snapshot.skew);
  return { ok, assurance: 'tls-attributes', proven: ok, pinnable: false, validUntil };
}
