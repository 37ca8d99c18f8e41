import { expect, test } from 'vitest';
import { Problems } from '../../../../src/policy/reading/problem.js';
import { Site } from '../../../../src/policy/reading/site.js';

test('ok/which file a site is in is known without a place, which takes a second reading of the file', () => {
  let asked = 0;
  const document = {
    file: 'policy.yaml',
    locate: () => {
      asked += 1;
      return { file: 'policy.yaml', line: 1, column: 1 };
    },
  };
  const site = new Site(document, new Problems()).at('agreements', 0);
  expect([site.file, asked]).toEqual(['policy.yaml', 0]);
  expect([site.place().file, asked]).toEqual(['policy.yaml', 1]);
});
