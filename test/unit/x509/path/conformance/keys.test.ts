/** Keys and signatures that other suites use to tell validators apart (x509-limbo, Wycheproof, OpenSSL's own). */

import { type createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { type CertificateSpec, ca, type KeyPair, leaf, root, sharedKey } from '../../../../support/certificates.js';
import { der, tlv } from '../../../../support/der.js';
import { describeRecords, type RecordCase, type RecordRow } from '../../../../support/records.js';

/** root -> ca -> leaf, changed at one place. */
const chain = (place: 'root' | 'ca' | 'leaf', spec: CertificateSpec): RecordCase => {
  const r = root(place === 'root' ? spec : {});
  const a = ca(r, place === 'ca' ? spec : {});
  return { leaf: leaf(a, place === 'leaf' ? spec : {}), via: [a], anchors: [r] };
};

const RSA = der.seq(der.oid('1.2.840.113549.1.1.1'), der.null());
const rsaKey = (modulus: Uint8Array, exponent: Uint8Array): Uint8Array =>
  der.seq(RSA, der.bits(der.seq(tlv(0x02, modulus), tlv(0x02, exponent))));
const modulus = (() => {
  const { n } = createPublicKey({ key: Buffer.from(sharedKey('rsa2048').spki), format: 'der', type: 'spki' }).export({
    format: 'jwk',
  });
  return new Uint8Array([0, ...Buffer.from(n ?? '', 'base64url')]);
})();
const even = Uint8Array.from(modulus, (octet, i) => (i === modulus.length - 1 ? octet & 0xfe : octet));
const EXPONENT = Uint8Array.of(1, 0, 1);

const EC = '1.2.840.10045.2.1';
const P256 = der.oid('1.2.840.10045.3.1.7');
const point = (() => sharedKey('p256', 'point').spki.slice(-65))();
const ecKey = (bits: Uint8Array, parameters: Uint8Array = P256): Uint8Array =>
  der.seq(der.seq(der.oid(EC), parameters), der.bits(bits));
const compressed = Uint8Array.of(2 + ((point[64] as number) & 1), ...point.subarray(1, 33));
const hybrid = Uint8Array.of(6 + ((point[64] as number) & 1), ...point.subarray(1));
const offCurve = Uint8Array.from(point, (octet, i) => (i === 64 ? octet ^ 1 : octet));

/** An EC key whose SubjectPublicKeyInfo gives the curve by its parameters. */
const explicitKey = (): KeyPair => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' });
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
  return { privateKey, spki, identifier: sharedKey('p256', 'explicit').identifier };
};

/** ECDSA-Sig-Value of a signature, written again with changes. */
function ecdsaValues(signature: Uint8Array): readonly [r: Uint8Array, s: Uint8Array] {
  const rLength = signature[3] as number;
  return [signature.slice(4, 4 + rLength), signature.slice(6 + rLength)];
}
const rewritten =
  (write: (r: Uint8Array, s: Uint8Array) => Uint8Array) =>
  (signature: Uint8Array): Uint8Array =>
    write(...ecdsaValues(signature));

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const numberOf = (octets: Uint8Array): bigint => BigInt(`0x${Buffer.from(octets).toString('hex')}`);

const keys: readonly RecordRow[] = [
  [
    'fail/an RSA exponent of 1 (RFC 8017 §3.1)',
    'weak-key',
    () => chain('leaf', { spki: rsaKey(modulus, Uint8Array.of(1)) }),
  ],
  [
    'fail/an even RSA exponent (RFC 8017 §3.1)',
    'weak-key',
    () => chain('leaf', { spki: rsaKey(modulus, Uint8Array.of(4)) }),
  ],
  ['fail/a negative RSA exponent', 'weak-key', () => chain('leaf', { spki: rsaKey(modulus, Uint8Array.of(0x81)) })],
  [
    'fail/an RSA exponent of 128 octets',
    'weak-key',
    () => chain('leaf', { spki: rsaKey(modulus, new Uint8Array(128).fill(0x11)) }),
  ],
  ['fail/an even RSA modulus', 'weak-key', () => chain('leaf', { spki: rsaKey(even, EXPONENT) })],
  ['fail/a negative RSA modulus', 'weak-key', () => chain('leaf', { spki: rsaKey(modulus.subarray(1), EXPONENT) })],
  [
    'fail/an RSA modulus with two leading zeros (X.690 §8.3.2)',
    'weak-key',
    () => chain('leaf', { spki: rsaKey(Uint8Array.of(0, ...modulus), EXPONENT) }),
  ],
  [
    'fail/octets after an RSA key',
    'weak-key',
    () =>
      chain('leaf', {
        spki: der.seq(RSA, der.bits(der.concat(der.seq(tlv(2, modulus), tlv(2, EXPONENT)), der.null()))),
      }),
  ],
  [
    'fail/an RSA key of 16384 bits (CVE-2023-3446 and kin)',
    'weak-key',
    () => chain('leaf', { spki: rsaKey(Uint8Array.of(0, ...new Uint8Array(2048).fill(0xff)), EXPONENT) }),
  ],
  [
    'fail/an RSA key without parameters (RFC 3279 §2.3.1)',
    'weak-key',
    () =>
      chain('leaf', {
        spki: der.seq(der.seq(der.oid('1.2.840.113549.1.1.1')), der.bits(der.seq(tlv(2, modulus), tlv(2, EXPONENT)))),
      }),
  ],
  ['ok/an RSA exponent of 3', () => chain('leaf', { spki: rsaKey(modulus, Uint8Array.of(3)) })],
  [
    'fail/explicit curve parameters of the leaf (RFC 5480 §2.1.1, CVE-2020-0601)',
    'weak-key',
    () => chain('leaf', { key: explicitKey() }),
  ],
  [
    'fail/explicit curve parameters of a CA (RFC 5480 §2.1.1, CVE-2020-0601)',
    'weak-key',
    () => chain('ca', { key: explicitKey() }),
  ],
  [
    'fail/explicit curve parameters of the anchor (RFC 5480 §2.1.1)',
    'weak-key',
    () => chain('root', { key: explicitKey() }),
  ],
  ['fail/an implicit curve (RFC 5480 §2.1.1)', 'weak-key', () => chain('leaf', { spki: ecKey(point, der.null()) })],
  [
    'fail/P-192',
    'weak-key',
    () => chain('leaf', { spki: ecKey(new Uint8Array(49).fill(4), der.oid('1.2.840.10045.3.1.1')) }),
  ],
  ['fail/P-224', 'weak-key', () => chain('leaf', { spki: ecKey(new Uint8Array(57).fill(4), der.oid('1.3.132.0.33')) })],
  ['fail/brainpoolP256r1', 'weak-key', () => chain('leaf', { spki: ecKey(point, der.oid('1.3.36.3.3.2.8.1.1.7')) })],
  ['fail/a point that is not on the curve of the leaf', 'weak-key', () => chain('leaf', { spki: ecKey(offCurve) })],
  ['fail/the point at infinity', 'weak-key', () => chain('leaf', { spki: ecKey(Uint8Array.of(0)) })],
  [
    'fail/a compressed point (RFC 5480 §2.2 leaves it open)',
    'weak-key',
    () => chain('leaf', { spki: ecKey(compressed) }),
  ],
  ['fail/a hybrid point (RFC 5480 §2.2)', 'weak-key', () => chain('leaf', { spki: ecKey(hybrid) })],
  [
    'fail/a point of another curve',
    'weak-key',
    () => chain('leaf', { spki: ecKey(sharedKey('p384').spki.slice(-97)) }),
  ],
  [
    'fail/an Ed25519 key with parameters (RFC 8410 §3)',
    'weak-key',
    () =>
      chain('leaf', {
        spki: der.seq(der.seq(der.oid('1.3.101.112'), der.null()), der.bits(sharedKey('ed25519').spki.slice(-32))),
      }),
  ],
  [
    'fail/an X25519 key (RFC 8410)',
    'weak-key',
    () => chain('leaf', { spki: der.seq(der.seq(der.oid('1.3.101.110')), der.bits(new Uint8Array(32).fill(9))) }),
  ],
  [
    'fail/a key of an unknown algorithm',
    'weak-key',
    () => chain('leaf', { spki: der.seq(der.seq(der.oid('1.2.3.4')), der.bits(new Uint8Array(32))) }),
  ],
];

const signatures: readonly RecordRow[] = [
  [
    'ok/an ECDSA signature with the other s (any s counts, SEC 1 §4.1.4)',
    () => chain('leaf', { changeSignature: rewritten((r, s) => der.seq(der.intOf(r), der.int(ORDER - numberOf(s)))) }),
  ],
  [
    'fail/an ECDSA signature with a padded r (X.690 §8.3.2)',
    'bad-signature',
    () => chain('leaf', { changeSignature: rewritten((r, s) => der.seq(tlv(2, 0, 0, r), der.intOf(s))) }),
  ],
  [
    'fail/an ECDSA signature of an indefinite length',
    'bad-signature',
    () =>
      chain('leaf', {
        changeSignature: rewritten((r, s) =>
          der.concat(Uint8Array.of(0x30, 0x80), der.intOf(r), der.intOf(s), Uint8Array.of(0, 0)),
        ),
      }),
  ],
  [
    'fail/an ECDSA signature with a long-form length',
    'bad-signature',
    () => chain('leaf', { changeSignature: (old) => Uint8Array.of(0x30, 0x81, ...old.subarray(1)) }),
  ],
  [
    'fail/octets after an ECDSA signature',
    'bad-signature',
    () => chain('leaf', { changeSignature: (old) => der.concat(old, Uint8Array.of(0)) }),
  ],
  [
    'fail/octets inside an ECDSA signature',
    'bad-signature',
    () => chain('leaf', { changeSignature: rewritten((r, s) => der.seq(der.intOf(r), der.intOf(s), der.null())) }),
  ],
  [
    'fail/an ECDSA signature with r and s 0 (CVE-2022-21449)',
    'bad-signature',
    () => chain('leaf', { changeSignature: () => der.seq(der.int(0), der.int(0)) }),
  ],
  [
    'fail/an ECDSA signature with r + n',
    'bad-signature',
    () => chain('leaf', { changeSignature: rewritten((r, s) => der.seq(der.int(numberOf(r) + ORDER), der.intOf(s))) }),
  ],
  [
    'fail/an ECDSA signature of negative numbers',
    'bad-signature',
    () => chain('leaf', { changeSignature: rewritten((r, s) => der.seq(der.int(-numberOf(r)), der.intOf(s))) }),
  ],
  [
    'fail/an ECDSA signature as r and s without DER (IEEE P1363)',
    'bad-signature',
    () => chain('leaf', { changeSignature: rewritten((r, s) => der.concat(r, s)) }),
  ],
  ['fail/an empty signature', 'bad-signature', () => chain('leaf', { changeSignature: () => new Uint8Array(0) })],
  [
    'fail/an RSA signature one octet short',
    'bad-signature',
    () =>
      ((r) => ({ leaf: leaf(r, { changeSignature: (old) => old.subarray(1) }), anchors: [r] }))(
        root({ key: sharedKey('rsa2048') }),
      ),
  ],
  [
    'fail/an RSA signature with a leading zero octet',
    'bad-signature',
    () =>
      ((r) => ({ leaf: leaf(r, { changeSignature: (old) => Uint8Array.of(0, ...old) }), anchors: [r] }))(
        root({ key: sharedKey('rsa2048') }),
      ),
  ],
  [
    'fail/PSS in the place of PKCS#1',
    'bad-signature',
    () => rsaSigned(PKCS1, (tbs, key) => sign('sha256', tbs, { key, padding: 6, saltLength: 32 })),
  ],
  [
    'fail/PKCS#1 in the place of PSS',
    'bad-signature',
    () => rsaSigned(pss({}), (tbs, key) => sign('sha256', tbs, key)),
  ],
  [
    'fail/an algorithm of a larger hash than was used',
    'bad-signature',
    () => rsaSigned(der.seq(der.oid('1.2.840.113549.1.1.13'), der.null()), (tbs, key) => sign('sha256', tbs, key)),
  ],
  [
    'fail/parameters of an RSA algorithm that are no NULL (RFC 4055 §5)',
    'weak-key',
    () => rsaSigned(der.seq(der.oid('1.2.840.113549.1.1.11'), der.seq()), (tbs, key) => sign('sha256', tbs, key)),
  ],
  [
    'fail/a NULL that is not empty',
    'weak-key',
    () => rsaSigned(der.seq(der.oid('1.2.840.113549.1.1.11'), tlv(5, 0)), (tbs, key) => sign('sha256', tbs, key)),
  ],
  ['ok/PSS with SHA-256 and a salt of 32 octets (RFC 4055 §3.1)', () => rsaSigned(pss({}), signPss(32))],
  ['ok/PSS with a salt of 20 octets (RFC 4055 §3.1)', () => rsaSigned(pss({ salt: 20 }), signPss(20))],
  ['ok/PSS without a salt', () => rsaSigned(pss({ salt: 0 }), signPss(0))],
  ['ok/PSS with the longest salt, as OpenSSL writes by default', () => rsaSigned(pss({ salt: 222 }), signPss(222))],
  ['fail/PSS with a salt that no key has room for', 'weak-key', () => rsaSigned(pss({ salt: 1025 }), signPss(32))],
  [
    'fail/PSS with the salt of the signature shorter than it says',
    'bad-signature',
    () => rsaSigned(pss({}), signPss(20)),
  ],
  [
    'fail/PSS with SHA-1 for the mask',
    'weak-key',
    () => rsaSigned(pss({ mask: der.seq(der.oid('1.3.14.3.2.26'), der.null()) }), signPss(32)),
  ],
  [
    'fail/PSS with another trailer (RFC 4055 §3.1)',
    'weak-key',
    () => rsaSigned(pss({ add: [tlv(0xa3, der.int(2))] }), signPss(32)),
  ],
  [
    'ok/PSS with the default trailer written out, which is to be recognised (RFC 4055 §3.1)',
    () => rsaSigned(pss({ add: [tlv(0xa3, der.int(1))] }), signPss(32)),
  ],
  [
    'fail/PSS with octets after the salt length',
    'weak-key',
    () => rsaSigned(pss({ saltField: tlv(0xa2, der.int(32), der.null()) }), signPss(32)),
  ],
  [
    'fail/PSS without parameters (all SHA-1)',
    'weak-key',
    () => rsaSigned(der.seq(der.oid('1.2.840.113549.1.1.10')), signPss(32)),
  ],
  [
    'fail/PSS with empty parameters (all SHA-1)',
    'weak-key',
    () => rsaSigned(der.seq(der.oid('1.2.840.113549.1.1.10'), der.seq()), signPss(32)),
  ],
  [
    'fail/an algorithm that signs nothing',
    'weak-key',
    () => rsaSigned(der.seq(der.oid('1.2.840.113549.1.1.1'), der.null()), (tbs, key) => sign('sha256', tbs, key)),
  ],
  [
    'fail/MD5',
    'weak-key',
    () => rsaSigned(der.seq(der.oid('1.2.840.113549.1.1.4'), der.null()), (tbs, key) => sign('md5', tbs, key)),
  ],
];

const PKCS1 = der.seq(der.oid('1.2.840.113549.1.1.11'), der.null());
const SHA256 = der.seq(der.oid('2.16.840.1.101.3.4.2.1'), der.null());

function pss(change: {
  salt?: number;
  mask?: Uint8Array;
  saltField?: Uint8Array;
  add?: readonly Uint8Array[];
}): Uint8Array {
  const mask = der.seq(der.oid('1.2.840.113549.1.1.8'), change.mask ?? SHA256);
  const salt = change.saltField ?? tlv(0xa2, der.int(change.salt ?? 32));
  return der.seq(
    der.oid('1.2.840.113549.1.1.10'),
    der.seq(tlv(0xa0, SHA256), tlv(0xa1, mask), salt, ...(change.add ?? [])),
  );
}

type RsaSign = (tbs: Uint8Array, key: ReturnType<typeof createPrivateKey>) => Uint8Array;
const signPss =
  (saltLength: number): RsaSign =>
  (tbs, key) =>
    sign('sha256', tbs, { key, padding: 6, saltLength });

/** A leaf under an RSA anchor with this algorithm identifier, signed this way. */
function rsaSigned(algorithm: Uint8Array, make: RsaSign): RecordCase {
  const r = root({ key: sharedKey('rsa2048') });
  let tbs: Uint8Array = new Uint8Array();
  const end = leaf(r, {
    innerAlgorithm: algorithm,
    outerAlgorithm: algorithm,
    changeTbs: (made) => {
      tbs = made;
      return made;
    },
    changeSignature: () => new Uint8Array(make(tbs, r.key.privateKey)),
  });
  return { leaf: end, anchors: [r] };
}

const anchors: readonly RecordRow[] = [
  [
    'ok/an anchor signed with SHA-1: its own signature is not part of the path (RFC 5280 §6.1.1 (d))',
    () => {
      const r = root({ key: sharedKey('rsa2048'), signature: 'sha1' });
      return { leaf: leaf(r), anchors: [r] };
    },
  ],
  [
    'ok/an anchor whose own signature is wrong (RFC 5280 §6.1.1 (d))',
    () => {
      const r = root({ changeSignature: (old) => old.map((octet, i) => (i === old.length - 1 ? octet ^ 1 : octet)) });
      return { leaf: leaf(r), anchors: [r] };
    },
  ],
  ['fail/an intermediate signed with SHA-1', 'weak-key', () => chain('ca', { signature: 'sha1' })],
];

describeRecords('keys', keys);
describeRecords('signatures', signatures);
describeRecords('signatures of anchors', anchors);
