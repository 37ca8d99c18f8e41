import { describe, expect, test } from 'vitest';
import { tlsFloor } from '../../../../src/trust/evidence/tls-floor.js';

test('ok/what is no word of a TLS stack is quoted, and cut', () => {
  const { detail } = tlsFloor(`TLSv1.3${'3'.repeat(1000)}`, 'TLS_AES\n_128');
  expect(detail).toContain('"TLS_AES\\x0a_128"');
  expect(detail.length).toBeLessThan(300);
});

describe('what does not encrypt (seed §5)', () => {
  const rows: [cipher: string, version: string | undefined, found: string][] = [
    ['TLS_RSA_WITH_NULL_SHA256', 'TLSv1.2', 'authentic'],
    ['NULL-SHA256', 'TLSv1.2', 'authentic'],
    ['NULL-SHA', 'TLSv1.2', 'authentic'],
    ['ECDHE-ECDSA-NULL-SHA', 'TLSv1.2', 'authentic'],
    ['ecdhe-rsa-null-sha', 'TLSv1_2', 'authentic'],
    ['TLS_ECDHE_ECDSA_WITH_NULL_SHA', 'TLSv1.2', 'authentic'],
    ['TLS_SHA256_SHA256', 'TLSv1.3', 'authentic'],
    ['TLS_SHA384_SHA384', 'TLSv1.3', 'authentic'],
    ['TLS_SHA384_SHA384', undefined, 'authentic'],
    ['TLS13-SHA256-SHA256', 'TLSv1.3', 'authentic'],
    ['TLS_SHA256_SHA256', 'TLSv1.2', 'any'],
    ['TLS13-SHA256-SHA256', 'TLSv1.2', 'any'],
    ['TLS_SHA256_SHA256', 'TLSv9', 'any'],
    ['NULL-SHA256', 'TLSv1.1', 'any'],
    ['NULL-SHA256', undefined, 'any'],
    ['NULL-MD5', 'TLSv1.2', 'any'],
    ['AECDH-NULL-SHA', 'TLSv1.2', 'any'],
    ['TLS_ECDH_anon_WITH_NULL_SHA', 'TLSv1.2', 'any'],
    ['RSA-PSK-NULL-SHA256', 'TLSv1.2', 'any'],
    ['TLS_NULL_WITH_NULL_NULL', 'TLSv1.2', 'any'],
    ['ECDHE-RSA-AES128-GCM-SHA256', 'TLSv1.2', 'no'],
    ['TLS_AES_128_GCM_SHA256', 'TLSv1.3', 'no'],
    ['NULLIFIED', 'TLSv1.2', 'no'],
  ];
  for (const [cipher, version, found] of rows) {
    test(`ok/${cipher}, ${version}: ${found}`, () =>
      expect(tlsFloor(version, cipher)).toMatchObject({
        nullEncryption: found,
        ...(found === 'no' ? {} : { ok: false }),
      }));
  }
});

describe('tlsFloor (TS 33.210 §6.2; T-7)', () => {
  const ok: [string, string | undefined, string | undefined][] = [
    ['TLS 1.3', 'TLSv1.3', 'TLS_AES_256_GCM_SHA384'],
    ['TLS 1.3 ChaCha', 'TLSv1.3', 'TLS_CHACHA20_POLY1305_SHA256'],
    ...[
      'AES128-GCM-SHA256',
      'AES256-GCM-SHA384',
      'CHACHA20-POLY1305-SHA256',
      'AES128-CCM-SHA256',
      'AES128-CCM8-SHA256',
    ].map((suite): [string, string, string] => [`TLS 1.3 wolfSSL name: ${suite}`, 'TLSv1.3', `TLS13-${suite}`]),
    ['TLS 1.2 OpenSSL name', 'TLSv1.2', 'ECDHE-RSA-AES128-GCM-SHA256'],
    ['TLS 1.2 DHE', 'TLSv1.2', 'DHE-RSA-AES256-GCM-SHA384'],
    ['TLS 1.2 CCM', 'TLSv1.2', 'ECDHE-ECDSA-AES128-CCM8'],
    ['TLS 1.2 ChaCha', 'TLSv1.2', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
    ['TLS 1.2 ARIA, RSA: OpenSSL names no key', 'TLSv1.2', 'ECDHE-ARIA256-GCM-SHA384'],
    ['TLS 1.2 ARIA, ECDSA', 'TLSv1.2', 'ECDHE-ECDSA-ARIA128-GCM-SHA256'],
    ['TLS 1.2 ARIA, IANA name', 'TLSv1.2', 'TLS_ECDHE_RSA_WITH_ARIA_256_GCM_SHA384'],
    ['TLS 1.2 IANA name', 'TLSv1.2', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
    ['the cipher alone proves the version', undefined, 'TLS_AES_128_GCM_SHA256'],
    ['TLS 1.3 alone proves the cipher', 'TLSv1.3', undefined],
  ];
  for (const [name, version, cipher] of ok) {
    test(`ok/${name}`, () => expect(tlsFloor(version, cipher).ok).toBe(true));
  }
  const fail: [string, string | undefined, string | undefined][] = [
    ['nothing told', undefined, undefined],
    ['TLS 1.2 without its cipher', 'TLSv1.2', undefined],
    ['TLS 1.1', 'TLSv1.1', 'ECDHE-RSA-AES128-SHA'],
    ['TLS 1.0', 'TLSv1', 'ECDHE-RSA-AES128-SHA'],
    ['SSL 3', 'SSLv3', 'DHE-RSA-AES128-SHA'],
    ['TLS 1.1 with a cipher of 1.3 contradicts itself', 'TLSv1.1', 'TLS_AES_128_GCM_SHA256'],
    ['TLS 1.3 with a cipher of 1.2 contradicts itself', 'TLSv1.3', 'ECDHE-RSA-AES128-GCM-SHA256'],
    ['TLS 1.2 with a cipher of 1.3 contradicts itself', 'TLSv1.2', 'TLS_AES_128_GCM_SHA256'],
    ['TLS 1.2 with a cipher of 1.3 in the words of wolfSSL', 'TLSv1.2', 'TLS13-AES128-GCM-SHA256'],
    ['no suite of TLS 1.3, in the words of wolfSSL', 'TLSv1.3', 'TLS13-SM4-GCM-SM3'],
    ['static RSA (G-26)', 'TLSv1.2', 'AES128-GCM-SHA256'],
    ['static RSA, IANA name', 'TLSv1.2', 'TLS_RSA_WITH_AES_128_GCM_SHA256'],
    ['the MUST suite of RFC 3261 (G-27)', 'TLSv1.2', 'TLS_RSA_WITH_AES_128_CBC_SHA'],
    ['CBC with (EC)DHE', 'TLSv1.2', 'ECDHE-RSA-AES256-SHA384'],
    ['NULL encryption', 'TLSv1.2', 'ECDHE-RSA-NULL-SHA'],
    ['NULL of RFC 9150', 'TLSv1.3', 'TLS_SHA256_SHA256'],
    ['anonymous', 'TLSv1.2', 'ADH-AES128-GCM-SHA256'],
    ['anonymous ECDH', 'TLSv1.2', 'AECDH-AES128-SHA'],
    ['PSK', 'TLSv1.2', 'PSK-AES128-GCM-SHA256'],
    ['RC4', 'TLSv1.2', 'ECDHE-RSA-RC4-SHA'],
    ['unknown version', 'TLSv9', 'TLS_AES_128_GCM_SHA256'],
    ['cipher with a good name inside', 'TLSv1.2', 'X-ECDHE-RSA-AES128-GCM-SHA256'],
  ];
  for (const [name, version, cipher] of fail) {
    test(`fail/${name}`, () => expect(tlsFloor(version, cipher).ok).toBe(false));
  }
});
