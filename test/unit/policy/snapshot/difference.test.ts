import { describe, expect, test } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../../src/policy/settings/settings.js';
import { policyDifferences, policyDifferencesInSteps } from '../../../../src/policy/snapshot/difference.js';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import type { Snapshot } from '../../../../src/trust/agreement/snapshot.js';
import { DAY, NOW, root } from '../../../support/certificates.js';
import { plainAgreements } from '../../../support/plain-agreements.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

const [caOne, caTwo] = [root({ subject: 'CN=CA 1' }).facts, root({ subject: 'CN=CA 2' }).facts];
const anchors = { client: [caOne], server: [caOne] };
const policy = (agreements: readonly Agreement[], over: Partial<Snapshot> = {}, settings = DEFAULT_SETTINGS) => ({
  snapshot: snapshotWith(agreements, over),
  settings,
});
const before = policy([agreementWith({ anchors })]);
const changed = (over: Partial<Agreement>) => policyDifferences(before, policy([agreementWith({ anchors, ...over })]));

const CASES: readonly (readonly [over: Partial<Agreement>, key: string, before: string, after: string])[] = [
  [{ revocation: 'hard' }, 'revocation', 'off', 'hard'],
  [{ requireTls: true }, 'require_tls', 'false', 'true'],
  [{ domains: ['b.example', 'c.example'] }, 'domains', '', 'c.example'],
  [{ directions: ['out', 'in'] }, 'directions', 'in, out', 'out, in'],
  [
    { valid: { from: Number.NEGATIVE_INFINITY, until: NOW + DAY } },
    'valid.until',
    'always',
    '2026-06-02T00:00:00.000Z',
  ],
  [{ targets: [{ address: '2001:db8::7', port: 5061 }] }, 'targets', '', '[2001:db8::7]:5061'],
  [
    { anchors: { client: [caOne, caTwo], server: [caOne] } },
    'anchors.client',
    '',
    `CN=CA 2 (SHA-256 ${caTwo.sha256.slice(0, 16)})`,
  ],
  [{ asserts: { domains: ['b.example'], numbers: ['+49'], transit: false } }, 'asserts.numbers', 'any', '+49'],
  [{ headers: new Map([['history-info', { in: 'keep' as const }]]) }, 'headers.history-info.in', '', 'keep'],
  [{ subject: { organization: ['B'] } }, 'subject.organization', '', 'B'],
];

describe('what two policies say differently', () => {
  test('ok/nothing, whatever the revision', () => {
    expect(policyDifferences(before, policy([agreementWith({ anchors })], { revision: 7 }))).toEqual([]);
  });
  test.each(CASES)('ok/%j', (over, key, old, next) => {
    const change = old === '' && key !== 'domains' && key !== 'anchors.client' ? 'added' : 'changed';
    expect(changed(over)).toEqual([{ subject: 'agreement op-b', change, key, before: old, after: next }]);
    const back = policyDifferences(policy([agreementWith({ anchors, ...over })]), before);
    expect(back).toEqual([
      { subject: 'agreement op-b', change: change === 'added' ? 'removed' : change, key, before: next, after: old },
    ]);
  });
  test('ok/agreements that come and go', () => {
    const next = policy([agreementWith({ name: 'op-c', domains: ['c.example'] })]);
    expect(policyDifferences(before, next).map(({ subject, change }) => [subject, change])).toEqual([
      ['agreement op-b', 'removed'],
      ['agreement op-c', 'added'],
    ]);
  });
  test('ok/no agreement, changed or not, is looked at in one step with another', () => {
    const many = Array.from({ length: 500 }, (_, at) =>
      agreementWith({ name: `op-${at}`, domains: [`d${at}.example`] }),
    );
    const work = policyDifferencesInSteps(policy(many), policy(many.slice(1)), 10);
    let steps = 0;
    let step = work.next();
    for (; !step.done; step = work.next()) steps += 1;
    expect(step.value.rows).toEqual([{ subject: 'agreement op-0', change: 'removed', key: '', before: '', after: '' }]);
    expect(steps).toBeGreaterThanOrEqual(500 + 499);
  });
  test('ok/own domains, defaults and settings of the daemon', () => {
    const settings = { ...DEFAULT_SETTINGS, log: { ...DEFAULT_SETTINGS.log, mask: false } };
    const next = policy([agreementWith({ anchors })], { ownDomains: new Set(['z.example']), skew: 60_000 }, settings);
    expect(policyDifferences(before, next)).toEqual([
      { subject: 'policy', change: 'changed', key: 'own_domains', before: 'a.example', after: 'z.example' },
      { subject: 'defaults', change: 'changed', key: 'skew', before: '300', after: '60' },
      { subject: 'daemon', change: 'changed', key: 'log.mask', before: 'true', after: 'false' },
    ]);
  });
  test('ok/every key of an agreement is compared', () => {
    const other: { [Key in keyof Agreement]: Agreement[Key] } = agreementWith({ anchors });
    const times: { readonly [Key in keyof Agreement]?: Partial<Agreement> } = {
      valid: { valid: { from: 0, until: 0 } },
      migrationUntil: { migrationUntil: 0 },
    };
    for (const key of Object.keys(other) as (keyof Agreement)[]) {
      if (key === 'name') continue;
      const agreement = { ...other, [key]: ['something else'], ...times[key] };
      const odd = { ...before, snapshot: { ...before.snapshot, agreements: plainAgreements(agreement) } };
      expect(policyDifferences(before, odd), key).not.toEqual([]);
    }
  });
});
