import { expect, test } from 'vitest';
import { Trail } from '../../../../src/trust/verdict/trail.js';

test('ok/a finding names its agreement, the check of that name does not say it twice', () => {
  const trail = new Trail();
  trail.fail('agreement op-b', 'agreement-disabled', 'agreement op-b: enabled is false');
  trail.note('agreement op-c', 'agreement-disabled', 'agreement op-c: enabled is false');
  trail.fail('agreement op-d', 'agreement-disabled', 'agreement op-dd: enabled is false');
  expect(trail.checks.map(({ name, compared }) => `${name}: ${compared}`)).toEqual([
    'agreement op-b: enabled is false',
    'agreement op-c: enabled is false',
    'agreement op-d: agreement op-dd: enabled is false',
  ]);
  expect([...trail.failures, ...trail.notes].map(({ detail }) => detail)).toEqual([
    'agreement op-b: enabled is false',
    'agreement op-dd: enabled is false',
    'agreement op-c: enabled is false',
  ]);
});
