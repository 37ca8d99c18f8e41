/** A certificate with the names of several agreements (R-11, T-44): the strictest of all, whatever the order. */

import { describe, expect, test } from 'vitest';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import { crl, ext, leaf, makeKey, NOW, root } from '../../../support/certificates.js';
import { agreementWith, evidenceWith, snapshotWith } from '../../../support/snapshot.js';

const shared = root({ subject: 'CN=Shared CA' });
const anchors = { client: [shared.facts], server: [shared.facts] };
const NAMES = ['b.example', 'c.example', 'd.example'];
const key = makeKey();
const certificate = (names: readonly string[]) =>
  leaf(shared, {
    subject: 'CN=peer',
    serial: 77n,
    key,
    extensions: { altNames: ext.altNames(names.map((dns) => ({ dns }))) },
  }).facts;
const list = crl(shared, { revoked: [{ serial: Uint8Array.of(77) }] }).facts;

const b = (over: Partial<Agreement> = {}) => agreementWith({ name: 'op-b', domains: ['b.example'], anchors, ...over });
const c = (over: Partial<Agreement> = {}) => agreementWith({ name: 'op-c', domains: ['c.example'], anchors, ...over });
const d = (over: Partial<Agreement> = {}) => agreementWith({ name: 'op-d', domains: ['d.example'], anchors, ...over });

const permutations = <T>(all: readonly T[]): readonly (readonly T[])[] =>
  all.length < 2 ? [all] : all.flatMap((one, at) => permutations(all.toSpliced(at, 1)).map((rest) => [one, ...rest]));

/** What is answered for each order of the agreements and of the names; the differing answers. */
function answers(agreements: readonly Agreement[], verified = true) {
  const names = NAMES.slice(0, agreements.length);
  const found = permutations(agreements).flatMap((order) =>
    permutations(names).map((list) => {
      const tls = { ...evidenceWith().tls, certificate: certificate(list), verified } as never;
      const { checks, validUntil, ...rest } = judgePeer(evidenceWith({ tls }), snapshotWith(order), NOW);
      return JSON.stringify({ ...rest, agreement: rest.agreement?.name, terms: rest.agreement?.asserts });
    }),
  );
  return [...new Set(found)].map((text) => JSON.parse(text));
}

describe('the strictest of all, whatever the order', () => {
  test.each([
    ['both hold', [b(), c()], { verdict: 'trusted', agreement: 'op-b+op-c' }],
    ['three hold', [b(), c(), d()], { verdict: 'trusted', agreement: 'op-b+op-c+op-d' }],
    ['one is switched off', [b(), c({ enabled: false })], { verdict: 'untrusted', agreement: 'op-c' }],
    [
      'for one of them it is revoked',
      [b(), c({ revocation: 'soft', crls: [list] })],
      { verdict: 'reject', action: 'close', code: 403, agreement: 'op-c' },
    ],
    [
      'revoked weighs more than switched off, and than a pin',
      [b({ enabled: false }), c({ revocation: 'soft', crls: [list] }), d({ pins: ['x'] })],
      { verdict: 'reject', action: 'close', agreement: 'op-c' },
    ],
    [
      'of two that do not hold, the one that says more',
      [b({ directions: ['out'] }), c({ pins: ['x'] })],
      { verdict: 'untrusted', agreement: 'op-c' },
    ],
  ] as const)('ok/%s', (_, agreements, expected) => {
    const found = answers(agreements);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject(expected);
  });

  test('ok/no reason of one agreement leaks into what is said of another', () => {
    const [found] = answers([b({ pins: ['x'] }), c({ revocation: 'soft', crls: [list] })]);
    const codes = found.findings.map(({ code }: { code: string }) => code);
    expect(codes).toEqual(['revoked', 'ambiguous-peer']);
  });

  test('ok/what is only monitored changes nothing for the other', () => {
    const [found] = answers([b(), c({ enforcement: 'monitor', revocation: 'soft', crls: [list] })]);
    expect(found).toMatchObject({ verdict: 'trusted', agreement: 'op-b' });
    expect(found.findings.map(({ code }: { code: string }) => code)).toEqual(['agreement-covers']);
  });
});
