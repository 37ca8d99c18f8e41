/**
 * Keys and signature algorithms: which of them count (TS 33.310 §6.1.1, rulebook G-30, G-31).
 *
 * Everything not in the tables is refused: SHA-1, MD5, SHA-224, DSA, RSA below 2048 bits, curves by explicit parameters.
 */

import { entryAt } from '../../typed.js';
import { DerReader, hexHead, MalformedDer, sameOctets, TAG } from '../der/index.js';
import type { AlgorithmFacts, PublicKeyFacts } from './facts.js';

export type Family = 'rsa' | 'ec' | 'ed25519';

interface Scheme {
  readonly family: Family;
  /** Name of the hash for node:crypto; undefined: the scheme hashes by itself. */
  readonly hash: string | undefined;
  /** What may stand in the parameters. */
  readonly parameters: 'null' | 'absent' | 'pss';
}

/** RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3. */
const SCHEMES: Readonly<Record<string, Scheme>> = {
  '1.2.840.113549.1.1.11': { family: 'rsa', hash: 'sha256', parameters: 'null' },
  '1.2.840.113549.1.1.12': { family: 'rsa', hash: 'sha384', parameters: 'null' },
  '1.2.840.113549.1.1.13': { family: 'rsa', hash: 'sha512', parameters: 'null' },
  '1.2.840.113549.1.1.10': { family: 'rsa', hash: undefined, parameters: 'pss' },
  '1.2.840.10045.4.3.2': { family: 'ec', hash: 'sha256', parameters: 'absent' },
  '1.2.840.10045.4.3.3': { family: 'ec', hash: 'sha384', parameters: 'absent' },
  '1.2.840.10045.4.3.4': { family: 'ec', hash: 'sha512', parameters: 'absent' },
  '1.3.101.112': { family: 'ed25519', hash: undefined, parameters: 'absent' },
};

/** Names of algorithms, digests and curves that are refused, so that the message can name them. */
const REFUSED: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.2': 'md2WithRSAEncryption',
  '1.2.840.113549.1.1.4': 'md5WithRSAEncryption',
  '1.2.840.113549.1.1.5': 'sha1WithRSAEncryption',
  '1.3.14.3.2.29': 'sha1WithRSASignature',
  '1.2.840.113549.1.1.14': 'sha224WithRSAEncryption',
  '1.3.14.3.2.26': 'SHA-1',
  '2.16.840.1.101.3.4.2.4': 'SHA-224',
  '1.2.840.10045.4.1': 'ecdsa-with-SHA1',
  '1.2.840.10045.4.3.1': 'ecdsa-with-SHA224',
  '1.2.840.10040.4.1': 'DSA',
  '1.2.840.10040.4.3': 'dsa-with-SHA1',
  '2.16.840.1.101.3.4.3.2': 'dsa-with-SHA256',
  '1.3.101.110': 'X25519',
  '1.3.101.113': 'Ed448',
  // FIPS 204, FIPS 205 (RFC 9881, RFC 9909).
  '2.16.840.1.101.3.4.3.17': 'ML-DSA-44',
  '2.16.840.1.101.3.4.3.18': 'ML-DSA-65',
  '2.16.840.1.101.3.4.3.19': 'ML-DSA-87',
  // FIPS 203 (RFC 9935): keys that sign nothing.
  ...numbered('2.16.840.1.101.3.4.4', 1, ['ML-KEM-512', 'ML-KEM-768', 'ML-KEM-1024']),
  ...numbered('2.16.840.1.101.3.4.3', 9, [
    ...['ecdsa-with-SHA3-224', 'ecdsa-with-SHA3-256', 'ecdsa-with-SHA3-384', 'ecdsa-with-SHA3-512'],
    ...['RSA with SHA3-224', 'RSA with SHA3-256', 'RSA with SHA3-384', 'RSA with SHA3-512'],
  ]),
  ...numbered(
    '2.16.840.1.101.3.4.3',
    20,
    ['SHA2', 'SHAKE'].flatMap((hash) =>
      ['128s', '128f', '192s', '192f', '256s', '256f'].map((set) => `SLH-DSA-${hash}-${set}`),
    ),
  ),
  // RFC 9215 and the standards of China: no TLS stack of a proxy has them.
  '1.2.643.2.2.19': 'GOST R 34.10-2001',
  '1.2.643.7.1.1.1.1': 'GOST R 34.10-2012',
  '1.2.643.7.1.1.1.2': 'GOST R 34.10-2012',
  '1.2.643.7.1.1.3.2': 'GOST R 34.10-2012',
  '1.2.643.7.1.1.3.3': 'GOST R 34.10-2012',
  '1.2.156.10197.1.301': 'SM2',
  '1.2.156.10197.1.501': 'SM2 with SM3',
  '1.3.132.0.10': 'secp256k1',
  '1.3.132.0.33': 'P-224',
  '1.2.840.10045.3.1.1': 'P-192',
  '1.3.36.3.3.2.8.1.1.7': 'brainpoolP256r1',
  '1.3.36.3.3.2.8.1.1.11': 'brainpoolP384r1',
  '1.3.36.3.3.2.8.1.1.13': 'brainpoolP512r1',
};

function numbered(arc: string, first: number, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name, at) => [`${arc}.${first + at}`, name]));
}

export const RSA = '1.2.840.113549.1.1.1';
export const RSA_PSS = '1.2.840.113549.1.1.10';
export const EC = '1.2.840.10045.2.1';
export const ED25519 = '1.3.101.112';

/** Least RSA modulus in bits (rulebook G-31), and the most that is verified (a 16 kbit key is an attack, not a key). */
export const RSA_BITS = { least: 2048, most: 8192 } as const;

/** Named curves by OID: the length of an uncompressed point. */
const CURVES: Readonly<Record<string, { readonly name: string; readonly point: number }>> = {
  '1.2.840.10045.3.1.7': { name: 'P-256', point: 65 },
  '1.3.132.0.34': { name: 'P-384', point: 97 },
  '1.3.132.0.35': { name: 'P-521', point: 133 },
};

/** Digests of RSASSA-PSS by OID, with their length in octets, which RFC 4055 §3.1 recommends for the salt. */
const PSS_DIGESTS: Readonly<Record<string, { readonly hash: string; readonly length: number }>> = {
  '2.16.840.1.101.3.4.2.1': { hash: 'sha256', length: 32 },
  '2.16.840.1.101.3.4.2.2': { hash: 'sha384', length: 48 },
  '2.16.840.1.101.3.4.2.3': { hash: 'sha512', length: 64 },
};
/** A salt is shorter than the modulus (RFC 8017 §9.1.1). */
const MOST_SALT = RSA_BITS.most / 8;
const MGF1 = '1.2.840.113549.1.1.8';
const SHA1 = '1.3.14.3.2.26';
const NULL_DER = Uint8Array.of(TAG.null, 0);

const algorithmName = (oid: string): string => REFUSED[oid] ?? oid;

/** Why a public key is not accepted; undefined: it is (rulebook G-31). */
export function weakKey(key: PublicKeyFacts): string | undefined {
  try {
    return judgeKey(key);
  } catch (cause) {
    if (cause instanceof MalformedDer) return `the public key cannot be read: ${cause.message}`;
    throw cause;
  }
}

function judgeKey({ algorithm, key }: PublicKeyFacts): string | undefined {
  const { oid, parameters } = algorithm;
  if (oid === RSA || oid === RSA_PSS) {
    if (oid === RSA && (parameters === undefined || !sameOctets(parameters, NULL_DER))) {
      return 'expected NULL parameters of an RSA key (RFC 3279 §2.3.1)';
    }
    const { bits, fault } = rsaSize(key);
    if (bits < RSA_BITS.least) return `expected an RSA key of ${RSA_BITS.least} bits or more, found ${bits}`;
    if (bits > RSA_BITS.most) return `expected an RSA key of ${RSA_BITS.most} bits or less, found ${bits}`;
    if (bits % 8 !== 0) return `expected an RSA key of whole octets, found ${bits} bits`;
    return fault;
  }
  if (oid === EC) {
    if (parameters?.[0] !== TAG.oid) {
      const found = parameters?.[0] === TAG.sequence ? 'one by its parameters' : 'none';
      return `expected an elliptic curve by name (RFC 5480 §2.1.1), found ${found}`;
    }
    const known = curveOf(parameters);
    if (known === undefined) {
      const found = algorithmName(new DerReader(parameters).oid('curve'));
      return `expected curve P-256, P-384 or P-521, found ${found}`;
    }
    // RFC 5480 §2.2: uncompressed must be supported, compressed may be; nobody issues those.
    if (key[0] === 0x04 && key.length === known.point) return undefined;
    const found = key[0] === 0x02 || key[0] === 0x03 ? 'a compressed one' : `${key.length} octets`;
    return `expected an uncompressed point of ${known.name} (${known.point} octets), found ${found}`;
  }
  if (oid === ED25519) {
    return parameters === undefined && key.length === 32 ? undefined : 'expected an Ed25519 key of 32 octets';
  }
  return `expected an RSA, ECDSA or Ed25519 key, found ${algorithmName(oid)}`;
}

interface RsaSize {
  readonly bits: number;
  /** Content octets of the INTEGERs. */
  readonly modulus: Uint8Array;
  readonly exponent: Uint8Array;
  readonly fault: string | undefined;
}

/** Size of an RSA modulus, and what is wrong with it or the exponent if anything (RFC 8017 §3.1). */
export function rsaSize(key: Uint8Array): RsaSize {
  const reader = new DerReader(key);
  const content = reader.sequence('RSAPublicKey');
  reader.finish('RSAPublicKey');
  const modulus = content.integer('modulus');
  const exponent = content.integer('publicExponent');
  content.finish('RSAPublicKey');
  const magnitude = modulus[0] === 0 ? modulus.subarray(1) : modulus;
  const bits = entryAt(modulus, 0) >= 0x80 ? 0 : 8 * magnitude.length - Math.clz32(magnitude[0] ?? 0) + 24;
  const isOdd = (octets: Uint8Array): boolean => (entryAt(octets, octets.length - 1) & 1) === 1;
  const size = { bits, modulus, exponent };
  if (!isOdd(modulus)) return { ...size, fault: 'expected an RSA modulus of odd primes, found an even one' };
  const least = exponent.length === 1 && entryAt(exponent, 0) < 3;
  const sound = isOdd(exponent) && !least && entryAt(exponent, 0) < 0x80 && exponent.length <= 9;
  return {
    ...size,
    fault: sound ? undefined : `expected an odd RSA exponent from 3 to 2^64, found 0x${hexHead(exponent)}`,
  };
}

/** Why a signature algorithm is not accepted; undefined: it is (rulebook G-30). */
export function weakAlgorithm(algorithm: AlgorithmFacts): string | undefined {
  const scheme = schemeOf(algorithm);
  return typeof scheme === 'string' ? scheme : undefined;
}

/** What is unusual in a signature algorithm that is accepted; undefined: nothing. */
export function unusualAlgorithm(algorithm: AlgorithmFacts): string | undefined {
  const scheme = schemeOf(algorithm);
  if (typeof scheme === 'string' || scheme.salt === undefined) return undefined;
  const { octets, recommended } = scheme.salt;
  return octets === recommended
    ? undefined
    : `expected a salt of ${recommended} octets in RSASSA-PSS, as long as the digest, found ${octets}`;
}

interface ReadyScheme {
  readonly family: Family;
  readonly hash: string | undefined;
  /** RSASSA-PSS alone: octets of the salt, and what is recommended. */
  readonly salt?: { readonly octets: number; readonly recommended: number };
}

/** How a signature of this algorithm is checked; else in words why it is not. */
export function schemeOf({ oid, parameters }: AlgorithmFacts): ReadyScheme | string {
  const scheme = SCHEMES[oid];
  if (scheme === undefined) {
    return `expected RSA or ECDSA with SHA-256, SHA-384 or SHA-512, or Ed25519, found ${algorithmName(oid)}`;
  }
  const { family, hash } = scheme;
  switch (scheme.parameters) {
    case 'absent':
      return parameters === undefined ? { family, hash } : `expected no parameters of ${oid}`;
    case 'null':
      // RFC 4055 §5 wants NULL; absent ones are met and mean the same.
      return parameters === undefined || sameOctets(parameters, NULL_DER)
        ? { family, hash }
        : `expected NULL parameters of ${oid}`;
    case 'pss':
      return pssScheme(parameters);
  }
}

/** RSASSA-PSS-params (RFC 4055 §3.1): one digest for message and mask, any salt (OpenSSL writes the longest), the standard trailer. */
function pssScheme(parameters: Uint8Array | undefined): ReadyScheme | string {
  // Every field has a DEFAULT, and all of them mean SHA-1.
  if (parameters === undefined) return 'expected RSASSA-PSS with SHA-256, SHA-384 or SHA-512, found SHA-1 by default';
  try {
    const content = new DerReader(parameters).sequence('RSASSA-PSS-params');
    const digest = content.optional(0xa0, 'hashAlgorithm') ? readDigest(content.inside()) : undefined;
    let mask: string | undefined;
    if (content.optional(0xa1, 'maskGenAlgorithm')) {
      const field = content.inside();
      const generator = field.sequence('maskGenAlgorithm');
      field.finish('maskGenAlgorithm');
      if (generator.oid('maskGenAlgorithm') === MGF1) mask = readDigest(generator);
    }
    const salt = content.optional(0xa2, 'saltLength') ? readCount(content.inside(), 'saltLength') : 20;
    // The one trailer there is. Not to be written, and to be recognised where it is (RFC 4055 §3.1).
    const trailer = content.optional(0xa3, 'trailerField') ? readCount(content.inside(), 'trailerField') : 1;
    content.finish('RSASSA-PSS-params');
    const known = PSS_DIGESTS[digest ?? ''];
    if (known === undefined || mask !== digest) {
      // Both default to SHA-1 (RFC 4055 §3.1).
      const named = (hash: string | undefined): string => PSS_DIGESTS[hash ?? '']?.hash ?? algorithmName(hash ?? SHA1);
      const found = `${named(digest)} for the message, ${named(mask)} for the mask`;
      return `expected RSASSA-PSS with SHA-256, SHA-384 or SHA-512 for both message and mask, found ${found}`;
    }
    if (trailer !== 1) return `expected RSASSA-PSS with trailerField 1, found ${trailer}`;
    if (salt > MOST_SALT) return `expected RSASSA-PSS with a salt of at most ${MOST_SALT} octets, found ${salt}`;
    return { family: 'rsa', hash: known.hash, salt: { octets: salt, recommended: known.length } };
  } catch (cause) {
    if (cause instanceof MalformedDer) return `the RSASSA-PSS parameters cannot be read: ${cause.message}`;
    throw cause;
  }
}

function readCount(reader: DerReader, field: string): number {
  const count = reader.count(field);
  reader.finish(field);
  return count;
}

function readDigest(reader: DerReader): string {
  const content = reader.sequence('hashAlgorithm');
  const oid = content.oid('hashAlgorithm');
  if (!content.done) content.next(TAG.null, 'hashAlgorithm');
  content.finish('hashAlgorithm');
  reader.finish('hashAlgorithm');
  return oid;
}

/** The named curve of an EC key (RFC 5480 §2.1.1.1); undefined: another one, or none. */
export function curveOf(parameters: Uint8Array | undefined): (typeof CURVES)[string] | undefined {
  return parameters?.[0] === TAG.oid ? CURVES[new DerReader(parameters).oid('curve')] : undefined;
}
