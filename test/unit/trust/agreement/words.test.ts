import { describe, expect, test } from 'vitest';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import { needsCertificate, servedByWords } from '../../../../src/trust/agreement/words.js';
import { agreementWith } from '../../../support/snapshot.js';

const terms = (over: Partial<Agreement> = {}) =>
  agreementWith({ issuer: { commonName: ['B CA'] }, revocation: 'off', domains: ['b.example'], ...over });

describe('an agreement and a proxy that has words alone', () => {
  const rows: readonly (readonly [string, Partial<Agreement>, 'yes' | 'partly' | 'no', string])[] = [
    ['an issuer and one domain', {}, 'yes', ''],
    ['whole issuers', { issuer: {}, attributeIssuers: ['/CN=B CA'] }, 'yes', ''],
    ['soft revocation', { revocation: 'soft' }, 'yes', ''],
    ['nds-ip asks for no certificate', { mechanism: 'nds-ip', issuer: {} }, 'yes', ''],
    ['no issuer', { issuer: {} }, 'no', 'names no issuer'],
    ['pins', { pins: ['x'] }, 'no', 'pins need'],
    ['approved pins', { pinned: true }, 'no', 'pins need'],
    ['hard revocation', { revocation: 'hard' }, 'no', 'revocation: hard'],
    ['several domains', { domains: ['b.example', 'c.example'] }, 'partly', '2 domains'],
    ['siptrust decides alone', { stackVerification: 'advisory' }, 'partly', 'advisory'],
    ['common names', { cnFallback: true }, 'partly', 'cn_fallback'],
    ['only monitored', { enforcement: 'monitor' }, 'partly', 'strips its messages'],
    ['only monitored, without TLS', { mechanism: 'nds-ip', enforcement: 'monitor' }, 'partly', 'strips its messages'],
    ['the first reason that serves nobody', { pins: ['x'], domains: ['a.example', 'b.example'] }, 'no', 'pins'],
  ];
  test.each(rows)('ok/%s', (_, over, served, why) => {
    const found = servedByWords(terms(over));
    expect(found.served).toBe(served);
    expect(found.why).toContain(why);
    expect(found.why === '').toBe(why === '');
    if (terms(over).mechanism === 'tls') expect(needsCertificate(terms(over)) !== undefined).toBe(served === 'no');
  });
});
