import { describe, expect, it } from 'vitest';
import {
  type CertificateSpec,
  ca,
  DAY,
  ext,
  extension,
  leaf,
  makeKey,
  NOW,
  root,
  sharedKey,
} from '../../../support/certificates.js';
import { der, tlv } from '../../../support/der.js';
import { expectPath, judgePath, type PathCase, type PathRow } from '../../../support/paths.js';

type Place = 'leaf' | 'ca' | 'root';

/** root -> ca -> leaf, with this spec at one place. */
function withSpec(place: Place, spec: CertificateSpec, ask: PathCase['ask'] = {}): PathCase {
  const r = root(place === 'root' ? spec : {});
  const a = ca(r, place === 'ca' ? spec : {});
  return { leaf: leaf(a, place === 'leaf' ? spec : {}), via: [a], anchors: [r], ask };
}

const extensions = (value: CertificateSpec['extensions']): CertificateSpec => ({ extensions: value ?? {} });
const add = (...items: Uint8Array[]): CertificateSpec => ({ add: items });
const UNKNOWN = '1.3.6.1.4.1.55738.666.1';
const key = sharedKey('p256', 'rules');

/** Broken in every check, strict or not, TLS or not. */
const always: readonly (readonly [name: string, code: string, place: Place, spec: CertificateSpec])[] = [
  ['an intermediate without basicConstraints', 'not-a-ca', 'ca', extensions({ basicConstraints: undefined })],
  ['an intermediate with cA false', 'not-a-ca', 'ca', extensions({ basicConstraints: ext.basicConstraints(false) })],
  ['an anchor without basicConstraints', 'not-a-ca', 'root', extensions({ basicConstraints: undefined })],
  ['an intermediate without keyCertSign', 'key-usage', 'ca', extensions({ keyUsage: ext.keyUsage(['cRLSign']) })],
  ['an anchor without keyCertSign', 'key-usage', 'root', extensions({ keyUsage: ext.keyUsage(['digitalSignature']) })],
  ['an unknown critical extension of the leaf', 'unknown-critical', 'leaf', add(extension(UNKNOWN, der.null(), true))],
  [
    'an unknown critical extension of an intermediate',
    'unknown-critical',
    'ca',
    add(extension(UNKNOWN, der.null(), true)),
  ],
  [
    'an unknown critical extension of the anchor',
    'unknown-critical',
    'root',
    add(extension(UNKNOWN, der.null(), true)),
  ],
  ['an empty subject of an intermediate', 'malformed-cert', 'ca', { subject: '' }],
  ['empty nameConstraints', 'bad-extension', 'ca', add(ext.constraints({}))],
  ['empty subjectAltName', 'bad-extension', 'leaf', extensions({ altNames: ext.altNames([]) })],
  ['an RSA key of 1024 bits of the leaf (T-43)', 'weak-key', 'leaf', { key: sharedKey('rsa1024') }],
  ['an RSA key of 1024 bits of an intermediate (T-43)', 'weak-key', 'ca', { key: sharedKey('rsa1024') }],
  ['an RSA key of 1024 bits of the anchor (T-43)', 'weak-key', 'root', { key: sharedKey('rsa1024') }],
  ['an RSA key of 2052 bits', 'weak-key', 'leaf', { key: sharedKey('rsa2052') }],
  ['a DSA key of the leaf', 'weak-key', 'leaf', { key: sharedKey('dsa') }],
  ['a DSA key of the anchor', 'weak-key', 'root', { key: sharedKey('dsa') }],
  ['a key on secp256k1', 'weak-key', 'leaf', { key: sharedKey('secp256k1') }],
  ['an Ed448 key', 'weak-key', 'leaf', { key: sharedKey('ed448') }],
];

/** Broken in a strict check, whatever the purpose; §6.1 of RFC 5280 itself does not look. */
const profile: typeof always = [
  ['no authorityKeyIdentifier of the leaf', 'bad-extension', 'leaf', extensions({ authorityKey: undefined })],
  ['no authorityKeyIdentifier of an intermediate', 'bad-extension', 'ca', extensions({ authorityKey: undefined })],
  ['no subjectKeyIdentifier of an intermediate', 'bad-extension', 'ca', extensions({ subjectKey: undefined })],
  ['no subjectKeyIdentifier of the anchor', 'bad-extension', 'root', extensions({ subjectKey: undefined })],
  [
    'authorityKeyIdentifier without keyIdentifier',
    'bad-extension',
    'root',
    extensions({ authorityKey: ext.authorityKey(undefined) }),
  ],
  [
    'authorityCertIssuer without authorityCertSerialNumber',
    'bad-extension',
    'root',
    {
      key,
      ...extensions({ authorityKey: ext.authorityKey(key.identifier, false, [tlv(0xa1, tlv(0x82, der.text('a')))]) }),
    },
  ],
  [
    'authorityCertSerialNumber without authorityCertIssuer',
    'bad-extension',
    'root',
    { key, ...extensions({ authorityKey: ext.authorityKey(key.identifier, false, [tlv(0x82, 5)]) }) },
  ],
  [
    'authorityKeyIdentifier of a self-signed anchor that names another key',
    'bad-extension',
    'root',
    extensions({ authorityKey: ext.authorityKey(makeKey().identifier) }),
  ],
  [
    'authorityKeyIdentifier of another key of the issuer',
    'bad-extension',
    'leaf',
    extensions({ authorityKey: ext.authorityKey(makeKey().identifier) }),
  ],
  [
    'critical authorityKeyIdentifier',
    'bad-extension',
    'root',
    { key, ...extensions({ authorityKey: ext.authorityKey(key.identifier, true) }) },
  ],
  [
    'critical subjectKeyIdentifier',
    'bad-extension',
    'root',
    { key, ...extensions({ subjectKey: ext.subjectKey(key.identifier, true) }) },
  ],
  ['no keyUsage of an intermediate', 'key-usage', 'ca', extensions({ keyUsage: undefined })],
  ['critical authorityInfoAccess', 'bad-extension', 'leaf', add(ext.authorityInfo(true))],
  ['keyUsage without bits', 'key-usage', 'leaf', extensions({ keyUsage: ext.keyUsage([]) })],
  [
    'keyCertSign without cA',
    'key-usage',
    'leaf',
    extensions({
      keyUsage: ext.keyUsage(['digitalSignature', 'keyCertSign']),
      basicConstraints: ext.basicConstraints(false),
    }),
  ],
  [
    'pathLenConstraint without cA',
    'bad-extension',
    'leaf',
    extensions({ basicConstraints: ext.basicConstraints(false, 0) }),
  ],
  ['nameConstraints in a leaf', 'bad-extension', 'leaf', add(ext.constraints({ permitted: [{ dns: 'example' }] }))],
  [
    'nameConstraints in a leaf, not critical',
    'bad-extension',
    'leaf',
    add(ext.constraints({ permitted: [{ dns: 'example' }] }, false)),
  ],
  [
    'a dNSName constraint with a leading dot',
    'bad-extension',
    'ca',
    add(ext.constraints({ permitted: [{ dns: '.example' }] })),
  ],
  [
    'an iPAddress constraint without mask',
    'bad-extension',
    'ca',
    add(ext.constraints({ permitted: [{ ip: [192, 0, 2, 1] }] })),
  ],
  [
    'an iPAddress constraint with holes in its mask',
    'bad-extension',
    'ca',
    add(ext.constraints({ permitted: [{ ip: [10, 0, 0, 0, 255, 0, 255, 0] }] })),
  ],
  [
    'an rfc822Name constraint with two @',
    'bad-extension',
    'ca',
    add(ext.constraints({ permitted: [{ email: 'a@b@c.example' }] })),
  ],
  [
    'an iPAddress of 8 octets in subjectAltName',
    'bad-extension',
    'leaf',
    extensions({ altNames: ext.altNames([{ ip: [192, 0, 2, 0, 255, 255, 255, 0] }]) }),
  ],
  ['an empty subject with a subjectAltName that is not critical', 'bad-extension', 'leaf', { subject: '' }],
  [
    'an empty subject without subjectAltName',
    'bad-extension',
    'leaf',
    { subject: '', ...extensions({ altNames: undefined }) },
  ],
  ['one policy twice', 'bad-extension', 'leaf', add(ext.policies(['1.2.3', '1.2.3']))],
  ['empty policyConstraints', 'bad-extension', 'ca', add(ext.policyConstraints())],
  ['version 1 of a leaf', 'malformed-cert', 'leaf', { version: 'absent', bare: true }],
];

/** Broken in a strict check for a TLS role only: the RFC's own test suite, or a SHOULD, has them accepted. */
const tls: typeof always = [
  [
    'basicConstraints of a CA not critical',
    'bad-extension',
    'root',
    extensions({ basicConstraints: ext.basicConstraints(true, undefined, false) }),
  ],
  ['policyConstraints not critical', 'bad-extension', 'ca', add(ext.policyConstraints(3, undefined, false))],
  ['inhibitAnyPolicy not critical', 'bad-extension', 'ca', add(ext.inhibitAnyPolicy(1, false))],
  ['serial number 0', 'malformed-cert', 'leaf', { serial: 0n }],
  ['a negative serial number', 'malformed-cert', 'leaf', { serial: -5n }],
  ['a serial number of 22 octets', 'malformed-cert', 'leaf', { serial: 1n << 170n }],
  ['GeneralizedTime before 2050', 'malformed-cert', 'leaf', { notAfter: der.generalizedTime(new Date(NOW + DAY)) }],
  [
    'critical subjectAltName beside a subject',
    'bad-extension',
    'leaf',
    extensions({ altNames: ext.altNames([{ dns: 'peer.example' }], true) }),
  ],
  [
    'authorityCertIssuer and serial beside the keyIdentifier of the anchor',
    'bad-extension',
    'root',
    {
      key,
      ...extensions({
        authorityKey: ext.authorityKey(key.identifier, false, [tlv(0xa1, tlv(0x82, der.text('a'))), tlv(0x82, 5)]),
      }),
    },
  ],
];

const fine: readonly PathRow[] = [
  ['ok/no keyUsage of the leaf', () => withSpec('leaf', extensions({ keyUsage: undefined }))],
  [
    'ok/no keyUsage of the anchor, as openssl req -x509 makes one',
    () => withSpec('root', extensions({ keyUsage: undefined })),
  ],
  ['ok/no basicConstraints of the leaf', () => withSpec('leaf', extensions({ basicConstraints: undefined }))],
  ['ok/cA false of the leaf', () => withSpec('leaf', extensions({ basicConstraints: ext.basicConstraints(false) }))],
  ['ok/no extendedKeyUsage of the leaf', () => withSpec('leaf', extensions({ purposes: undefined }))],
  [
    'ok/no authorityKeyIdentifier of a self-signed anchor',
    () => withSpec('root', extensions({ authorityKey: undefined })),
  ],
  ['ok/an unknown extension that is not critical', () => withSpec('leaf', add(extension(UNKNOWN, der.null())))],
  ['ok/authorityInfoAccess', () => withSpec('leaf', add(ext.authorityInfo()))],
  [
    'ok/an empty subject with a critical subjectAltName',
    () => withSpec('leaf', { subject: '', ...extensions({ altNames: ext.altNames([{ dns: 'peer.example' }], true) }) }),
  ],
  ['ok/a serial number of 20 octets', () => withSpec('leaf', { serial: (1n << 160n) - 1n })],
  ['ok/serial number 0 of an anchor', () => withSpec('root', { serial: 0n })],
  [
    'ok/name constraints not critical (CABF §7.1.2.5.2)',
    () => withSpec('root', add(ext.constraints({ permitted: [{ dns: 'peer.example' }] }, false))),
  ],
];

const codeOf = (made: PathCase): string => {
  const result = judgePath(made);
  return result.ok ? 'ok' : (result.findings[0]?.code ?? '');
};

describe('rules of a certificate by itself', () => {
  it.each(fine.map((row) => [row[0], row] as const))('%s', (_, row) => {
    expectPath(row);
  });

  describe('of every path', () => {
    it.each(always)('fail/%s', (_, code, place, spec) => {
      expect(codeOf(withSpec(place, spec))).toBe(code);
      expect(codeOf(withSpec(place, spec, { strict: false, purpose: 'any' }))).toBe(code);
    });
  });

  describe('of a strict check', () => {
    it.each(profile)('fail/%s', (_, code, place, spec) => {
      expect(codeOf(withSpec(place, spec))).toBe(code);
      expect(codeOf(withSpec(place, spec, { purpose: 'any' }))).toBe(code);
    });

    it.each(profile)('ok/%s, when not strict', (_, __, place, spec) => {
      // Some break a rule of the path as well once it is walked (a name that no constraint can be compared with).
      const told = codeOf(withSpec(place, spec, { strict: false, purpose: 'any' }));
      expect(['ok', 'name-constraints']).toContain(told);
    });
  });

  describe('of a strict check for TLS', () => {
    it.each(tls)('fail/%s', (_, code, place, spec) => {
      expect(codeOf(withSpec(place, spec))).toBe(code);
      expect(codeOf(withSpec(place, spec, { purpose: 'client' }))).toBe(code);
    });
    it.each(tls)('ok/%s, for any purpose or when not strict', (_, __, place, spec) => {
      expect(codeOf(withSpec(place, spec, { purpose: 'any' }))).toBe('ok');
      expect(codeOf(withSpec(place, spec, { strict: false }))).toBe('ok');
    });
  });

  it('fail/an empty issuer', () => {
    const nameless = root({ subject: '' });
    expect(codeOf({ leaf: leaf(nameless), anchors: [nameless] })).toBe('malformed-cert');
  });

  it('ok/a version 1 anchor, unless the check is strict', () => {
    const old = root({ version: 'absent', bare: true });
    const made = { leaf: leaf(old), anchors: [old] };
    expect(codeOf({ ...made, ask: { strict: false } })).toBe('ok');
    expect(codeOf(made)).toBe('malformed-cert');
  });

  it('fail/a version 1 intermediate', () => {
    const r = root();
    const old = ca(r, { version: 'absent', bare: true });
    expect(codeOf({ leaf: leaf(old), via: [old], anchors: [r], ask: { strict: false } })).toBe('not-a-ca');
  });
});
