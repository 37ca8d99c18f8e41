/**
 * OCSP responses (RFC 6960 §4.2.1): DER -> OcspResponse. pkijs reads the structure; it takes BER and nests as deep as the
 * input does, so the octets are first walked once by our own reader, which takes DER of a bounded depth alone.
 */

import { BasicOCSPResponse, type Extension, OCSPResponse, type SingleResponse } from 'pkijs';
import { MalformedCertificate, parseCertificate } from './certificate.js';
import { DerReader, MalformedDer, TAG } from './der.js';
import type { CertificateFacts } from './facts.js';
import { parseName } from './name.js';
import { MAX_OCSP_OCTETS, type OcspEntry, type OcspResponse } from './ocsp.js';
import { OCSP_NONCE } from './ocsp-request.js';

const BASIC_RESPONSE = '1.3.6.1.5.5.7.48.1.1';
const MAX_DEPTH = 24;

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
    return read(Uint8Array.from(der));
  } catch (cause) {
    if (cause instanceof MalformedOcsp) throw cause;
    // pkijs throws errors of several kinds on what it cannot read, and TypeErrors on what it did not think of.
    throw new MalformedOcsp(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function read(der: Uint8Array): OcspResponse {
  const reader = new DerReader(der);
  walk(reader, 'OCSPResponse', 0);
  const outer = OCSPResponse.fromBER(der);
  const status = outer.responseStatus.valueBlock.valueDec;
  if (status !== 0) throw new MalformedOcsp(`expected a successful response, found ${FAILURES[status] ?? status}`);
  const { responseBytes } = outer;
  if (responseBytes?.responseType !== BASIC_RESPONSE) {
    throw new MalformedOcsp(`responseType: expected ${BASIC_RESPONSE}, found ${responseBytes?.responseType ?? 'none'}`);
  }
  const inner = Uint8Array.from(responseBytes.response.valueBlock.valueHexView);
  walk(new DerReader(inner), 'BasicOCSPResponse', 0);
  const basic = BasicOCSPResponse.fromBER(inner);
  const { tbsResponseData: data, signatureAlgorithm, signature } = basic;
  if (signature.valueBlock.unusedBits !== 0) throw new MalformedDer('signature', 'whole octets', 'unused bits');
  const extensions = readExtensions(data.responseExtensions ?? [], [OCSP_NONCE]);
  const parameters: unknown = signatureAlgorithm.algorithmParams;
  return Object.freeze({
    tbs: Uint8Array.from(data.tbsView),
    signatureAlgorithm: Object.freeze({
      oid: signatureAlgorithm.algorithmId,
      parameters: hasBer(parameters) ? new Uint8Array(parameters.toBER()) : undefined,
    }),
    signature: Uint8Array.from(signature.valueBlock.valueHexView),
    responder: readResponder(data.responderID),
    producedAt: instant(data.producedAt, 'producedAt'),
    entries: Object.freeze(data.responses.map(readEntry)),
    nonce: extensions.values.get(OCSP_NONCE),
    certificates: Object.freeze((basic.certs ?? []).flatMap((each) => readCertificate(each.toSchema()))),
    unknownCritical: extensions.unknownCritical,
  });
}

/** Refuses what is not DER (definite lengths, no constructed strings), nested too deeply, or followed by more. */
function walk(reader: DerReader, field: string, depth: number): void {
  if (depth > MAX_DEPTH) throw new MalformedDer(field, `at most ${MAX_DEPTH} levels`, 'more');
  let first = true;
  while (!reader.done) {
    if (depth === 0 && !first) reader.finish(field);
    first = false;
    const tag = reader.any(field);
    const constructed = (tag & 0x20) !== 0;
    if (tag < 0x40 && constructed !== (tag === TAG.sequence || tag === TAG.set)) {
      throw new MalformedDer(field, 'primitive strings and constructed sequences', `tag 0x${tag.toString(16)}`);
    }
    if (constructed) walk(reader.inside(), field, depth + 1);
  }
  if (first && depth === 0) throw new MalformedDer(field, 'an element', 'no octets');
}

interface Encodable {
  toBER(): ArrayBuffer;
}

function hasBer(value: unknown): value is Encodable {
  return typeof value === 'object' && value !== null && 'toBER' in value && typeof value.toBER === 'function';
}

function octetsOf(value: unknown, field: string): Uint8Array {
  if (!hasBer(value)) throw new MalformedDer(field, 'an element', typeof value);
  return new Uint8Array(value.toBER());
}

/** ResponderID ::= CHOICE { byName [1] Name, byKey [2] KeyHash }; pkijs gives the Name or the OCTET STRING inside. */
function readResponder(responder: unknown): OcspResponse['responder'] {
  const field = 'responderID';
  if (!hasBer(responder)) {
    const name = typeof responder === 'object' && responder !== null ? Reflect.get(responder, 'valueBeforeDecode') : 0;
    if (!(name instanceof ArrayBuffer)) throw new MalformedDer(field, 'a name or the hash of a key', typeof responder);
    return Object.freeze({ name: parseName(new Uint8Array(name), field).keys.text });
  }
  const keyHash = new DerReader(octetsOf(responder, field)).next(TAG.octetString, field).content();
  return Object.freeze({ keyHash });
}

function readEntry({ certID, certStatus, thisUpdate, nextUpdate, singleExtensions }: SingleResponse): OcspEntry {
  const { unknownCritical } = readExtensions(singleExtensions ?? [], []);
  return Object.freeze({
    certId: Object.freeze({
      hashAlgorithm: certID.hashAlgorithm.algorithmId,
      issuerNameHash: Uint8Array.from(certID.issuerNameHash.valueBlock.valueHexView),
      issuerKeyHash: Uint8Array.from(certID.issuerKeyHash.valueBlock.valueHexView),
      serial: new DerReader(octetsOf(certID.serialNumber, 'serialNumber')).integer('serialNumber'),
    }),
    ...readStatus(octetsOf(certStatus, 'certStatus')),
    thisUpdate: instant(thisUpdate, 'thisUpdate'),
    nextUpdate: nextUpdate === undefined ? undefined : instant(nextUpdate, 'nextUpdate'),
    unknownCritical,
  });
}

/** CertStatus ::= CHOICE { good [0] NULL, revoked [1] RevokedInfo, unknown [2] NULL }, all IMPLICIT. */
function readStatus(der: Uint8Array): Pick<OcspEntry, 'status' | 'revokedAt' | 'reason'> {
  const field = 'certStatus';
  const reader = new DerReader(der);
  const tag = reader.any(field);
  reader.finish(field);
  const empty = reader.content().length === 0;
  if (tag === 0x80 && empty) return { status: 'good', revokedAt: undefined, reason: undefined };
  if (tag === 0x82 && empty) return { status: 'unknown', revokedAt: undefined, reason: undefined };
  // Anything else that could be read as a revocation is one: what follows only explains it.
  if (tag !== 0xa1) throw new MalformedDer(field, 'good, revoked or unknown', `tag 0x${tag.toString(16)}`);
  const content = reader.inside();
  const revokedAt = generalizedTime(content.next(TAG.generalizedTime, 'revocationTime').content());
  const reason = content.optional(0xa0, 'revocationReason')
    ? content.inside().count('revocationReason', TAG.enumerated)
    : undefined;
  return { status: 'revoked', revokedAt, reason };
}

function generalizedTime(octets: Uint8Array): number | undefined {
  const text = Buffer.from(octets).toString('latin1');
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  const time =
    match === null ? Number.NaN : Date.parse(text.replace(/^(.{4})(..)(..)(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  return Number.isFinite(time) ? time : undefined;
}

function instant(date: Date, field: string): number {
  const time = date.getTime();
  if (!Number.isFinite(time)) throw new MalformedDer(field, 'GeneralizedTime', 'another time');
  return time;
}

function readExtensions(
  extensions: readonly Extension[],
  known: readonly string[],
): { readonly values: ReadonlyMap<string, Uint8Array>; readonly unknownCritical: string | undefined } {
  const values = new Map<string, Uint8Array>();
  let unknownCritical: string | undefined;
  for (const { extnID, critical, extnValue } of extensions) {
    if (values.has(extnID)) throw new MalformedDer(extnID, 'one extension of a kind', 'two');
    values.set(extnID, Uint8Array.from(extnValue.valueBlock.valueHexView));
    if (critical && !known.includes(extnID)) unknownCritical ??= extnID;
  }
  return { values, unknownCritical };
}

function readCertificate(schema: Encodable): readonly CertificateFacts[] {
  try {
    return [parseCertificate(new Uint8Array(schema.toBER()))];
  } catch (cause) {
    if (cause instanceof MalformedCertificate) return [];
    throw cause;
  }
}
