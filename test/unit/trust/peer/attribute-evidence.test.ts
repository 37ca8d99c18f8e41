import { describe, expect, test } from 'vitest';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import type { Evidence } from '../../../../src/trust/evidence/evidence.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import { NOW } from '../../../support/certificates.js';
import { presenting } from '../../../support/evidence.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const WORDS = { subject: '/O=Operator B/CN=sbc', issuer: '/O=Operator B/CN=B CA', san: 'b.example' };
const terms = (over: Partial<Agreement> = {}) => agreementWith({ issuer: { commonName: ['B CA'] }, ...over });

function judged(words: Record<string, string>, over: Partial<Evidence> = {}, agreement = terms(), verified = true) {
  const evidence = presenting(undefined, { verified, attributes: words }, over);
  return judgePeer(evidence, snapshotWith([agreement]), NOW);
}

describe('a proxy that hands over words instead of the certificate', () => {
  for (const san of ['b.example', 'DNS:b.example', 'URI:sip:b.example', 'B.Example']) {
    test(`ok/${san} by the issuer that the agreement names`, () =>
      expect(judged({ ...WORDS, san })).toMatchObject({ verdict: 'trusted', assurance: 'tls-attributes' }));
  }
  test('ok/outbound, the next hop as a URI', () =>
    expect(judged(WORDS, { direction: 'out', nextHop: 'sip:B.example.;lr' }).verdict).toBe('trusted'));

  const listed = (issuers: readonly string[]) => agreementWith({ attributeIssuers: issuers });
  test('ok/one of several issuers, whole', () => {
    const agreement = listed(['/O=Operator B/CN=B CA', '/O=Operator B/CN=B CA 2']);
    for (const issuer of agreement.attributeIssuers) {
      expect(judged({ ...WORDS, issuer }, {}, agreement).verdict).toBe('trusted');
    }
  });

  // (Its clock may be 300 s behind.)
  test('ok/until its certificate ends, which a connection may outlive', () =>
    expect(judged({ ...WORDS, not_after: 'May 31 23:55:00 2026 GMT' })).toMatchObject({
      verdict: 'trusted',
      validUntil: NOW + 1,
    }));

  const rows: readonly [string, ReturnType<typeof judged>, string][] = [
    ['the stack did not verify it', judged(WORDS, {}, terms(), false), 'stack-unverified'],
    ['no issuer in the agreement', judged(WORDS, {}, terms({ issuer: {} })), 'no-cert-facts'],
    ['another issuer', judged({ ...WORDS, issuer: '/CN=X CA' }), 'agreement-attributes'],
    ['an issuer that smuggles a second name', judged({ ...WORDS, issuer: '/CN=X/x y/CN=B CA' }), 'no-cert-facts'],
    ['an issuer that states a type twice', judged({ ...WORDS, issuer: '/CN=X/CN=B CA' }), 'no-cert-facts'],
    ['an issuer that is not listed whole', judged(WORDS, {}, listed(['/CN=B CA'])), 'agreement-attributes'],
    [
      'a listed issuer, but not of the agreement',
      judged(WORDS, {}, terms({ attributeIssuers: ['/CN=C'] })),
      'agreement-attributes',
    ],
    ['pins need the certificate', judged(WORDS, {}, terms({ pins: ['x'] })), 'no-cert-facts'],
    ['hard revocation needs the certificate', judged(WORDS, {}, terms({ revocation: 'hard' })), 'no-cert-facts'],
    ['a certificate that has ended', judged({ ...WORDS, not_after: 'May 31 23:54:59 2026 GMT' }), 'cert-time'],
    ['an end that nobody can read', judged({ ...WORDS, not_after: 'Bad time value' }), 'cert-time'],
    ['two names in one', judged({ ...WORDS, san: 'x.example, DNS:b.example' }), 'no-sip-id'],
    ['sips: is no identity', judged({ ...WORDS, san: 'sips:b.example' }), 'no-sip-id'],
    ['a Kelvin sign is no k', judged({ ...WORDS, san: 'b.example\u212a' }), 'no-sip-id'],
    ['nobody listed it', judged({ ...WORDS, san: 'x.example' }), 'not-listed'],
    ['switched off', judged(WORDS, {}, terms({ enabled: false })), 'agreement-disabled'],
    ['another next hop', judged(WORDS, { direction: 'out', nextHop: 'c.example' }), 'not-listed'],
    [
      'another name than the next hop',
      judged({ ...WORDS, san: 'c.example' }, { direction: 'out', nextHop: 'b.example' }),
      'name-mismatch',
    ],
  ];
  for (const [name, verdict, reason] of rows) {
    test(`fail/${name}`, () => {
      expect(verdict.verdict).not.toBe('trusted');
      expect(verdict.findings[0]?.code).toBe(reason);
    });
  }
});
