/** `pin: leaf` and revocation: hard is hard, and what is known to be revoked is never trusted. */

import { describe, expect, test } from 'vitest';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import type { CertificateFacts } from '../../../../src/x509/certificate/facts.js';
import { crl, DAY, ext, extension, leaf, makeKey, NOW, root, selfSignedLeaf } from '../../../support/certificates.js';
import { presenting, sent } from '../../../support/evidence.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const issuer = root({ subject: 'CN=Some CA' });
const twin = root({ subject: 'CN=Some CA' });
const altNames = { altNames: ext.altNames([{ dns: 'b.example' }]) };
const issued = leaf(issuer, { subject: 'CN=b.example', serial: 9n, extensions: altNames }).facts;
const own = selfSignedLeaf({ subject: 'CN=b.example', serial: 9n, key: makeKey(), extensions: altNames });
const revoking = crl(issuer, { revoked: [{ serial: Uint8Array.of(9) }] }).facts;
const clear = crl(issuer).facts;

function judged(certificate: CertificateFacts, over: Partial<Agreement>, chain: readonly CertificateFacts[] = []) {
  const agreement = agreementWith({
    ...{ pins: [certificate.spkiSha256], pinLeaf: true, stackVerification: 'advisory' },
    ...over,
  });
  const evidence = presenting(certificate, { verified: false, ...sent(chain) });
  const { verdict, findings, validUntil } = judgePeer(evidence, snapshotWith([agreement]), NOW);
  return { verdict, reason: findings[0]?.code, codes: findings.map(({ code }) => code), validUntil };
}

describe('pin: leaf and revocation', () => {
  const known = { intermediates: [issuer.facts] };
  test('ok/hard, and a list of its issuer that does not name it', () => {
    const { verdict, validUntil } = judged(issued, { ...known, revocation: 'hard', crls: [clear] });
    expect([verdict, validUntil]).toEqual(['trusted', NOW + 7 * DAY]);
  });
  test('ok/hard, and the issuer came in the chain', () => {
    expect(judged(issued, { revocation: 'hard', crls: [clear] }, [issuer.facts]).verdict).toBe('trusted');
  });
  test('ok/soft and unknown: trusted, and said', () => {
    expect(judged(own.facts, { revocation: 'soft' })).toMatchObject({
      ...{ verdict: 'trusted', codes: ['agreement-covers', 'rev-unknown'] },
    });
  });
  test('ok/off: nobody looks', () => {
    expect(judged(issued, { ...known, revocation: 'off', crls: [revoking] })).toMatchObject({
      ...{ verdict: 'trusted', codes: ['agreement-covers'] },
    });
  });
  test.each(['hard', 'soft'] as const)('fail/%s and revoked', (revocation) => {
    expect(judged(issued, { ...known, revocation, crls: [revoking] })).toMatchObject({
      ...{ verdict: 'reject', reason: 'revoked' },
    });
  });
  test('fail/hard and unknown: no list at all', () => {
    expect(judged(own.facts, { revocation: 'hard' })).toMatchObject({ verdict: 'untrusted', reason: 'rev-unknown' });
  });
  test('fail/hard, and a list of a CA that only bears the name of the issuer', () => {
    const agreement = { intermediates: [twin.facts], revocation: 'hard', crls: [crl(twin).facts] } as const;
    expect(judged(issued, agreement)).toMatchObject({ verdict: 'untrusted', reason: 'rev-unknown' });
    expect(judged(issued, { ...agreement, crls: [clear, crl(twin).facts] }, [twin.facts]).verdict).toBe('untrusted');
  });
});

describe('pin: leaf, and what a certificate has to be under any agreement', () => {
  const pinned = (spec: Parameters<typeof selfSignedLeaf>[0]) =>
    judged(selfSignedLeaf({ subject: 'CN=b.example', extensions: altNames, ...spec }).facts, { revocation: 'off' });

  test.each(['rsa1024', 'secp256k1', 'ed448'] as const)(
    'fail/a key that others can find or that is off the list: %s',
    (kind) => {
      expect(pinned({ key: makeKey(kind) })).toMatchObject({ verdict: 'untrusted', reason: 'weak-key' });
    },
  );
  test.each(['p256', 'p384', 'rsa2048', 'ed25519'] as const)('ok/%s', (kind) => {
    expect(pinned({ key: makeKey(kind) }).verdict).toBe('trusted');
  });
  test('fail/a critical extension that nobody understands', () => {
    expect(pinned({ add: [extension('1.2.3.4', Uint8Array.of(5, 0), true)] })).toMatchObject({
      ...{ verdict: 'untrusted', reason: 'unknown-critical' },
    });
  });
  test('fail/past its end', () => {
    expect(pinned({ notAfter: NOW - DAY })).toMatchObject({ verdict: 'untrusted', reason: 'cert-time' });
  });
  test('ok/signed with SHA-1, or under an empty name: the pin rests on neither', () => {
    expect(pinned({ signature: 'sha1' }).verdict).toBe('trusted');
    expect(pinned({ subject: '' }).verdict).toBe('trusted');
  });
});
