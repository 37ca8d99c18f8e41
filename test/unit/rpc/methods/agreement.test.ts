import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Method } from '../../../../src/rpc/dispatch/method.js';
import { agreementMethods } from '../../../../src/rpc/methods/agreement.js';
import { trustState } from '../../../../src/state/trust/trust-state.js';
import type { Agreement } from '../../../../src/trust/agreement/agreement.js';
import { NOW } from '../../../support/certificates.js';
import { agreementWith } from '../../../support/snapshot.js';
import { policyOf } from '../../../support/state.js';

/** Keys of the policy that are shown under another name. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  valid: ['from', 'until'],
  pin: ['pin_leaf'],
  migration: ['interface', 'sources', 'migration_until'],
};

function methodOver(name: string, agreements: readonly Agreement[]): Method | undefined {
  const policy = policyOf(agreements);
  const state = trustState({ policy, clock: () => NOW });
  return agreementMethods(state, () => state.changes.reload()).find((each) => each.name === name);
}

const VIEWER = { wire: 'unix', peer: 'test', role: 'viewer' } as const;

function shown(name: string): Record<string, unknown> {
  const agreement = agreementWith({
    requireTls: true,
    allowTlsFallback: true,
    targets: [
      { address: '192.0.2.7', port: 5061 },
      { address: '2001:db8::7', port: 5061 },
    ],
  });
  return methodOver('agreement.show', [agreement])?.call({ name }, VIEWER) as Record<string, unknown>;
}

describe('agreement.list', () => {
  const many = Array.from({ length: 2500 }, (_, at) =>
    agreementWith({ name: `op-${at}`, domains: [`d${at}.example`] }),
  );
  const names = async (params: object): Promise<readonly string[]> => {
    const rows = (await methodOver('agreement.list', many)?.call(params, VIEWER)) as readonly {
      readonly name: string;
    }[];
    return rows.map(({ name }) => name);
  };
  test('ok/page by page, in the order of the policy', async () => {
    expect(await names({})).toEqual(many.slice(0, 1000).map(({ name }) => name));
    expect(await names({ from: 2000 })).toEqual(many.slice(2000).map(({ name }) => name));
    expect(await names({ from: 7, limit: 2 })).toEqual(['op-7', 'op-8']);
    expect(await names({ from: 2500 })).toEqual([]);
  });
  test('fail/more than a page at once', () => expect(names({ limit: 1001 })).rejects.toThrow());
});

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
