/** Signatures: whether one verifies, what that costs, and what is remembered of it. */

import {
  constants,
  createPublicKey,
  createVerify,
  type JsonWebKey,
  type KeyObject,
  type VerifyKeyObjectInput,
  verify,
} from 'node:crypto';
import { curveOf, EC, ED25519, type Family, RSA, RSA_PSS, rsaSize, schemeOf, weakKey } from './algorithms.js';
import type { Budget } from './budget.js';
import type { AlgorithmFacts, PublicKeyFacts } from './facts.js';

/** Anything that bears a signature: a certificate, a CRL, an OCSP response. Its identity keys the memory below. */
export interface Signed {
  /** The octets that the signature covers. */
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: AlgorithmFacts;
  readonly signature: Uint8Array;
}

const KEY_FAMILIES: Readonly<Record<string, Family>> = {
  [RSA]: 'rsa',
  [RSA_PSS]: 'rsa',
  [EC]: 'ec',
  [ED25519]: 'ed25519',
};

/** Imported keys, and outcomes of verifications: both follow from the facts alone, so remembering them changes nothing. */
const keys = new WeakMap<PublicKeyFacts, KeyObject | null>();
const outcomes = new WeakMap<Signed, Map<string, boolean>>();

/**
 * Whether the signature verifies with the key (RFC 5280 §6.1.3 (a)(1)). An algorithm that is not accepted verifies
 * nothing; `weakAlgorithm` says why.
 */
export function signatureVerifies(signed: Signed, key: PublicKeyFacts, budget: Budget): boolean {
  // Before the memory: whether somebody asked before must not decide whether there is an answer.
  budget.spendOnce('signatures', signed, key.id, () => {
    budget.spendOnce('signatures', KEYS, key.id, () => importCost(key));
    return verificationCost(signed, key);
  });
  const remembered = outcomes.get(signed)?.get(key.id);
  return remembered ?? remember(signed, key, verifyOnce(signed, key));
}

/** Stands for all keys in a budget: each is imported once. */
const KEYS = {};

/** Microseconds of one verification, and of importing the key, by curve (OpenSSL 3.0, one core of a small machine). */
const CURVE_COSTS: Readonly<Record<string, { readonly verify: number; readonly import: number }>> = {
  'P-256': { verify: 65, import: 60 },
  'P-384': { verify: 1_000, import: 130 },
  'P-521': { verify: 3_000, import: 110 },
};
const ED25519_COST = { verify: 80, import: 10 } as const;
/** RSA of 2048 bits with exponent 65537: squarings grow with the square of the size, and with the length of the exponent. */
const RSA_COST = { verify: 25, import: 10, bits: 2048, exponentBits: 17 } as const;
const OCTETS_HASHED = 1_000;
/** A long list is hashed in steps when it is fetched (signatureVerifiesInSteps), so that a verdict finds the outcome. */
const MOST_HASHING = 1_000;

function verificationCost({ tbs }: Signed, key: PublicKeyFacts): number {
  return 2 + keyCost(key).verify + Math.min(MOST_HASHING, tbs.length / OCTETS_HASHED);
}

const importCost = (key: PublicKeyFacts): number => keyCost(key).import;

function keyCost(key: PublicKeyFacts): { readonly verify: number; readonly import: number } {
  if (weakKey(key) !== undefined) return { verify: 0, import: 0 };
  const { oid, parameters } = key.algorithm;
  if (oid === EC) return CURVE_COSTS[curveOf(parameters)?.name ?? ''] ?? { verify: 0, import: 0 };
  if (oid === ED25519) return ED25519_COST;
  const { bits, exponent } = rsaSize(key.key);
  const exponentBits = Math.max(RSA_COST.exponentBits, 8 * exponent.length);
  const size = (bits / RSA_COST.bits) ** 2 * (exponentBits / RSA_COST.exponentBits);
  return { verify: RSA_COST.verify * size, import: oid === RSA ? RSA_COST.import : 120 };
}

/** Octets hashed before `signatureVerifiesInSteps` lets others work: a few milliseconds. */
const STEP_OCTETS = 2 ** 20;

/** The same for something large, a CRL of megabytes; yields now and then. What it comes to is remembered as above. */
export function* signatureVerifiesInSteps(signed: Signed, key: PublicKeyFacts): Generator<undefined, boolean> {
  const remembered = outcomes.get(signed)?.get(key.id);
  if (remembered !== undefined) return remembered;
  const ready = prepare(signed, key);
  // Ed25519 hashes all of it twice, in one call.
  if (ready?.hash === undefined) return remember(signed, key, verifyOnce(signed, key));
  const verifier = createVerify(ready.hash);
  for (let at = 0; at < signed.tbs.length; at += STEP_OCTETS) {
    verifier.update(signed.tbs.subarray(at, at + STEP_OCTETS));
    yield;
  }
  let outcome = false;
  try {
    outcome = verifier.verify(ready.key, signed.signature);
  } catch {
    // As in verifyOnce.
  }
  return remember(signed, key, outcome);
}

function remember(signed: Signed, key: PublicKeyFacts, outcome: boolean): boolean {
  const known = outcomes.get(signed) ?? new Map<string, boolean>();
  outcomes.set(signed, known.set(key.id, outcome));
  return outcome;
}

/** Hash and key for node:crypto; undefined: this key verifies no such signature. */
function prepare(
  { signatureAlgorithm }: Signed,
  key: PublicKeyFacts,
): { readonly hash: string | undefined; readonly key: VerifyKeyObjectInput } | undefined {
  const scheme = schemeOf(signatureAlgorithm);
  if (typeof scheme === 'string' || KEY_FAMILIES[key.algorithm.oid] !== scheme.family) return undefined;
  // A key for PSS only signs PSS (RFC 4055 §1.2).
  if (key.algorithm.oid === RSA_PSS && scheme.salt === undefined) return undefined;
  const object = importKey(key);
  if (object === null) return undefined;
  const { RSA_PKCS1_PSS_PADDING, RSA_PKCS1_PADDING } = constants;
  if (scheme.family !== 'rsa') return { hash: scheme.hash, key: { key: object } };
  const padding =
    scheme.salt === undefined
      ? { padding: RSA_PKCS1_PADDING }
      : { padding: RSA_PKCS1_PSS_PADDING, saltLength: scheme.salt.octets };
  return { hash: scheme.hash, key: { key: object, ...padding } };
}

function verifyOnce(signed: Signed, key: PublicKeyFacts): boolean {
  const ready = prepare(signed, key);
  if (ready === undefined) return false;
  try {
    return verify(ready.hash, signed.tbs, ready.key, signed.signature);
  } catch {
    // OpenSSL throws where key and padding do not go together: that is a signature which does not verify.
    return false;
  }
}

/** Why a key of an accepted kind still is none: its point is not on the curve. A leaf's key verifies nothing here. */
export function brokenKey(key: PublicKeyFacts): string | undefined {
  const broken = weakKey(key) === undefined && importKey(key) === null;
  return broken ? 'expected a public key of its algorithm, found one that OpenSSL does not import' : undefined;
}

/** The kinds that Node imports several times faster as a JSON Web Key (RFC 7518 §6) than as DER. */
function webKey({ algorithm, key }: PublicKeyFacts): JsonWebKey | undefined {
  const text = (octets: Uint8Array): string => Buffer.from(octets).toString('base64url');
  if (algorithm.oid === RSA) {
    const { modulus, exponent } = rsaSize(key);
    const unsigned = (octets: Uint8Array): Uint8Array => (octets[0] === 0 ? octets.subarray(1) : octets);
    return { kty: 'RSA', n: text(unsigned(modulus)), e: text(unsigned(exponent)) };
  }
  if (algorithm.oid === EC && curveOf(algorithm.parameters)?.name === 'P-256') {
    return { kty: 'EC', crv: 'P-256', x: text(key.subarray(1, 33)), y: text(key.subarray(33)) };
  }
  return algorithm.oid === ED25519 ? { kty: 'OKP', crv: 'Ed25519', x: text(key) } : undefined;
}

function importKey(key: PublicKeyFacts): KeyObject | null {
  const known = keys.get(key);
  if (known !== undefined) return known;
  let object: KeyObject | null = null;
  // Only keys of the accepted kinds reach OpenSSL.
  if (weakKey(key) === undefined) {
    try {
      const jwk = webKey(key);
      object =
        jwk === undefined
          ? createPublicKey({ key: Buffer.from(key.der), format: 'der', type: 'spki' })
          : createPublicKey({ key: jwk, format: 'jwk' });
    } catch {
      object = null;
    }
  }
  keys.set(key, object);
  return object;
}
