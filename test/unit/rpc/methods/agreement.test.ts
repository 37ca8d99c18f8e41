import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NO_DECISION_LOG } from '../../../../src/log/decisions.js';
import { DEFAULT_SETTINGS } from '../../../../src/policy/settings/settings.js';
import { agreementMethods } from '../../../../src/rpc/methods/agreement.js';
import { PolicyHolder } from '../../../../src/state/policy/holder.js';
import { TrustState } from '../../../../src/state/trust/trust-state.js';
import { NOW } from '../../../support/certificates.js';
import { agreementWith, snapshotWith } from '../../../support/snapshot.js';

/** Keys of the policy that are shown under another name. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  valid: ['from', 'until'],
  pin: ['pin_leaf'],
  migration: ['interface', 'sources', 'migration_until'],
};

function shown(name: string): Record<string, unknown> {
  const agreement = agreementWith({
    requireTls: true,
    allowTlsFallback: true,
    targets: [
      { address: '192.0.2.7', port: 5061 },
      { address: '2001:db8::7', port: 5061 },
    ],
  });
  const load = (revision: number) => ({
    ...{
      ok: true as const,
      snapshot: snapshotWith([agreement], { revision }),
      settings: DEFAULT_SETTINGS,
      warnings: [],
    },
  });
  const policy = PolicyHolder.open(load, NOW);
  if ('problems' in policy) throw new Error('expected a policy');
  const state = new TrustState(policy, NO_DECISION_LOG, () => NOW);
  const method = agreementMethods(state, () => state.reload()).find((each) => each.name === 'agreement.show');
  return method?.call({ name }, { wire: 'unix', peer: 'test', role: 'viewer' }) as Record<string, unknown>;
}

describe('agreement.show', () => {
  test('ok/shows every key that docs/policy.md names', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/policy.md'), 'utf8');
    const keys = new Set([...page.matchAll(/^\| `agreements\[\]\.([a-z_]+)/gm)].map(([, key = '']) => key));
    expect(keys.size).toBeGreaterThan(20);
    const answer = shown('op-b');
    for (const key of keys)
      for (const name of ELSEWHERE[key] ?? [key]) expect(Object.keys(answer), key).toContain(name);
  });
  test('ok/as the policy writes them', () => {
    const targets = ['192.0.2.7:5061', '[2001:db8::7]:5061'];
    expect(shown('op-b')).toMatchObject({
      require_tls: true,
      allow_tls_fallback: true,
      targets,
      crls: [],
      enabled: true,
    });
  });
});
