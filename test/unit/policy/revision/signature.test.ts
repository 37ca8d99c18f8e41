import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Revision } from '../../../../src/policy/revision/revision.js';
import { policyKey, signatureFault, signed } from '../../../../src/policy/revision/signature.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');
const pem = (key: typeof publicKey) => key.export({ type: 'spki', format: 'pem' }).toString();
const KEYS = [policyKey(pem(other.publicKey)), policyKey(pem(publicKey))];

const UNSIGNED = {
  ...{ number: 7, base: 6, main: 'policy.yaml', tree: 'a'.repeat(64), names: 'b'.repeat(64), withdrawn: ['op-b'] },
  ...{ author: 'noc', comment: 'why' },
};
const SIGNED = signed('borders', UNSIGNED, privateKey, Date.UTC(2026, 10, 28));

describe('the signature of a revision', () => {
  test('ok/by a key that the node has', () => {
    expect(signatureFault('borders', SIGNED, KEYS)).toBeUndefined();
    expect(signatureFault('borders', JSON.parse(JSON.stringify(SIGNED)) as Revision, KEYS)).toBeUndefined();
  });
  test('ok/nobody asks for one', () => {
    expect(signatureFault('borders', UNSIGNED, [])).toBeUndefined();
  });
  const signature = SIGNED.signature as NonNullable<Revision['signature']>;
  test.each<[string, Revision, string?]>([
    ['none', UNSIGNED],
    ['of another fleet', SIGNED, 'laboratory'],
    ['of another number', { ...SIGNED, number: 8 }],
    ['of another base', { ...SIGNED, base: 5 }],
    ['of other files', { ...SIGNED, tree: 'c'.repeat(64) }],
    ['of another main file', { ...SIGNED, main: 'other.yaml' }],
    ['of other names', { ...SIGNED, names: 'c'.repeat(64) }],
    ['of fewer withdrawals', { ...SIGNED, withdrawn: [] }],
    ['of another author', { ...SIGNED, author: 'nobody' }],
    ['of another comment', { ...SIGNED, comment: '' }],
    ['at another time', { ...SIGNED, signature: { ...signature, at: '2027-01-01T00:00:00.000Z' } }],
    ['under the name of another key', { ...SIGNED, signature: { ...signature, key: KEYS[0]?.id ?? '' } }],
    ['by a stranger', signed('borders', UNSIGNED, generateKeyPairSync('ed25519').privateKey, 0)],
    ['that is empty', { ...SIGNED, signature: { ...signature, value: '' } }],
  ])('fail/%s', (_, revision, fleet = 'borders') => {
    expect(signatureFault(fleet, revision, KEYS)).toMatch(
      /^expected a signature by one of the 2 keys of daemon.policy_keys/,
    );
  });
});

describe('a key of a policy', () => {
  test.each([
    ['a private one', () => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'found a private one'],
    [
      'of another kind',
      () => pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey),
      'expected an Ed25519 key, found ec',
    ],
    ['no key', () => 'hello', 'unsupported'],
  ])('fail/%s', (_, text, why) => {
    expect(() => policyKey(text())).toThrow(why);
  });
});
