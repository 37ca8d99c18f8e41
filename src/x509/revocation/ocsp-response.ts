/**
 * OCSP responses (RFC 6960 §4.2.1): DER -> OcspResponse. As strict as certificates are read: whatever is not DER, or
 * followed by more, is refused. What a response settles is the business of ocsp.ts.
 */

import {
  type CertificateFacts,
  MalformedCertificate,
  parseCertificate,
  readAlgorithm,
  readName,
  wholeOctets,
} from '../certificate/index.js';
import { DerReader, MalformedDer, readTime, TAG } from '../der/index.js';
import { readExtensionItem } from './crl-entries.js';
import { MAX_OCSP_OCTETS, MOST_RESPONDERS, type OcspEntry, type OcspResponse } from './ocsp.js';
import { type CertId, OCSP_NONCE } from './ocsp-request.js';

const BASIC_RESPONSE = '1.3.6.1.5.5.7.48.1.1';

/** OCSPResponseStatus (RFC 6960 §4.2.1). These answers are unsigned: they say nothing of the certificate (rulebook K-16). */
const FAILURES: Readonly<Record<number, string>> = {
  1: 'malformedRequest',
  2: 'internalError',
  3: 'tryLater',
  5: 'sigRequired',
  6: 'unauthorized',
};

/** The octets are no OCSP response, or one that only says that there is no answer. */
export class MalformedOcsp extends Error {
  override readonly name = 'MalformedOcsp';
}

/** Reads a response. Throws MalformedOcsp, also where the responder answers with an error. */
export function parseOcspResponse(der: Uint8Array): OcspResponse {
  try {
    if (der.length > MAX_OCSP_OCTETS) {
      throw new MalformedDer('OCSPResponse', `at most ${MAX_OCSP_OCTETS} octets`, `${der.length}`);
    }
    return readResponse(new DerReader(Uint8Array.from(der)));
  } catch (cause) {
    if (cause instanceof MalformedDer) throw new MalformedOcsp(cause.message, { cause });
    throw cause;
  }
}

/** OCSPResponse ::= SEQUENCE { responseStatus, responseBytes [0] EXPLICIT ResponseBytes OPTIONAL }. */
function readResponse(file: DerReader): OcspResponse {
  const outer = file.sequence('OCSPResponse');
  file.finish('OCSPResponse');
  const status = outer.count('responseStatus', TAG.enumerated);
  if (status !== 0) throw new MalformedOcsp(`expected a successful response, found ${FAILURES[status] ?? status}`);
  const wrapper = outer.sequence('responseBytes', 0xa0);
  outer.finish('OCSPResponse');
  const bytes = wrapper.sequence('responseBytes');
  wrapper.finish('responseBytes');
  const type = bytes.oid('responseType');
  if (type !== BASIC_RESPONSE) throw new MalformedDer('responseType', BASIC_RESPONSE, type);
  const basic = new DerReader(bytes.next(TAG.octetString, 'response').content());
  bytes.finish('responseBytes');
  return readBasic(basic);
}

/** BasicOCSPResponse ::= SEQUENCE { tbsResponseData, signatureAlgorithm, signature, certs [0] EXPLICIT OPTIONAL }. */
function readBasic(reader: DerReader): OcspResponse {
  const field = 'BasicOCSPResponse';
  const basic = reader.sequence(field);
  reader.finish(field);
  const data = basic.sequence('tbsResponseData');
  const tbs = basic.element();
  const signatureAlgorithm = readAlgorithm(basic.sequence('signatureAlgorithm'), 'signatureAlgorithm');
  const signature = wholeOctets(basic, 'signature');
  const certificates: CertificateFacts[] = [];
  if (basic.optional(0xa0, 'certs')) {
    const wrapper = basic.inside();
    const list = wrapper.sequence('certs');
    wrapper.finish('certs');
    for (let left = MOST_RESPONDERS; !list.done && left > 0; left--) {
      certificates.push(...readCertificate(list.next(TAG.sequence, 'certs').element()));
    }
  }
  basic.finish(field);
  return Object.freeze({
    ...readData(data),
    tbs,
    signatureAlgorithm,
    signature,
    certificates: Object.freeze(certificates),
  });
}

type Data = Pick<OcspResponse, 'responder' | 'producedAt' | 'entries' | 'nonce' | 'unknownCritical'>;

/** ResponseData ::= SEQUENCE { version [0] DEFAULT v1, responderID, producedAt, responses, responseExtensions [1] }. */
function readData(data: DerReader): Data {
  if (data.optional(0xa0, 'version')) {
    const wrapper = data.inside();
    const version = wrapper.count('version');
    wrapper.finish('version');
    // An encoded default is not DER (X.690 §11.5) but reads one way only.
    if (version !== 0) throw new MalformedDer('version', '0 (v1)', `${version}`);
  }
  const responder = readResponder(data);
  const producedAt = readInstant(data, 'producedAt');
  const list = data.sequence('responses');
  const entries: OcspEntry[] = [];
  while (!list.done) entries.push(readEntry(list.sequence('SingleResponse')));
  const { values, unknownCritical } = readExtensions(data, 'responseExtensions', [OCSP_NONCE]);
  data.finish('tbsResponseData');
  return { responder, producedAt, entries: Object.freeze(entries), nonce: values.get(OCSP_NONCE), unknownCritical };
}

/** ResponderID ::= CHOICE { byName [1] EXPLICIT Name, byKey [2] EXPLICIT OCTET STRING }. */
function readResponder(data: DerReader): OcspResponse['responder'] {
  const field = 'responderID';
  const byName = data.peek() === 0xa1;
  const wrapper = data.sequence(field, byName ? 0xa1 : 0xa2);
  const responder = byName
    ? { name: readName(wrapper, field).keys.text }
    : { keyHash: wrapper.next(TAG.octetString, field).content() };
  wrapper.finish(field);
  return Object.freeze(responder);
}

/** SingleResponse ::= SEQUENCE { certID, certStatus, thisUpdate, nextUpdate [0] EXPLICIT, singleExtensions [1] EXPLICIT }. */
function readEntry(entry: DerReader): OcspEntry {
  const certId = readCertId(entry.sequence('certID'));
  const status = readStatus(entry);
  const thisUpdate = readInstant(entry, 'thisUpdate');
  let nextUpdate: number | undefined;
  if (entry.optional(0xa0, 'nextUpdate')) {
    const wrapper = entry.inside();
    nextUpdate = readInstant(wrapper, 'nextUpdate');
    wrapper.finish('nextUpdate');
  }
  const { unknownCritical } = readExtensions(entry, 'singleExtensions', []);
  entry.finish('SingleResponse');
  return Object.freeze({ certId, ...status, thisUpdate, nextUpdate, unknownCritical });
}

function readCertId(content: DerReader): CertId {
  const hashAlgorithm = readAlgorithm(content.sequence('hashAlgorithm'), 'hashAlgorithm').oid;
  const issuerNameHash = content.next(TAG.octetString, 'issuerNameHash').content();
  const issuerKeyHash = content.next(TAG.octetString, 'issuerKeyHash').content();
  const serial = content.integer('serialNumber');
  content.finish('certID');
  return Object.freeze({ hashAlgorithm, issuerNameHash, issuerKeyHash, serial });
}

/** CertStatus ::= CHOICE { good [0] NULL, revoked [1] RevokedInfo, unknown [2] NULL }, all IMPLICIT. */
function readStatus(entry: DerReader): Pick<OcspEntry, 'status' | 'revokedAt' | 'reason'> {
  const field = 'certStatus';
  const tag = entry.any(field);
  const empty = entry.from === entry.to;
  if (tag === 0x80 && empty) return { status: 'good', revokedAt: undefined, reason: undefined };
  if (tag === 0x82 && empty) return { status: 'unknown', revokedAt: undefined, reason: undefined };
  if (tag !== 0xa1) throw new MalformedDer(field, 'good, revoked or unknown', `tag 0x${tag.toString(16)}`);
  return { status: 'revoked', ...readRevoked(entry.inside()) };
}

/** RevokedInfo only explains a revocation: one that cannot be read revokes all the same. */
function readRevoked(content: DerReader): Pick<OcspEntry, 'revokedAt' | 'reason'> {
  try {
    const revokedAt = readInstant(content, 'revocationTime');
    const reason = content.optional(0xa0, 'revocationReason')
      ? content.inside().count('revocationReason', TAG.enumerated)
      : undefined;
    return { revokedAt, reason };
  } catch (cause) {
    if (cause instanceof MalformedDer) return { revokedAt: undefined, reason: undefined };
    throw cause;
  }
}

function readInstant(reader: DerReader, field: string): number {
  const { time, generalized } = readTime(reader, field);
  if (!generalized) throw new MalformedDer(field, 'GeneralizedTime (RFC 6960 §4.2.1)', 'UTCTime');
  return time;
}

/** Extensions in their tag [1], if they are there: by OID, and the first critical one that is not known. */
function readExtensions(
  reader: DerReader,
  field: string,
  known: readonly string[],
): { readonly values: ReadonlyMap<string, Uint8Array>; readonly unknownCritical: string | undefined } {
  const values = new Map<string, Uint8Array>();
  let unknownCritical: string | undefined;
  if (reader.optional(0xa1, field)) {
    const wrapper = reader.inside();
    const items = wrapper.sequence(field);
    wrapper.finish(field);
    while (!items.done) {
      const { oid, critical, value } = readExtensionItem(items, field);
      if (values.has(oid)) throw new MalformedDer(oid, 'one extension of a kind', 'two');
      values.set(oid, value);
      if (critical && !known.includes(oid)) unknownCritical ??= oid;
    }
  }
  return { values, unknownCritical };
}

/** A certificate that came along and cannot be read is left out: it can only be missing, not vouch for anything. */
function readCertificate(der: Uint8Array): readonly CertificateFacts[] {
  try {
    return [parseCertificate(der)];
  } catch (cause) {
    if (cause instanceof MalformedCertificate) return [];
    throw cause;
  }
}
