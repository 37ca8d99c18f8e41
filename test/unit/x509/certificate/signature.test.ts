import { describe, expect, it } from 'vitest';
import { weakAlgorithm, weakKey } from '../../../../src/x509/certificate/algorithms.js';
import { Budget } from '../../../../src/x509/certificate/budget.js';
import { signatureVerifies } from '../../../../src/x509/certificate/signature.js';
import {
  type CertificateSpec,
  type KeyKind,
  leaf,
  makeKey,
  root,
  type SignatureKind,
  sharedKey,
} from '../../../support/certificates.js';
import { der } from '../../../support/der.js';
import { expectPath, type PathRow } from '../../../support/paths.js';

const signed =
  (kind: KeyKind, signature: SignatureKind, spec: CertificateSpec = {}) =>
  () => {
    const key = sharedKey(kind);
    const r = root({ key, signature });
    return { leaf: leaf(r, { signature, ...spec }), anchors: [r] };
  };

const rows: readonly PathRow[] = [
  ['ok/RSA PKCS#1 with SHA-256', signed('rsa2048', 'sha256')],
  ['ok/RSA PKCS#1 with SHA-384', signed('rsa2048', 'sha384')],
  ['ok/RSA PKCS#1 with SHA-512', signed('rsa2048', 'sha512')],
  ['ok/RSA PSS with SHA-256', signed('rsa2048', 'pss-sha256')],
  ['ok/ECDSA P-256', signed('p256', 'sha256')],
  ['ok/ECDSA P-256 with SHA-384', signed('p256', 'sha384')],
  ['ok/ECDSA P-384', signed('p384', 'sha384')],
  ['ok/ECDSA P-521', signed('p521', 'sha512')],
  ['ok/Ed25519', signed('ed25519', 'sha256')],
  ['fail/RSA with SHA-1 (T-43)', 'weak-key', signed('rsa2048', 'sha1')],
  ['fail/ECDSA with SHA-1 (T-43)', 'weak-key', signed('p256', 'sha1')],
  ['fail/RSA PSS with SHA-1', 'weak-key', signed('rsa2048', 'pss-sha1')],
  ['fail/RSA 1024 of the issuer', 'weak-key', signed('rsa1024', 'sha256')],
  ['fail/DSA', 'weak-key', signed('dsa', 'sha256')],
  ['fail/Ed448', 'weak-key', signed('ed448', 'sha256')],
  [
    'fail/parameters beside ECDSA',
    'weak-key',
    (() => {
      const algorithm = der.seq(der.oid('1.2.840.10045.4.3.2'), der.null());
      return signed('p256', 'sha256', { innerAlgorithm: algorithm, outerAlgorithm: algorithm });
    })(),
  ],
  [
    'fail/the algorithm of another kind of key',
    'bad-signature',
    (() => {
      const algorithm = der.seq(der.oid('1.2.840.113549.1.1.11'), der.null());
      return signed('p256', 'sha256', { innerAlgorithm: algorithm, outerAlgorithm: algorithm });
    })(),
  ],
  [
    'ok/RSA with absent parameters, which mean the same as NULL',
    (() => {
      const algorithm = der.seq(der.oid('1.2.840.113549.1.1.11'));
      return signed('rsa2048', 'sha256', { innerAlgorithm: algorithm, outerAlgorithm: algorithm });
    })(),
  ],
];

describe('signatures of a path (rulebook G-30, G-31)', () => {
  it.each(rows.map((row) => [row[0], row] as const))('%s', (_, row) => {
    expectPath(row);
  });
});

const spkiOf = (algorithm: Uint8Array, key: Uint8Array) => der.seq(algorithm, der.bits(key));
const EC = '1.2.840.10045.2.1';
const RSA = '1.2.840.113549.1.1.1';
const rsa = (modulus: bigint, exponent: bigint) =>
  spkiOf(der.seq(der.oid(RSA), der.null()), der.seq(der.int(modulus), der.int(exponent)));
const modulus = (1n << 2047n) + 1n;

const keys: readonly (readonly [name: string, spki: Uint8Array])[] = [
  ['no key at all', spkiOf(der.seq(der.oid(RSA), der.null()), new Uint8Array(0))],
  [
    'an RSA key with trailing octets',
    spkiOf(der.seq(der.oid(RSA), der.null()), der.concat(der.seq(der.int(modulus), der.int(65537)), der.null())),
  ],
  ['an RSA key without parameters', spkiOf(der.seq(der.oid(RSA)), der.seq(der.int(modulus), der.int(65537)))],
  ['exponent 1', rsa(modulus, 1n)],
  ['an even exponent', rsa(modulus, 65536n)],
  ['a negative modulus', rsa(-modulus, 65537n)],
  ['a modulus of 16384 bits', rsa((1n << 16383n) + 1n, 65537n)],
  [
    'a curve by explicit parameters',
    spkiOf(der.seq(der.oid(EC), der.seq(der.int(1))), new Uint8Array(65).fill(4, 0, 1)),
  ],
  ['P-192', spkiOf(der.seq(der.oid(EC), der.oid('1.2.840.10045.3.1.1')), new Uint8Array(49).fill(4, 0, 1))],
  [
    'a point of the wrong length',
    spkiOf(der.seq(der.oid(EC), der.oid('1.2.840.10045.3.1.7')), new Uint8Array(64).fill(4, 0, 1)),
  ],
  [
    'a compressed point',
    spkiOf(der.seq(der.oid(EC), der.oid('1.2.840.10045.3.1.7')), new Uint8Array(33).fill(2, 0, 1)),
  ],
  ['an Ed25519 key of 31 octets', spkiOf(der.seq(der.oid('1.3.101.112')), new Uint8Array(31))],
  ['an unknown kind', spkiOf(der.seq(der.oid('1.2.3')), new Uint8Array(31))],
];

describe('keys', () => {
  const r = root();

  it.each(keys)('fail/%s', (_, spki) => {
    const { publicKey } = leaf(r, { spki }).facts;
    expect(weakKey(publicKey)).toBeTypeOf('string');
    expect(signatureVerifies(r.facts, publicKey, new Budget())).toBe(false);
  });

  it('fail/a point off its curve verifies nothing', () => {
    const spki = spkiOf(der.seq(der.oid(EC), der.oid('1.2.840.10045.3.1.7')), new Uint8Array(65).fill(4, 0, 1));
    expect(signatureVerifies(r.facts, leaf(r, { spki }).facts.publicKey, new Budget())).toBe(false);
  });

  it('fail/names what it refuses', () => {
    expect(weakAlgorithm({ oid: '1.2.840.113549.1.1.5', parameters: undefined })).toContain('sha1WithRSAEncryption');
  });

  it('ok/costs the same budget whether an outcome is remembered or not, and once in a verification', () => {
    const end = leaf(r).facts;
    const costs = (budget: Budget) => signatureVerifies(end, r.facts.publicKey, budget);
    for (const time of ['first', 'second']) {
      expect(() => costs(new Budget(100)), time).toThrow('more than 0.1 ms of work, most of it on signatures');
      const enough = new Budget(200);
      expect(costs(enough), time).toBe(true);
      expect(costs(enough), time).toBe(true);
    }
  });

  it.each(['p256', 'p384', 'p521', 'rsa2048', 'ed25519'] as const)(
    'ok/a key of kind %s, however it is imported',
    (kind) => {
      const own = root({ key: sharedKey(kind) });
      const end = leaf(own).facts;
      expect(signatureVerifies(end, own.facts.publicKey, new Budget())).toBe(true);
      expect(signatureVerifies(leaf(root({ key: makeKey(kind) })).facts, own.facts.publicKey, new Budget())).toBe(
        false,
      );
    },
  );
});
