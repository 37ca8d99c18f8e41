/** A certificate with the names of several agreements (R-11, T-44): the strictest of all, whatever the order. */

import { describe, expect, test } from 'vitest';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import type { CertificateFacts } from '../../../../src/x509/certificate/facts.js';
import { ca, crl, ext, leaf, makeKey, NOW, root } from '../../../support/certificates.js';
import { presenting, sent } from '../../../support/evidence.js';
import { legacyC, ndsSnapshot } from '../../../support/nds.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

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
      const { checks, validUntil, ...rest } = judgePeer(
        presenting(certificate(list), { verified }),
        snapshotWith(order),
        NOW,
      );
      return JSON.stringify({ ...rest, agreement: rest.agreement?.name, terms: rest.agreement?.asserts });
    }),
  );
  return [...new Set(found)].map((text) => JSON.parse(text));
}

describe('the strictest of all, whatever the order', () => {
  test.each([
    ['both hold', [b(), c()], { verdict: 'trusted', agreement: 'op-b+op-c' }],
    ['three hold', [b(), c(), d()], { verdict: 'trusted', agreement: 'op-b+op-c+op-d' }],
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

  test.each<[string, Partial<Agreement>, string]>([
    ['nobody, where the two have domains of their own', {}, 'no domain; interconnect non-roaming'],
    [
      'whom the network behind a hub may',
      { asserts: { domains: ['c.example'], numbers: 'any', transit: true }, interconnect: 'roaming' },
      'b.example; interconnect internet',
    ],
  ])('ok/it is said whom the peer may assert then: %s', (_, over, may) => {
    const asserts = { domains: ['b.example'], numbers: 'any', transit: false } as const;
    const own = { domains: ['c.example'], numbers: 'any', transit: false } as const;
    const [found, ...others] = answers([b({ asserts }), c({ asserts: own, ...over })]);
    expect(others).toEqual([]);
    expect(found.findings[1].detail).toBe(
      `agreements op-b and op-c all cover the certificate: what one does not allow is not allowed (P-Asserted-Identity may bear ${may})`,
    );
  });

  test('ok/what is only monitored changes nothing for the other', () => {
    const [found] = answers([b(), c({ enforcement: 'monitor', revocation: 'soft', crls: [list] })]);
    expect(found).toMatchObject({ verdict: 'trusted', agreement: 'op-b' });
    expect(found.findings.map(({ code }: { code: string }) => code)).toEqual(['agreement-covers']);
    const policy = snapshotWith([b(), c({ enforcement: 'monitor' })]);
    const { checks } = judgePeer(presenting(certificate(['b.example', 'c.example'])), policy, NOW);
    expect(checks.map(({ compared }) => compared)).toContain(
      'agreement op-c is only monitored, and another one is enforced',
    );
  });
});

describe('an agreement that is not in force says nothing of the others, and lends nothing', () => {
  test.each<[string, Partial<Agreement>, string | RegExp]>([
    ['it is switched off', { enabled: false }, 'agreement op-c: enabled is false'],
    ['it ended yesterday', { valid: { from: 0, until: NOW - 1 } }, /expected a time until \S+Z, found \S+Z$/],
    [
      'it begins tomorrow',
      { valid: { from: NOW + 5000, until: Infinity } },
      /expected a time from \S+Z on, found \S+Z$/,
    ],
    ['it is for calls that leave', { directions: ['out'] }, 'expected one of out, found in'],
    ['it is by path', { mechanism: 'nds-ip' }, 'expected nds-ip, found tls'],
  ])('ok/%s', (_, over, why) => {
    const found = answers([b(), c(over)]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ verdict: 'trusted', agreement: 'op-b', domains: ['b.example'] });
    expect(found[0].terms.domains).toEqual(['b.example']);
    expect(found[0].findings.map(({ code }: { code: string }) => code)).toEqual(['agreement-covers', 'ambiguous-peer']);
    expect(found[0].findings[1].detail).toMatch(why);
  });
  test('ok/the verdict ends where such an agreement begins: both count from then on', () => {
    const begins = c({ valid: { from: NOW + 5000, until: Infinity } });
    const shown = presenting(certificate(['b.example', 'c.example']));
    expect(judgePeer(shown, snapshotWith([b(), begins]), NOW).validUntil).toBe(NOW + 5000);
    const { domains } = judgePeer(shown, snapshotWith([b(), begins]), NOW + 5000);
    expect(domains).toEqual(['b.example', 'c.example']);
  });
  test.each<[string, Partial<Agreement>]>([
    ['it is switched off', { enabled: false }],
    ['it ended, and its keys and attributes are others', { valid: { from: 0, until: NOW - 1 }, pins: ['x'] }],
    ['it begins tomorrow', { valid: { from: NOW + 5000, until: Infinity }, subject: { organization: ['x'] } }],
    ['it is for calls that leave', { directions: ['out'] }],
  ])('fail/by whose list the certificate is revoked: %s', (_, over) => {
    const found = answers([b(), c({ ...over, revocation: 'soft', crls: [list] })]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ verdict: 'untrusted', action: 'continue', agreement: 'op-c' });
    expect(found[0].findings[0]).toMatchObject({ code: 'revoked' });
    expect(found[0].findings[0].detail).toMatch(/^agreement op-c, which is not in force: /);
  });
  test.each<[string, Partial<Agreement>]>([
    ['asks nothing of lists', { revocation: 'off', crls: [list] }],
    ['does not know', { revocation: 'hard' }],
    ['is only monitored', { enforcement: 'monitor', revocation: 'soft', crls: [list] }],
  ])('ok/one that %s', (_, over) => {
    expect(answers([b(), c({ enabled: false, ...over })])).toMatchObject([{ verdict: 'trusted', agreement: 'op-b' }]);
  });
  test('fail/one that is in force and does not hold still counts', () => {
    const [found] = answers([b(), c({ pins: ['x'] }), d({ enabled: false })]);
    expect(found).toMatchObject({ verdict: 'untrusted', agreement: 'op-c' });
  });
  test('fail/none of them is in force', () => {
    const [found] = answers([b({ enabled: false }), c({ valid: { from: 0, until: NOW - 1 } })]);
    expect(found).toMatchObject({ verdict: 'untrusted', agreement: 'op-c' });
    expect(found.findings[0].detail).toMatch(/; op-c does not hold: agreement op-c: expected a time until /);
  });
  test('fail/what is monitored does not stand in for one that ended', () => {
    const [found] = answers([b({ enabled: false }), c({ enforcement: 'monitor' })]);
    expect(found).toMatchObject({ verdict: 'untrusted', agreement: 'op-b' });
    expect(found.would).toBeUndefined();
  });
});

describe('a certificate that names very many partners: work is bounded', () => {
  const of = (count: number, over: (index: number) => Partial<Agreement> = () => ({})) =>
    Array.from({ length: count }, (_, i) =>
      agreementWith({ name: `op-${i}`, domains: [`p${i}.example`], anchors, ...over(i) }),
    );
  const naming = (count: number, issuer = shared, chain: readonly CertificateFacts[] = []) => {
    const altNames = ext.altNames(Array.from({ length: count }, (_, i) => ({ dns: `p${i}.example` })));
    const shown = leaf(issuer, { subject: 'CN=peer', key, extensions: { altNames } }).facts;
    return presenting(shown, sent(chain));
  };
  test('ok/32 agreements', () => {
    expect(judgePeer(naming(32), snapshotWith(of(32)), NOW).verdict).toBe('trusted');
  });
  test('fail/33: not one of them is judged', () => {
    const { verdict, action, findings, checks } = judgePeer(naming(33), snapshotWith(of(33)), NOW);
    expect([verdict, action, findings[0]?.code]).toEqual(['untrusted', 'continue', 'ambiguous-peer']);
    expect(findings[0]?.detail).toMatch(/at most 32 agreements, found 33: op-0, op-1, op-10 and more/);
    expect(checks.filter(({ name }) => name === 'path')).toEqual([]);
  });
  test('fail/33 of which none is in force: it says so, and not that they are too many', () => {
    const none = snapshotWith(of(33, () => ({ enabled: false })));
    expect(judgePeer(naming(33), none, NOW).findings[0]?.detail).toBe(
      'agreements op-0, op-1, op-10 and more are named by the certificate; op-0 does not hold: agreement op-0: enabled is false',
    );
  });
  test('fail/32 with long names: what does not hold is told all the same', () => {
    const long = of(32, (i) => ({ name: `operator-with-a-long-name-${i}`, ...(i === 31 && { pins: ['x'] }) }));
    const [first, second] = judgePeer(naming(32), snapshotWith(long), NOW).findings;
    expect(first?.code).toBe('pin-mismatch');
    expect(second?.detail).toMatch(
      /and more are named by the certificate; operator-with-a-long-name-31 does not hold: /,
    );
  });
  test('fail/nor is such a peer trusted by the path that it came over', () => {
    const snapshot = ndsSnapshot({}, [...of(33), legacyC()]);
    const arrived = { localPort: 5062, sourceAddress: '192.0.2.9' };
    const nobody = presenting(certificate(['x.example']), {}, arrived);
    expect(judgePeer(nobody, snapshot, NOW).verdict).toBe('trusted');
    expect(judgePeer({ ...naming(33), ...arrived }, snapshot, NOW).verdict).toBe('untrusted');
  });
  test('ok/those that are only monitored change nothing for the others', () => {
    const agreements = of(200, (i) => ({ enforcement: i < 3 ? 'enforce' : 'monitor' }));
    const { verdict, agreement } = judgePeer(naming(200), snapshotWith(agreements), NOW);
    expect([verdict, agreement?.name]).toEqual(['trusted', 'op-0+op-1+op-2']);
  });
  test('ok/nor do those that are not in force, and three of them are told', () => {
    const agreements = of(200, (i) => ({ enabled: i < 3 }));
    const { verdict, agreement, findings } = judgePeer(naming(200), snapshotWith(agreements), NOW);
    expect([verdict, agreement?.name]).toEqual(['trusted', 'op-0+op-1+op-2']);
    expect(findings.map(({ code }) => code)).toEqual(['agreement-covers', ...Array(4).fill('ambiguous-peer')]);
  });
  test('fail/all of them share the work of one question', () => {
    // Each of these paths holds by itself, and takes a good part of what a question may take.
    const permitted = Array.from({ length: 3000 }, (_, i) => ({ dns: `p${i}.example` }));
    const limited = ca(shared, { subject: 'CN=limited', add: [ext.constraints({ permitted })] });
    const one = judgePeer(naming(2000, limited, [limited.facts]), snapshotWith(of(1)), NOW);
    expect(one.verdict).toBe('trusted');
    const { verdict, findings } = judgePeer(naming(2000, limited, [limited.facts]), snapshotWith(of(32)), NOW);
    expect([verdict, findings[0]?.code]).toEqual(['untrusted', 'path-budget']);
    // Those that are not in force too, where a list could say that it is revoked.
    const ended = of(32, (i) => ({ enabled: i === 0, revocation: i === 0 ? 'off' : 'soft' }));
    const late = judgePeer(naming(2000, limited, [limited.facts]), snapshotWith(ended), NOW);
    expect([late.verdict, late.findings[0]?.code]).toEqual(['untrusted', 'path-budget']);
  });
});
