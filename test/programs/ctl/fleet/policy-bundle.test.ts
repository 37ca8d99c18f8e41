import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { preparePolicy } from '../../../../src/ctl/fleet/policy-bundle.js';
import { FILE_LIMITS } from '../../../../src/policy/reading/files.js';

const directory = mkdtempSync(join(tmpdir(), 'siptrust-bundle-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('ok/a file that some nodes may find too large is pushed: each node judges by daemon.limits of its own', () => {
  const write = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text, { mode: 0o640 });
    return join(directory, name);
  };
  write('large.yaml', `${'#'.repeat(FILE_LIMITS.policy)}\nagreements: []\n`);
  const main = write('main.yaml', 'own_domains: [a.example]\ninclude: [large.yaml]\n');
  expect(preparePolicy(main, Date.now()).files).toBe(2);
});
