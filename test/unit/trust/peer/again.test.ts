import { describe, expect, test } from 'vitest';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import { NO_APPROVED_PINS } from '../../../../src/trust/cover/context.js';
import { askAgain, type KnownStatus } from '../../../../src/trust/peer/again.js';
import { judgePeer } from '../../../../src/trust/peer/peer.js';
import { headerEdits, treatmentOf, treatsOtherwise } from '../../../../src/trust/verdict/treatment.js';
import { crl, DAY, ext, leaf, NOW, root } from '../../../support/certificates.js';
import { presenting } from '../../../support/evidence.js';
import { plainAgreements } from '../../../support/plain-agreements.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const rootB = root({ subject: 'O=Operator B,CN=B CA' });
const peerB = leaf(rootB, { extensions: { altNames: ext.altNames([{ dns: 'b.example' }]) } });
const anchors = { client: [rootB.facts], server: [rootB.facts] };
const evidence = presenting(peerB.facts);
const policy = (over: Partial<Agreement>) => snapshotWith([agreementWith({ anchors, ...over })]);
const before = treatmentOf(judgePeer(evidence, policy({}), NOW), policy({}));

function again(over: Partial<Agreement>, status: KnownStatus, then = before, at = NOW) {
  return askAgain({ evidence, at, status, before: then }, policy(over), NO_APPROVED_PINS).treatment;
}

describe('what a candidate policy says', () => {
  test('ok/the same policy, the same answer', () => {
    expect(before).toMatchObject({
      verdict: 'trusted',
      profile: 'trusted',
      asserts: ['b.example'],
      action: 'continue',
    });
    expect(treatsOtherwise(before, again({}, 'unknown'))).toBe(false);
  });
  test('ok/another CA: untrusted, and why', () => {
    const answer = again({ anchors: { client: [], server: [] } }, 'unknown');
    expect(answer).toMatchObject({ verdict: 'untrusted', agreement: 'op-b', profile: 'untrusted', asserts: [] });
    expect(treatsOtherwise(before, answer)).toBe(true);
  });
  test('ok/judged at the time of the question', () => {
    const until = { from: Number.NEGATIVE_INFINITY, until: NOW - DAY };
    expect(again({ valid: until }, 'unknown')).toMatchObject({ reason: 'agreement-time' });
    expect(treatsOtherwise(before, again({ valid: until }, 'unknown', before, NOW - 2 * DAY))).toBe(false);
  });
  test('ok/what may be asserted counts, and the order of it does not', () => {
    const asserts = { domains: ['x.example', 'b.example'], numbers: 'any', transit: false } as const;
    expect(treatsOtherwise(before, again({ asserts }, 'unknown'))).toBe(true);
    expect(treatsOtherwise({ ...before, asserts: ['b.example', 'x.example'] }, again({ asserts }, 'unknown'))).toBe(
      false,
    );
  });
});

describe('revocation, where lists and answers that were fetched are gone', () => {
  const list = crl(rootB, { revoked: [{ serial: peerB.facts.serialOctets }] }).facts;
  const revoked = { ...before, verdict: 'reject', reason: 'revoked', action: 'close' } as const;
  test('ok/known to be good then: not asked for again', () => {
    expect(again({ revocation: 'hard' }, 'good')).toMatchObject({ verdict: 'trusted' });
  });
  test('ok/known to be good then, and found by a suffix: not asked for again', () => {
    const over = { domains: ['c.example'], wildcardNames: ['example'], revocation: 'hard' } as const;
    expect(again(over, 'unknown')).toMatchObject({ verdict: 'untrusted', reason: 'rev-unknown' });
    expect(again(over, 'good')).toMatchObject({ verdict: 'trusted' });
  });
  test('ok/agreements that the certificate does not name are not looked at', () => {
    const looked: string[] = [];
    const others = Array.from({ length: 500 }, (_, at) => {
      const other = agreementWith({ name: `op-${at}`, domains: [`d${at}.example`] });
      return Object.defineProperty({ ...other }, 'anchors', {
        enumerable: true,
        get: () => looked.push(other.name) && anchors,
      });
    });
    const asked = agreementWith({ anchors, revocation: 'hard' });
    const snapshot = { ...snapshotWith([asked]), agreements: plainAgreements(asked, ...others) };
    const question = { evidence, at: NOW, status: 'good', before } as const;
    expect(askAgain(question, snapshot, NO_APPROVED_PINS).treatment).toMatchObject({ verdict: 'trusted' });
    expect(looked).toEqual([]);
  });
  test('ok/unknown then: hard makes the difference', () => {
    expect(again({ revocation: 'hard' }, 'unknown')).toMatchObject({ verdict: 'untrusted', reason: 'rev-unknown' });
  });
  test('ok/known to be good then, revoked by a list of the candidate', () => {
    expect(again({ revocation: 'hard', crls: [list] }, 'good')).toMatchObject({ reason: 'revoked' });
  });
  test('ok/revoked then: it stays so where the candidate looks', () => {
    expect(again({ revocation: 'soft' }, 'revoked', revoked)).toBe(revoked);
    expect(again({ revocation: 'off' }, 'revoked', revoked)).toMatchObject({ verdict: 'trusted' });
  });
});

describe('header edits of a change of profile', () => {
  test('ok/trusted no longer: the private fields go', () => {
    const { removed, kept } = headerEdits('trusted', 'untrusted', 'in');
    expect(removed).toContain('P-Asserted-Identity');
    // Strangers log in at our side, partners do not: the header table says so.
    expect(kept).toContain('Authorization');
    expect(kept).not.toContain('P-Asserted-Identity');
  });
  test('ok/and back', () => {
    const there = headerEdits('trusted', 'untrusted', 'out');
    const back = headerEdits('untrusted', 'trusted', 'out');
    expect([back.removed, back.kept]).toEqual([there.kept, there.removed]);
  });
  test('ok/the same profile edits the same', () => {
    expect(headerEdits('ask', 'ask', 'in')).toEqual({ removed: [], kept: [] });
  });
});
