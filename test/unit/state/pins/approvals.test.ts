import { describe, expect, test } from 'vitest';
import { missingApprovals } from '../../../../src/state/pins/approvals.js';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import { atOnce } from '../../../../src/x509/der/in-steps.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const b = agreementWith({ name: 'op-b', pinned: true });
const missing = (agreements: readonly Agreement[], ...approved: readonly string[]) =>
  atOnce(missingApprovals(snapshotWith(agreements), new Map(approved.map((name) => [name, new Set(['k1'])]))));

describe('approvals that are missing', () => {
  test('ok/none where a key is approved, is in the policy, or where nobody asks', () => {
    const fine = [b, { ...b, name: 'op-c', pins: ['x'] }, { ...b, name: 'op-d', pinned: false }];
    expect(missing([...fine, { ...b, name: 'op-e', enabled: false }], 'op-b')).toEqual([]);
  });
  test('fail/an agreement that is new', () => {
    expect(missing([b])).toEqual([
      'agreement op-b: pinned, and no key is approved for it: no certificate is trusted under it; next: siptrustctl pin list op-b, then siptrustctl pin approve op-b PIN',
    ]);
  });
  test('fail/one that got another name: whose approvals nobody takes over', () => {
    const [line] = missing([b, { ...b, name: 'op-c' }], 'op-c', 'b-1', 'b-2', 'b-3', 'b-4');
    expect(line).toContain(
      '; approvals of b-1, b-2, b-3, others are of no agreement any more, and none takes them over; ',
    );
  });
  test('fail/thousands: the first ones, and how many more', () => {
    const lines = missing(Array.from({ length: 5000 }, (_, at) => ({ ...b, name: `op-${at}` })));
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('4980 more agreements: pinned, and no key is approved for them');
  });
});
