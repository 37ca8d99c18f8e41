import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makePolicyKey, readPolicyKey } from '../../../../src/ctl/fleet/policy-key-file.js';

const directory = mkdtempSync(join(tmpdir(), 'siptrust-policy-key-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('fail/a key that others may read signs nothing', () => {
  const { key, public: outside } = makePolicyKey(join(directory, 'noc.key'));
  expect([readPolicyKey(key).asymmetricKeyType, outside]).toEqual(['ed25519', join(directory, 'noc.key.pub')]);
  chmodSync(key, 0o644);
  expect(() => readPolicyKey(key)).toThrow(`${key}: expected mode 0600, found mode 0644`);
});
