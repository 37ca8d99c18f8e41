import { afterEach, describe, expect, test, vi } from 'vitest';
import { filesInMemory } from '../../../../src/policy/reading/files.js';
import { formatProblem, Problems } from '../../../../src/policy/reading/problem.js';
import { checkPolicy } from '../../../../src/policy/snapshot/compile.js';
import { readDocument } from '../../../../src/policy/yaml/document.js';
import { EntryList } from '../../../../src/policy/yaml/entry-list.js';
import { MATERIAL, NOW } from '../fixtures.js';

const COUNT = 200;

function policy(domain = (at: number) => `d${at}.example`): string {
  const agreements = Array.from(
    { length: COUNT },
    (_, at) => `  - name: op-${at}\n    domains: [${domain(at)}]\n    mechanism: tls\n    anchors: [ca.pem]\n`,
  );
  return `own_domains: [a.example]\nagreements:\n${agreements.join('')}`;
}

function check(text: string) {
  return checkPolicy(filesInMemory({ ...MATERIAL, 'p.yaml': text }), 'p.yaml', 7, NOW);
}

afterEach(() => vi.restoreAllMocks());

describe('a long list of a file', () => {
  test('ok/of a good policy each agreement is made once, and kept by nobody', () => {
    const made = vi.spyOn(EntryList.prototype, 'at');
    expect(check(policy()).ok).toBe(true);
    expect(made.mock.calls.map(([index]) => index)).toEqual(Array.from({ length: COUNT }, (_, at) => at));
    const document = readDocument('p.yaml', new TextEncoder().encode(policy()), new Problems());
    if (document === undefined) throw new Error('expected a document');
    const { agreements } = document.value as { readonly agreements: EntryList };
    expect(agreements.at(7)).toMatchObject({ name: 'op-7' });
    expect(agreements.at(7)).not.toBe(agreements.at(7));
    expect([agreements.length, agreements.at(COUNT), agreements.at(-1)]).toEqual([COUNT, undefined, undefined]);
  });

  test('fail/what one agreement claims of another is told with both places, and those two alone are read again', () => {
    const made = vi.spyOn(EntryList.prototype, 'at');
    const checked = check(policy((at) => (at === 150 ? 'd20.example' : `d${at}.example`)));
    expect(checked.ok ? [] : checked.problems.map(formatProblem)).toEqual([
      'p.yaml:604:15: error: agreements[150].domains[0]: d20.example is claimed by agreement op-20 already, at p.yaml:84:15',
    ]);
    expect(made.mock.calls.slice(COUNT).map(([index]) => index)).toEqual([20, 150]);
  });

  test('fail/sections that are no lists of mappings say so', () => {
    const checked = check(`${policy()}own_certificates:\n  - name: x\n`);
    expect(checked.ok ? [] : checked.problems.map(formatProblem)).toEqual([
      expect.stringMatching(/^p\.yaml:804:5: error: own_certificates\[0\]: expected .*, found a mapping/),
    ]);
  });
});
