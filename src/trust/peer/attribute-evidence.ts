/**
 * Judging a peer whose proxy hands over only words about the certificate (OpenSIPS without a certificate variable).
 * Words cannot be checked against an anchor, so they carry trust only where the stack verified the certificate, the
 * agreement names the issuer it expects, and nothing that needs the certificate itself (pins, hard revocation) is
 * asked for. The assurance says `tls-attributes`.
 */

import { quoted } from '../../printable.js';
import { isDomainName } from '../../x509/identity/index.js';
import { type Agreement, missingAttributes, needsCertificate, parseOneLineName } from '../agreement/index.js';
import type { Cover, CoverContext } from '../cover/index.js';
import type { TlsEvidence } from '../evidence/index.js';
import type { Presented } from './presented.js';
import { floorHolds } from './tls-profile.js';

/** Why the words are not enough for this agreement; undefined: they are. */
function lacking(agreement: Agreement, attributes: Readonly<Record<string, string>>): string | undefined {
  const needed = needsCertificate(agreement);
  if (needed !== undefined) return needed;
  const subject = attributes.subject === undefined ? [] : parseOneLineName(attributes.subject);
  const issuer = parseOneLineName(attributes.issuer ?? '');
  if (issuer === undefined) return `expected issuer as /C=../O=../CN=.., found ${quoted(attributes.issuer ?? '')}`;
  if (subject === undefined) return `expected subject as /C=../O=../CN=.., found ${quoted(attributes.subject ?? '')}`;
  const { attributeIssuers } = agreement;
  if (attributeIssuers.length > 0 && !attributeIssuers.includes(attributes.issuer ?? '')) {
    return `expected issuer ${attributeIssuers.join(' or ')}, found ${quoted(attributes.issuer ?? '')}`;
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

/** What the words say of the peer; undefined: nothing that is of use, and the trail says why. */
export function presentedAttributes(
  tls: TlsEvidence,
  attributes: Readonly<Record<string, string>>,
  { trail }: Pick<CoverContext, 'trail'>,
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
    validUntil: Number.POSITIVE_INFINITY,
    cover: (agreement, context) => coveredByWords(agreement, attributes, context),
  };
}

function coveredByWords(
  agreement: Agreement,
  attributes: Readonly<Record<string, string>>,
  { trail }: Pick<CoverContext, 'trail'>,
): Cover {
  const why = lacking(agreement, attributes);
  if (why !== undefined) trail.fail('certificate', 'no-cert-facts', `agreement ${agreement.name}: ${why}`);
  const ok = why === undefined;
  const validUntil = Number.POSITIVE_INFINITY;
  return { ok, assurance: 'tls-attributes', proven: ok, pinnable: false, validUntil };
}
