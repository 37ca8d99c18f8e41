import { describe, expect, test } from 'vitest';
import { formatPath, formatProblem, PROBLEM_CODES, Problems } from '../../../../src/policy/reading/problem.js';

const at = (file: string, line: number, column: number) => () => ({ file, line, column });

describe('problems', () => {
  test('ok/they read as compilers print them', () => {
    const problems = new Problems();
    problems.add('wrong-type', at('p.yaml', 4, 12), ['agreements', 2, 'anchors', 'client', 0], 'expected x, found y');
    problems.add('no-effect', at('p.yaml', 1, 1), [], 'nothing');
    expect(problems.list().map(formatProblem)).toEqual([
      'p.yaml:1:1: warning: nothing',
      'p.yaml:4:12: error: agreements[2].anchors.client[0]: expected x, found y',
    ]);
    expect(problems.list()[1]).toMatchObject({ code: 'wrong-type', severity: 'error', line: 4, column: 12 });
  });

  test('ok/sorted by file in order of mention, line and column', () => {
    const problems = new Problems();
    for (const [file, line, column] of [
      ['z', 2, 1],
      ['a', 1, 1],
      ['z', 1, 9],
      ['z', 1, 2],
    ] as const) {
      problems.add('bad-yaml', at(file, line, column), [], '');
    }
    expect(problems.list().map((each) => `${each.file}${each.line}${each.column}`)).toEqual([
      'z12',
      'z19',
      'z21',
      'a11',
    ]);
  });

  test('ok/warnings do not fail; the first error after a flood of warnings is kept', () => {
    const problems = new Problems();
    for (let count = 0; count < 2000; count++) problems.add('no-effect', at('p', 1, 1), [], 'w');
    expect(problems.failed).toBe(false);
    problems.add('bad-date', at('p', 9, 1), [], 'e');
    expect(problems.failed).toBe(true);
    expect(problems.list().filter((each) => each.severity === 'error')).toHaveLength(1);
  });

  for (const [path, expected] of [
    [[], ''],
    [['agreements', 0], 'agreements[0]'],
    [['a', 'b-c', 'd e', 'P-Asserted-Identity', 3], 'a.b-c["d e"].P-Asserted-Identity[3]'],
    [['"'], '["\\""]'],
  ] as const) {
    test(`ok/path ${expected}`, () => expect(formatPath(path)).toBe(expected));
  }

  test('ok/codes are kebab-case', () => {
    for (const code of Object.keys(PROBLEM_CODES)) expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });
});
