/**
 * Revocation by OCSP (RFC 6960 §3.2, §4.2.2): what one response says of one certificate. Undetermined is never good.
 * Reading the DER is the business of ocsp-response.ts.
 */

import type { Finding } from '../../reasons.js';
import {
  type Budget,
  type CertificateFacts,
  certificateName,
  type Signed,
  signatureVerifies,
  weakAlgorithm,
} from '../certificate/index.js';
import { instant, sameOctets } from '../der/index.js';
import { brokenRules, purposeText } from '../rules/index.js';
import { reasonText } from './crl-entries.js';
import { ocspLocations } from './locations.js';
import { type CertId, certIdBy, ID_SHA1, sameCertId, sha1 } from './ocsp-request.js';
import type { RevocationStatus } from './revocation.js';

/** Largest response that is read; one with its responder's certificate has two or three thousand octets. */
export const MAX_OCSP_OCTETS = 128 * 1024;

/** Certificates of a response that are read: real ones bring one. Tens of thousands have room, and each would cost. */
export const MOST_RESPONDERS = 4;

/** What a response says of one certificate (SingleResponse). */
export interface OcspEntry {
  readonly certId: CertId;
  readonly status: 'good' | 'revoked' | 'unknown';
  /** Of a revoked one: milliseconds since 1970, and the reason of RFC 5280 §5.3.1 as a number. */
  readonly revokedAt: number | undefined;
  readonly reason: number | undefined;
  readonly thisUpdate: number;
  /** undefined: newer information is available all the time (RFC 6960 §4.2.2.1). */
  readonly nextUpdate: number | undefined;
  readonly unknownCritical: string | undefined;
}

/** A BasicOCSPResponse whose signature is not verified yet. */
export interface OcspResponse extends Signed {
  /** Name of the responder as a key text, or the SHA-1 of its public key. */
  readonly responder: { readonly name: string } | { readonly keyHash: Uint8Array };
  readonly producedAt: number;
  readonly entries: readonly OcspEntry[];
  /** Value of the nonce extension as it stands. */
  readonly nonce: Uint8Array | undefined;
  /** Certificates that came along, the first few; those that cannot be read are left out. */
  readonly certificates: readonly CertificateFacts[];
  readonly unknownCritical: string | undefined;
}

/** A response with what only the one who asked can know: whether it bears the nonce of the question (rulebook K-14). */
export interface OcspAnswer {
  readonly response: OcspResponse;
  readonly nonceEchoed: boolean;
}

/** Answers by the SHA-256 of the certificate that they were asked about. */
export type OcspAnswers = ReadonlyMap<string, OcspAnswer>;

/** How responses are judged; times in milliseconds. */
export interface OcspRules {
  /** Longest age of thisUpdate (rulebook K-13). */
  readonly maxAge: number;
  /** Responses without the nonce of the question do not count (rulebook K-14). */
  readonly nonceRequired: boolean;
}

export const DEFAULT_OCSP_RULES: OcspRules = Object.freeze({ maxAge: 86_400_000, nonceRequired: false });

export interface OcspContext extends OcspRules {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly skew: number;
  readonly budget: Budget;
  /** Status by CRL of a responder's own certificate (rulebook K-12). */
  readonly responderStatus: (responder: CertificateFacts) => RevocationStatus;
}

/** id-kp-OCSPSigning, id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2, §4.2.2.2.1). */
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const OCSP_NOCHECK = '1.3.6.1.5.5.7.48.1.5';

/** Judges a certificate by an answer; `issuer` is the CA whose key verifies the certificate. */
export function ocspStatus(
  certificate: CertificateFacts,
  issuer: CertificateFacts,
  { response, nonceEchoed }: OcspAnswer,
  context: OcspContext,
): RevocationStatus {
  const who = certificateName(certificate);
  const unknown = (code: Finding['code'], found: string): RevocationStatus => ({
    status: 'unknown',
    findings: [{ code, detail: `OCSP response on ${who}: ${found}` }],
  });
  const entry = ocspEntry(certificate, issuer, response);
  // What is known to be revoked stays so, however old the answer and whatever else is odd about it.
  if (entry?.status === 'revoked') {
    const signer = signerOf(response, certificate, issuer, {
      ...context,
      at: Math.min(context.at, response.producedAt),
    });
    if ('responder' in signer) return { status: 'revoked', detail: revokedText(certificate, entry, signer.responder) };
  }
  if (response.unknownCritical !== undefined) {
    return unknown(
      'ocsp-status',
      `expected critical extensions that are understood, found ${response.unknownCritical}`,
    );
  }
  if (context.nonceRequired && !nonceEchoed)
    return unknown('ocsp-status', 'expected the nonce of the question, found none');
  if (entry === undefined) return unknown('ocsp-status', 'expected the CertID that was asked for, found others');
  if (entry.unknownCritical !== undefined) {
    return unknown('ocsp-status', `expected critical extensions that are understood, found ${entry.unknownCritical}`);
  }
  const untimely = outOfTime(entry, nonceEchoed, context);
  if (untimely !== undefined) return unknown('ocsp-time', untimely);
  const signer = signerOf(response, certificate, issuer, context);
  if ('unfit' in signer) return unknown('ocsp-signer', signer.unfit);
  if (entry.status !== 'good') return unknown('ocsp-status', 'the responder does not know the certificate');
  const until = Math.min(entry.nextUpdate ?? Number.POSITIVE_INFINITY, entry.thisUpdate + context.maxAge, signer.until);
  return { status: 'good', until };
}

/**
 * What a response says of a certificate, if anything; of several entries the worst, as a responder that contradicts itself
 * clears nobody. An answer has to name the certificate as the question did (rulebook K-10), but one that revokes it by
 * another hash of the same issuer revokes it.
 */
export function ocspEntry(
  certificate: CertificateFacts,
  issuer: CertificateFacts,
  { entries }: OcspResponse,
): OcspEntry | undefined {
  const ids = new Map<string, CertId | undefined>();
  const named = entries.filter(({ certId }) => {
    const { hashAlgorithm, serial } = certId;
    if (!sameOctets(serial, certificate.serialOctets)) return false;
    if (!ids.has(hashAlgorithm)) ids.set(hashAlgorithm, certIdBy(hashAlgorithm, certificate, issuer));
    const id = ids.get(hashAlgorithm);
    return id !== undefined && sameCertId(certId, id);
  });
  const asked = named.filter(({ certId }) => certId.hashAlgorithm === ID_SHA1);
  return (
    named.find(({ status }) => status === 'revoked') ?? asked.find(({ status }) => status === 'unknown') ?? asked[0]
  );
}

/** RFC 6960 §4.2.2.1, rulebook K-13. */
function outOfTime(
  { thisUpdate, nextUpdate }: OcspEntry,
  nonceEchoed: boolean,
  { at, skew, maxAge }: OcspContext,
): string | undefined {
  if (thisUpdate > at + skew) return `expected thisUpdate before ${instant(at)}, found ${instant(thisUpdate)}`;
  if (nextUpdate === undefined) {
    if (!nonceEchoed) return 'expected nextUpdate or the nonce of the question, found neither';
  } else if (nextUpdate <= at) return `expected nextUpdate after ${instant(at)}, found ${instant(nextUpdate)}`;
  if (thisUpdate + maxAge <= at) {
    return `expected thisUpdate after ${instant(at - maxAge)} (defaults.ocsp_max_age), found ${instant(thisUpdate)}`;
  }
  return undefined;
}

type Signer = { readonly responder: CertificateFacts; readonly until: number } | { readonly unfit: string };

/** RFC 6960 §4.2.2.2: the issuer itself, or whom the issuer delegated directly with a certificate for this purpose. */
function signerOf(
  response: OcspResponse,
  certificate: CertificateFacts,
  issuer: CertificateFacts,
  context: OcspContext,
): Signer {
  const weak = weakAlgorithm(response.signatureAlgorithm);
  if (weak !== undefined) return { unfit: weak };
  // A responder is known by the key that the certificate was verified with, not by a certificate that came along.
  if (isNamed(response, issuer) && signatureVerifies(response, issuer.publicKey, context.budget)) {
    return { responder: issuer, until: Number.POSITIVE_INFINITY };
  }
  let unfit = 'expected a signature by the issuer or a responder that it delegated, found none that verifies';
  for (const responder of response.certificates) {
    if (!isNamed(response, responder)) continue;
    // Its purposes may let it sign statuses: its own is worth nothing once its key is lost.
    const own = sameOctets(responder.publicKey.key, certificate.publicKey.key);
    const why = own ? 'expected another key than that of the certificate' : whyNotDelegated(responder, issuer, context);
    if (why !== undefined) unfit = `responder ${certificateName(responder)}: ${why}`;
    else if (signatureVerifies(response, responder.publicKey, context.budget)) {
      return { responder, until: responder.notAfter + context.skew };
    }
  }
  return { unfit };
}

/** Whether ResponderID names this certificate: by subject, or by the SHA-1 of its key (RFC 6960 §4.2.1). */
function isNamed({ responder }: OcspResponse, certificate: CertificateFacts): boolean {
  if ('name' in responder) return responder.name === certificate.subjectKeys.text;
  return sameOctets(responder.keyHash, sha1(certificate.publicKey.key));
}

/** Rulebook K-11 (3), K-12. */
function whyNotDelegated(
  responder: CertificateFacts,
  issuer: CertificateFacts,
  { at, skew, budget, responderStatus }: OcspContext,
): string | undefined {
  const weak = weakAlgorithm(responder.signatureAlgorithm);
  if (weak !== undefined) return weak;
  if (
    responder.issuerKeys.text !== issuer.subjectKeys.text ||
    !signatureVerifies(responder, issuer.publicKey, budget)
  ) {
    return `expected a certificate issued directly by ${issuer.subjectText} with the key of the certificate, found another`;
  }
  // anyExtendedKeyUsage is no delegation: it has to be said (RFC 6960 §4.2.2.2).
  if (!responder.extendedKeyUsage?.includes(OCSP_SIGNING)) {
    return `expected extendedKeyUsage OCSPSigning, found ${purposeText(responder.extendedKeyUsage)}`;
  }
  const { keyUsage } = responder;
  if (keyUsage !== undefined && !keyUsage.has('digitalSignature') && !keyUsage.has('nonRepudiation')) {
    return `expected keyUsage digitalSignature, found ${[...keyUsage].join(', ')}`;
  }
  const [broken] = brokenRules(responder, { at, skew, place: 'leaf' }, ['path']);
  if (broken !== undefined) return broken.detail;
  if (responder.extensions.some(({ oid }) => oid === OCSP_NOCHECK)) return undefined;
  const status = responderStatus(responder);
  if (status.status === 'revoked') return status.detail;
  // Where the CA says how to ask about the responder, not knowing is not enough; where it says nothing, it is left to
  // the client (RFC 6960 §4.2.2.2.1), and the CA has just signed the delegation.
  const asks = responder.crlDistributionPoints !== undefined || ocspLocations(responder).length > 0;
  return status.status === 'unknown' && asks
    ? 'expected ocsp-nocheck or a CRL that clears the responder, found neither'
    : undefined;
}

function revokedText(certificate: CertificateFacts, { revokedAt, reason }: OcspEntry, by: CertificateFacts): string {
  const when = revokedAt === undefined ? '' : ` ${instant(revokedAt)}`;
  const why = reason === undefined ? '' : ` (${reasonText(reason)})`;
  return `${certificateName(certificate)}: serial ${certificate.serial} revoked${when}${why}, by OCSP of ${by.subjectText}`;
}
