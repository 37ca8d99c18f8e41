import { expect, test } from 'vitest';
import { filesInMemory } from '../../../../src/policy/reading/files.js';
import { NOW } from '../../../support/certificates.js';
import { compilePolicy } from '../../../support/compile-policy.js';
import { CA_PEM } from '../fixtures.js';

test('ok/an agreement is an object with its keys in one order, not a table of hashes', () => {
  const each = (at: number) => `  - {name: op-${at}, domains: [d${at}.example], mechanism: tls, anchors: [b.pem]}\n`;
  const policy = `own_domains: [a.example]\nagreements:\n${each(1)}${each(2)}`;
  const compiled = compilePolicy(filesInMemory({ 'policy.yaml': policy, 'b.pem': CA_PEM }), 'policy.yaml', 1, NOW);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  const [one, two] = compiled.snapshot.agreements;
  expect(Object.keys(one ?? {})).toEqual(Object.keys(two ?? {}));
  expect(one?.sources).toBe(two?.sources);
  expect([...(one?.sources ?? [1])]).toEqual([]);
});
