/** `policy key new`, and the key that signs a push. */

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { keyId } from '../../policy/revision/index.js';
import { OWNERS_ALONE } from '../../state/store/index.js';
import { makeFiles, namedFile, Refusal } from '../terminal/index.js';

/** @throws {Refusal} one of the files is there; none was made */
export function makePolicyKey(file: string): { readonly key: string; readonly public: string; readonly id: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const outside = `${file}.pub`;
  makeFiles([
    { path: file, text: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), mode: 0o600 },
    { path: outside, text: publicKey.export({ type: 'spki', format: 'pem' }).toString(), mode: 0o644 },
  ]);
  return { key: file, public: outside, id: keyId(publicKey) };
}

/** @throws {Refusal} it cannot be read, others may read it, or it is no Ed25519 key */
export function readPolicyKey(file: string): KeyObject {
  const bytes = namedFile(file, OWNERS_ALONE);
  let key: KeyObject;
  try {
    key = createPrivateKey(bytes);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Refusal(`${file}: expected a private key in PEM, without a passphrase: ${why}`, 2, { cause });
  }
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new Refusal(`${file}: expected an Ed25519 key, found ${key.asymmetricKeyType ?? 'another one'}`, 2);
}
