import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { preparePolicy } from '../../../../src/ctl/fleet/policy-bundle.js';
import { FILE_LIMITS } from '../../../../src/policy/reading/files.js';
import { NOW, root } from '../../../support/certificates.js';

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

test('ok/revocation: hard without lists is pushed without a warning: each node may fetch them', () => {
  writeFileSync(join(directory, 'root.pem'), root().pem);
  const main = join(directory, 'hard.yaml');
  const agreement = '{name: op-b, domains: [b.example], mechanism: tls, anchors: [root.pem], revocation: hard}';
  writeFileSync(main, `own_domains: [a.example]\nagreements:\n  - ${agreement}\n`, { mode: 0o640 });
  expect(preparePolicy(main, NOW).warnings).toEqual([]);
});
