/**
 * Signatures of revisions (Ed25519, RFC 8032). What is signed names the fleet, the number and the base beside the content:
 * whoever owns the database can show nodes neither a policy of his own, nor an old one as new, nor that of another fleet.
 */

import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { contentHash, type Revision, type RevisionSignature } from './revision.js';

/** A key by which nodes take revisions. */
export interface PolicyKey {
  /** Hex SHA-256 of the SubjectPublicKeyInfo. */
  readonly id: string;
  /** PEM: settings cross threads, and key objects do not. */
  readonly pem: string;
}

/**
 * @param pem a public key
 * @throws {Error} it is none, or of another kind
 */
export function policyKey(pem: string): PolicyKey {
  // A private key would give a public one, and has no place on a node.
  if (/PRIVATE KEY-----/.test(pem)) throw new Error('expected a public key, found a private one');
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new Error(`expected an Ed25519 key, found ${key.asymmetricKeyType ?? 'another one'}`);
  }
  return { id: keyId(key), pem: key.export({ type: 'spki', format: 'pem' }).toString() };
}

/** @param key public, or the private one whose public one is meant */
export function keyId(key: KeyObject): string {
  const outside = key.type === 'public' ? key : createPublicKey(key);
  return createHash('sha256')
    .update(outside.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** What is signed. Every line is JSON, so that no text can make another line. */
function statement(
  fleet: string,
  revision: Omit<Revision, 'signature'>,
  { key, at }: Omit<RevisionSignature, 'value'>,
) {
  const { number, base, author, comment } = revision;
  const said = { fleet, number, base, content: contentHash(revision), author, comment, key, at };
  const lines = Object.entries(said).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return Buffer.from(['siptrust policy revision 1', ...lines, ''].join('\n'));
}

/** @param at when, in milliseconds */
export function signed(fleet: string, revision: Omit<Revision, 'signature'>, key: KeyObject, at: number): Revision {
  const signature = { key: keyId(key), at: new Date(at).toISOString() };
  const value = sign(null, statement(fleet, revision, signature), key).toString('base64');
  return { ...revision, signature: { ...signature, value } };
}

/** Why a node that knows these keys does not take the revision; undefined: it does. */
export function signatureFault(fleet: string, revision: Revision, keys: readonly PolicyKey[]): string | undefined {
  if (keys.length === 0) return undefined;
  const { signature } = revision;
  const expected = `expected a signature by ${keys.length === 1 ? 'the key' : `one of the ${keys.length} keys`} of daemon.policy_keys`;
  if (signature === undefined) return `${expected}, found none`;
  const key = keys.find(({ id }) => id === signature.key);
  if (key === undefined) return `${expected}, found one by ${signature.key.slice(0, 16)}`;
  const value = Buffer.from(signature.value, 'base64');
  if (verify(null, statement(fleet, revision, signature), key.pem, value)) return undefined;
  return `${expected}, found one by ${signature.key.slice(0, 16)} that does not match this fleet, number and content`;
}
