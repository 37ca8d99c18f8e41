/** OCSP responses for tests: right ones by default, and wrong ones in exactly the way a test asks for. */

import { createHash, sign } from 'node:crypto';
import type { OcspAnswer } from '../../src/x509/revocation/ocsp.js';
import { nonceValue, OCSP_NONCE } from '../../src/x509/revocation/ocsp-request.js';
import { parseOcspResponse } from '../../src/x509/revocation/ocsp-response.js';
import { DAY, extension, type Issued, type KeyPair, NOW } from './certificates.js';
import { der, tlv } from './der.js';

const sha1 = (octets: Uint8Array): Uint8Array => new Uint8Array(createHash('sha1').update(octets).digest());

export interface SingleSpec {
  readonly certificate: Issued;
  readonly issuer: Issued;
  readonly status?: 'good' | 'unknown' | { readonly revoked: number; readonly reason?: number } | Uint8Array;
  readonly thisUpdate?: number;
  readonly nextUpdate?: number | 'absent';
  /** Instead of SHA-1. */
  readonly hash?: string;
  readonly nameHash?: Uint8Array;
  readonly keyHash?: Uint8Array;
  readonly serial?: Uint8Array;
  readonly extensions?: readonly Uint8Array[];
}

export interface ResponseSpec {
  readonly signer: Issued;
  /** Instead of the signer's key. */
  readonly key?: KeyPair;
  readonly byKey?: boolean;
  readonly certificates?: readonly Issued[];
  readonly nonce?: Uint8Array;
  readonly extensions?: readonly Uint8Array[];
  /** Instead of `successful`. */
  readonly status?: number;
  readonly type?: string;
  readonly changeSignature?: (signature: Uint8Array) => Uint8Array;
}

const HASHES: Readonly<Record<string, string>> = { sha1: '1.3.14.3.2.26', sha256: '2.16.840.1.101.3.4.2.1' };

function certStatus(status: SingleSpec['status'] = 'good'): Uint8Array {
  if (status instanceof Uint8Array) return status;
  if (status === 'good') return tlv(0x80);
  if (status === 'unknown') return tlv(0x82);
  const reason = status.reason === undefined ? [] : [tlv(0xa0, der.enumerated(status.reason))];
  return tlv(0xa1, der.generalizedTime(new Date(status.revoked)), ...reason);
}

function single(spec: SingleSpec): Uint8Array {
  const { certificate, issuer, hash = 'sha1', thisUpdate = NOW - 3_600_000, nextUpdate = NOW + 3_600_000 } = spec;
  const digest = (octets: Uint8Array) => new Uint8Array(createHash(hash).update(octets).digest());
  return der.seq(
    der.seq(
      der.seq(der.oid(HASHES[hash] ?? hash), der.null()),
      der.octets(spec.nameHash ?? digest(issuer.subject)),
      der.octets(spec.keyHash ?? digest(issuer.facts.publicKey.key)),
      der.intOf(spec.serial ?? certificate.serial),
    ),
    certStatus(spec.status),
    der.generalizedTime(new Date(thisUpdate)),
    ...(nextUpdate === 'absent' ? [] : [tlv(0xa0, der.generalizedTime(new Date(nextUpdate)))]),
    ...(spec.extensions === undefined ? [] : [tlv(0xa1, der.seq(...spec.extensions))]),
  );
}

/** DER of an OCSPResponse, signed with ECDSA or RSA and SHA-256. */
export function ocspDer(entries: readonly SingleSpec[], spec: ResponseSpec): Uint8Array {
  const { signer, key = signer.key, certificates = [], nonce } = spec;
  if (spec.status !== undefined && spec.status !== 0) return der.seq(der.enumerated(spec.status));
  const extensions = [
    ...(nonce === undefined ? [] : [extension(OCSP_NONCE, nonceValue(nonce))]),
    ...(spec.extensions ?? []),
  ];
  const responder = spec.byKey ? tlv(0xa2, der.octets(sha1(signer.facts.publicKey.key))) : tlv(0xa1, signer.subject);
  const tbs = der.seq(
    responder,
    der.generalizedTime(new Date(NOW - 60_000)),
    der.seq(...entries.map(single)),
    ...(extensions.length === 0 ? [] : [tlv(0xa1, der.seq(...extensions))]),
  );
  const rsa = key.privateKey.asymmetricKeyType === 'rsa';
  const algorithm = rsa
    ? der.seq(der.oid('1.2.840.113549.1.1.11'), der.null())
    : der.seq(der.oid('1.2.840.10045.4.3.2'));
  const signature = new Uint8Array(sign('sha256', tbs, key.privateKey));
  const basic = der.seq(
    tbs,
    algorithm,
    der.bits(spec.changeSignature?.(signature) ?? signature),
    ...(certificates.length === 0 ? [] : [tlv(0xa0, der.seq(...certificates.map((each) => each.der)))]),
  );
  const type = spec.type ?? '1.3.6.1.5.5.7.48.1.1';
  return der.seq(der.enumerated(0), tlv(0xa0, der.seq(der.oid(type), der.octets(basic))));
}

export function ocspAnswer(entries: readonly SingleSpec[], spec: ResponseSpec, nonceEchoed = false): OcspAnswer {
  return { response: parseOcspResponse(ocspDer(entries, spec)), nonceEchoed };
}

export { DAY, NOW };
