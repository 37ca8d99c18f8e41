import { describe, expect, test } from 'vitest';
import { type CrlSpec, crl, DAY, leaf, NOW, root } from '../../../support/certificates.js';
import { judgePath } from '../../../support/paths.js';

const issuer = root();
const peer = leaf(issuer);
const revoked = [{ serial: peer.serial }];

function told(crls: readonly ReturnType<typeof crl>[], crlGrace = 0): string {
  const result = judgePath({
    leaf: peer,
    anchors: [issuer],
    crls,
    ask: { revocation: 'hard', strict: false, crlGrace },
  });
  return result.findings[0]?.code ?? 'ok';
}

describe('of several lists of one scope the newest speaks', () => {
  const older = (spec = {}) => crl(issuer, { thisUpdate: NOW - 3 * DAY, number: 3, ...spec });
  const newer = (spec = {}) => crl(issuer, { thisUpdate: NOW - DAY, number: 4, ...spec });

  test('fail/revoked since the older list, which has not run out (T-46)', () => {
    expect(told([older(), newer({ revoked })])).toBe('revoked');
    expect(told([newer({ revoked }), older()])).toBe('revoked');
  });
  test('ok/held in the older list, released in the newer', () => {
    expect(told([older({ revoked: [{ serial: peer.serial, reason: 6 }] }), newer()])).toBe('ok');
  });
  test('fail/a newer list that is not signed by the CA does not hide the older', () => {
    const forged = newer({ changeSignature: (octets: Uint8Array) => octets.map((octet) => octet ^ 1) });
    expect(told([older({ revoked }), forged])).toBe('revoked');
  });
  test.each<[string, CrlSpec, CrlSpec, string]>([
    ['the greater number', { number: 4 }, { number: 5, revoked }, 'revoked'],
    [
      'the greater number, which releases',
      { number: 5, revoked: [{ serial: peer.serial, reason: 6 }] },
      { number: 6 },
      'ok',
    ],
    ['one number: what is revoked in one is', { number: 4 }, { number: 4, revoked }, 'revoked'],
    ['no number: likewise', { number: 'absent' }, { number: 'absent', revoked }, 'revoked'],
    ['256 is greater than 255', { number: 255 }, { number: 256, revoked }, 'revoked'],
  ])('of one second %s', (_, one, other, expected) => {
    const lists = [crl(issuer, one), crl(issuer, other)];
    expect([told(lists), told([...lists].reverse())]).toEqual([expected, expected]);
  });
  test('ok/of one second, listed by a list that nobody signed', () => {
    const forged = crl(issuer, {
      number: 9,
      revoked,
      changeSignature: (octets: Uint8Array) => octets.map((octet) => octet ^ 1),
    });
    expect(told([crl(issuer, { number: 4 }), forged])).toBe('ok');
  });
  test('fail/a newer list for CAs alone does not hide the older', () => {
    expect(told([newer({ scope: { cas: true } }), older({ revoked })])).toBe('revoked');
  });
});

describe('the grace past nextUpdate (rulebook §8.3)', () => {
  const late = (spec = {}) => crl(issuer, { thisUpdate: NOW - 3 * DAY, nextUpdate: NOW - DAY, ...spec });
  test('fail/none by default', () => expect(told([late()])).toBe('rev-unknown'));
  test('ok/within it, and told', () => expect(told([late()], DAY + 1000)).toBe('crl-grace'));
  test('fail/at its end', () => expect(told([late()], DAY)).toBe('rev-unknown'));
  test('fail/revoked in a list within the grace', () => expect(told([late({ revoked })], 2 * DAY)).toBe('revoked'));
  test('ok/nothing is told where a current list is at hand', () =>
    expect(told([late(), crl(issuer)], 2 * DAY)).toBe('ok'));
  test('ok/the answer holds until the end of the grace, which is told', () => {
    const ask = { revocation: 'hard', strict: false, crlGrace: 2 * DAY } as const;
    const detail = 'should have been replaced at 2026-05-31T00:00:00.000Z, counts until 2026-06-02T00:00:00.000Z';
    expect(judgePath({ leaf: peer, anchors: [issuer], crls: [late()], ask })).toMatchObject({
      validUntil: NOW + DAY,
      findings: [{ code: 'crl-grace', detail: expect.stringContaining(detail) }],
    });
  });
  test('ok/a current list is asked about again at its nextUpdate', () => {
    const ask = { revocation: 'hard', strict: false, crlGrace: 2 * DAY } as const;
    const current = crl(issuer, { nextUpdate: NOW + 5000 });
    expect(judgePath({ leaf: peer, anchors: [issuer], crls: [current], ask })).toMatchObject({
      validUntil: NOW + 5000,
    });
  });
});
