/** What remains when one certificate bears names of two agreements: what both allow (RFC 5922 §7.4; rulebook I-4). */

import { describe, expect, test } from 'vitest';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import { leastPrivilege } from '../../../../src/trust/agreement/least-privilege.js';
import { agreementWith } from '../../../support/snapshot.js';

const X = { domains: ['x.example'], hosts: ['192.0.2.7'], numbers: 'any', transit: false } as const;
const Y = { domains: ['y.example', 'x.example'], hosts: [], numbers: ['+49'], transit: false } as const;
const HUB = { domains: ['hub.example'], hosts: [], numbers: 'any', transit: true } as const;

describe('whom both may assert', () => {
  test.each<[string, Agreement['asserts'], Agreement['asserts'], Agreement['asserts']]>([
    ['what both name', X, Y, { domains: ['x.example'], hosts: [], numbers: ['+49'], transit: false }],
    ['behind a hub that passes on what others assert, what the other one may', X, HUB, X],
    ['of two hubs, what any hub may', HUB, { ...HUB, domains: ['y.example'] }, { ...HUB, domains: [] }],
  ])('ok/%s', (_, a, b, both) => {
    const [left, right] = [agreementWith({ asserts: a }), agreementWith({ asserts: b })];
    expect([leastPrivilege(left, right).asserts, leastPrivilege(right, left).asserts]).toEqual([both, both]);
  });
});
