import { describe, expect, test } from 'vitest';
import { Budget } from '../../../../src/x509/certificate/budget.js';
import { signatureVerifies, signatureVerifiesInSteps } from '../../../../src/x509/certificate/signature.js';
import {
  saysTheSame,
  whyClearsNobody,
  whyForeign,
  whyNarrower,
  whyOlder,
} from '../../../../src/x509/revocation/crl-change.js';
import { type CrlSpec, crl, DAY, makeKey, NOW, root, sharedKey } from '../../../support/certificates.js';

const issuer = root();
const facts = (spec: CrlSpec = {}) => crl(issuer, { thisUpdate: NOW - DAY, number: 7, ...spec }).facts;
const numbered = (number: bigint) => Uint8Array.from(Buffer.from(number.toString(16), 'hex'));

describe('whyOlder: what may not take the place of a list', () => {
  const rows: readonly (readonly [name: `${'ok' | 'fail'}/${string}`, found: CrlSpec, held?: CrlSpec])[] = [
    ['ok/newer', { thisUpdate: NOW, number: 8 }],
    ['ok/the same', {}],
    ['ok/no number', { thisUpdate: NOW, number: 'absent' }],
    ['fail/older', { thisUpdate: NOW - 2 * DAY, number: 8 }],
    ['fail/a lower number', { thisUpdate: NOW, number: 6 }],
    ['ok/a lower number where the list before has run out', { number: 6 }, { nextUpdate: NOW }],
    ['fail/older than one that has run out', { thisUpdate: NOW - 2 * DAY }, { nextUpdate: NOW }],
    ['ok/numbers of two lengths', { number: 256 }, { number: 255 }],
    ['fail/numbers of two lengths', { number: 255 }, { number: 256 }],
  ];
  for (const [name, found, held = {}] of rows) {
    test(name, () => expect(whyOlder(facts(found), facts(held), NOW) === undefined).toBe(name.startsWith('ok')));
  }
});

describe('whyNarrower: what speaks of less than the list before', () => {
  const names = (uri: string) => ({ names: [{ uri }] });
  type Scope = CrlSpec['scope'];
  const rows: readonly (readonly [name: `${'ok' | 'fail'}/${string}`, found: Scope, held: Scope])[] = [
    ['ok/all, after all', undefined, undefined],
    ['ok/all, after a part', undefined, { users: true, ...names('http://c/1') }],
    ['ok/the same part', { users: true, ...names('http://c/1') }, { users: true, ...names('http://c/1') }],
    ['ok/a wider part', names('http://c/1'), { users: true, ...names('http://c/1') }],
    ['ok/indirect too', { indirect: true }, undefined],
    ['fail/a part, after all', names('http://c/1'), undefined],
    ['fail/another part', names('http://c/2'), names('http://c/1')],
    ['fail/that of the CAs', { cas: true }, { users: true }],
    ['fail/that of the CAs alone', { cas: true }, undefined],
    ['fail/that of attribute certificates', { attributes: true }, undefined],
    ['fail/some reasons', { reasons: ['superseded'] }, undefined],
    ['fail/other reasons', { reasons: ['superseded'] }, { reasons: ['keyCompromise'] }],
    ['fail/a relative name', { relative: 'CN=2' }, { relative: 'CN=1' }],
    ['fail/without the certificates of others', { users: true }, { users: true, indirect: true }],
  ];
  const asked = (found: Scope, held: Scope, spec: CrlSpec = {}) =>
    whyNarrower(
      facts(found === undefined ? {} : { scope: found }),
      facts(held === undefined ? spec : { scope: held, ...spec }),
      NOW,
    );
  for (const [name, found, held] of rows) {
    test(name, () => expect(asked(found, held) === undefined).toBe(name.startsWith('ok')));
  }
  test('ok/where the list before has run out', () =>
    expect(asked(names('http://c/2'), names('http://c/1'), { nextUpdate: NOW })).toBeUndefined());
});

describe('whyForeign, whyClearsNobody', () => {
  const issuers = new Set([issuer.facts.subjectKeys.text]);
  const times = { at: NOW, skew: 1000, grace: 0 };
  const foreign = (spec: CrlSpec) => whyForeign(facts(spec), issuers, times);
  const clearsNobody = (spec: CrlSpec, grace = 0) => whyClearsNobody(facts(spec), { ...times, grace });
  test('ok/current', () => expect(foreign({}) ?? clearsNobody({})).toBeUndefined());
  test('ok/thisUpdate within the skew', () => expect(foreign({ thisUpdate: NOW + 1000 })).toBeUndefined());
  test('fail/thisUpdate to come', () => expect(foreign({ thisUpdate: NOW + 2000 })).toMatch(/thisUpdate/));
  test('fail/another issuer', () => expect(whyForeign(facts(), new Set(['x']), times)).toMatch(/of the issuer/));
  test('fail/a delta', () => expect(foreign({ base: 5 })).toMatch(/a delta/));
  test('fail/run out', () => expect(clearsNobody({ nextUpdate: NOW })).toMatch(/nextUpdate/));
  test('fail/without nextUpdate', () => expect(clearsNobody({ nextUpdate: 'absent' })).toMatch(/nextUpdate/));
  test('ok/run out within the grace', () => expect(clearsNobody({ nextUpdate: NOW }, DAY)).toBeUndefined());
  test('ok/one that clears nobody is of its issuer all the same', () =>
    expect(foreign({ nextUpdate: NOW - DAY })).toBeUndefined());
});

describe('saysTheSame', () => {
  const revoked = [{ serial: numbered(0x0102n) }, { serial: numbered(0x0304n), reason: 1 }];
  test('ok/other times and numbers', () =>
    expect(saysTheSame(facts({ revoked }), facts({ revoked, number: 9, nextUpdate: NOW + 9 * DAY }))).toBe(true));
  test('ok/both empty', () => expect(saysTheSame(facts(), facts({ number: 8 }))).toBe(true));
  test('ok/version 1', () => {
    const old = { version: 'absent', number: 'absent', revoked: revoked.slice(0, 1) } as const;
    expect(saysTheSame(facts(old), facts({ ...old, nextUpdate: NOW + 8 * DAY }))).toBe(true);
  });
  test('fail/one more', () =>
    expect(saysTheSame(facts({ revoked: revoked.slice(0, 1) }), facts({ revoked }))).toBe(false));
  test('fail/one less', () => expect(saysTheSame(facts({ revoked }), facts())).toBe(false));
  test('fail/another serial', () =>
    expect(
      saysTheSame(
        facts({ revoked: [{ serial: Uint8Array.of(5) }] }),
        facts({ revoked: [{ serial: Uint8Array.of(6) }] }),
      ),
    ).toBe(false));
  test('fail/another reason', () => {
    const held = (reason: number) => facts({ revoked: [{ serial: Uint8Array.of(5), reason }] });
    expect(saysTheSame(held(6), held(8))).toBe(false);
  });
  test('fail/another scope', () =>
    expect(saysTheSame(facts({ revoked }), facts({ revoked, scope: { users: true } }))).toBe(false));
});

describe('signatureVerifiesInSteps', () => {
  function end(work: Generator<undefined, boolean>): { readonly outcome: boolean; readonly steps: number } {
    for (let steps = 0; ; steps++) {
      const { done, value } = work.next();
      if (done) return { outcome: value, steps };
    }
  }
  const kinds = [
    ['p256', 'sha256'],
    ['p384', 'sha384'],
    ['rsa2048', 'sha256'],
    ['rsa2048', 'pss-sha256'],
    ['ed25519', 'sha256'],
  ] as const;
  for (const [kind, signature] of kinds) {
    test(`ok/${kind} ${signature}, and it is remembered`, () => {
      const key = sharedKey(kind);
      const signer = root({ key });
      const list = crl(signer, { signature }).facts;
      expect(end(signatureVerifiesInSteps(list, signer.facts.publicKey)).outcome).toBe(true);
      expect(end(signatureVerifiesInSteps(list, signer.facts.publicKey))).toEqual({ outcome: true, steps: 0 });
      expect(signatureVerifies(list, signer.facts.publicKey, new Budget())).toBe(true);
    });
    test(`fail/${kind} ${signature}, changed`, () => {
      const signer = root({ key: sharedKey(kind) });
      const changeSignature = (octets: Uint8Array) =>
        octets.map((octet, at) => (at === octets.length - 1 ? octet ^ 1 : octet));
      const list = crl(signer, { signature, changeSignature }).facts;
      expect(end(signatureVerifiesInSteps(list, signer.facts.publicKey)).outcome).toBe(false);
    });
  }
  test('fail/another key', () => {
    const list = crl(issuer).facts;
    expect(end(signatureVerifiesInSteps(list, root({ key: makeKey() }).facts.publicKey)).outcome).toBe(false);
    expect(end(signatureVerifiesInSteps(list, root({ key: sharedKey('rsa2048') }).facts.publicKey)).outcome).toBe(
      false,
    );
  });
  test('ok/megabytes take several steps', () => {
    const revoked = Array.from({ length: 60_000 }, (_, at) => ({ serial: numbered(0x10000000n + BigInt(at)) }));
    const list = crl(issuer, { revoked }).facts;
    const { outcome, steps } = end(signatureVerifiesInSteps(list, issuer.facts.publicKey));
    expect(outcome).toBe(true);
    expect(steps).toBeGreaterThan(1);
  });
});
