/**
 * Requests for certificates (PKCS#10, RFC 2986) of TLS entities: what TS 33.310 §6.1.3a asks of the certificate, so that
 * a CA that copies the extensions issues one that `cert lint` has nothing to say against.
 */

import type { webcrypto } from 'node:crypto';
import 'reflect-metadata';
import {
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
} from '@peculiar/x509';
import { PURPOSE } from '../rules/index.js';

/** Keys within the profile (TS 33.310 §6.1.1), with the hash that goes with each. */
export const KEY_ALGORITHMS = {
  p256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  p384: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  rsa2048: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, hash: 'SHA-256' },
  rsa3072: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 3072, hash: 'SHA-256' },
  rsa4096: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 4096, hash: 'SHA-256' },
} as const;

export type KeyAlgorithmName = keyof typeof KEY_ALGORITHMS;

/** The name of the holder, as TS 33.310 §6.1.1 shapes it: O and CN, and C where it is given. */
export interface RequestSubject {
  /** Two letters of ISO 3166. */
  readonly country?: string;
  readonly organization: string;
  readonly commonName: string;
}

export interface RequestTerms {
  readonly subject: RequestSubject;
  /** SIP domain identities: lower-case A-labels, checked. */
  readonly domains: readonly string[];
  /** Whether each domain stands as a sip: URI too (RFC 5922 §7.1). */
  readonly uris: boolean;
  /** Whether the key is for SIP domains too (RFC 5924 §4). */
  readonly sipDomain: boolean;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly algorithm: KeyAlgorithmName;
}

/** A PKCS#10 request in PEM, signed by the key that it is for. */
export async function certificateRequest(terms: RequestTerms): Promise<string> {
  const { subject, domains, uris, sipDomain, keys, algorithm } = terms;
  const names = domains.map((value) => ({ type: 'dns', value }) as const);
  // RFC 5922 §7.1: beside a sip: URI no dNSName counts, so that each domain needs one or none does.
  const uriNames = uris ? domains.map((domain) => ({ type: 'url', value: `sip:${domain}` }) as const) : [];
  const purposes = [PURPOSE.serverAuth, PURPOSE.clientAuth, ...(sipDomain ? [PURPOSE.sipDomain] : [])];
  const { name, hash } = KEY_ALGORITHMS[algorithm];
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [
      ...(subject.country === undefined ? [] : [{ C: [subject.country] }]),
      { O: [subject.organization] },
      { CN: [subject.commonName] },
    ],
    keys,
    signingAlgorithm: { name, hash },
    extensions: [
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(purposes, false),
      new SubjectAlternativeNameExtension([...names, ...uriNames], false),
    ],
  });
  return `${request.toString('pem')}\n`;
}
