/** The forms in which a proxy can put a certificate into a question (docs/rpc.md, `tls.pem`). */

import { beforeEach, describe, expect, test } from 'vitest';
import { CertificateCache } from '../../../../src/state/verdicts/certificate-cache.js';
import { crl, leaf, root } from '../../../support/certificates.js';

const issuer = root({ subject: 'CN=Root' });
const { pem } = leaf(issuer, { subject: 'CN=b.example' });
const base64 = pem.replace(/-----[^-]*-----|\s/g, '');

function read(text: string): string {
  const cache = new CertificateCache({ entries: 9, octets: 1_000_000, idleMs: 60_000 }, { hits: 0, misses: 0 });
  const found = cache.read(text);
  return 'malformed' in found ? found.malformed : found.subjectText;
}

describe('a certificate in a question', () => {
  test.each([
    ['PEM', pem],
    ['PEM with CRLF', pem.replaceAll('\n', '\r\n')],
    ['PEM after words about it', `subject=CN=b.example\n\n${pem}`],
    ['PEM and the issuer behind it', pem + issuer.pem],
    ['urlencoded PEM', encodeURIComponent(pem)],
    ['urlencoded PEM with + for blanks, as HTML forms have it', encodeURIComponent(pem).replaceAll('%20', '+')],
    ['base64 of the DER', base64],
    ['base64 in lines', base64.replace(/.{64}/g, '$&\n')],
  ])('ok/%s', (_, text) => expect(read(text)).toBe('CN=b.example'));

  test.each([
    ['a broken escape', encodeURIComponent(pem).replace('%0A', '%E4'), /broken % escape/],
    ['base64url', base64.replaceAll('+', '-').replaceAll('/', '_').replace(/^/, '-'), /expected PEM or base64 DER/],
    ['base64 of the PEM', Buffer.from(pem).toString('base64'), /found base64 of PEM: it goes into tls\.pem_b64/],
    [
      'a request',
      pem.replaceAll('CERTIFICATE', 'CERTIFICATE REQUEST'),
      /\(this is a certificate request: expected is what the CA makes of it\)$/,
    ],
    ['a key', pem.replaceAll('CERTIFICATE', 'PRIVATE KEY'), /\(this is a private key: siptrust needs none\)$/],
    ['urlencoded PKCS#7', encodeURIComponent(pem.replaceAll('CERTIFICATE', 'PKCS7')), /\(this is a PKCS#7 bundle/],
    [
      'base64 of a CRL',
      Buffer.from(crl(issuer).der).toString('base64'),
      /\(this is a CRL: it belongs to `crls` of an agreement\)$/,
    ],
    ['nothing but the first line', '-----BEGIN+CERTIFICATE-----', /found the end/],
    ['more than one certificate takes', 'A'.repeat(65_537), /at most 65536 characters/],
  ])('fail/%s', (_, text, why) => expect(read(text)).toMatch(why));
});

describe('what came above a certificate', () => {
  const peer = leaf(issuer, { subject: 'CN=b.example' }).facts;
  let cache: CertificateCache;
  beforeEach(() => {
    cache = new CertificateCache({ entries: 9, octets: 100_000, idleMs: 60_000 }, { hits: 0, misses: 0 });
    cache.keep([peer, issuer.facts]);
  });

  test('ok/that of a partner is known behind any number of strangers', () => {
    cache.cameTogether(peer, [issuer.facts], 'partner');
    for (let each = 0; each < 20; each += 1) {
      const stranger = { ...peer, sha256: `${each}`, der: peer.der };
      cache.cameTogether(stranger, [issuer.facts], 'stranger');
    }
    expect(cache.cameWith({ ...peer, sha256: '0' })).toEqual([]);
    expect(cache.cameWith({ ...peer, sha256: '19' })).toEqual([issuer.facts]);
    expect(cache.cameWith(peer)).toEqual([issuer.facts]);
  });
});
