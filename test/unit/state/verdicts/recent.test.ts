import { describe, expect, test } from 'vitest';
import { MAX_RECENT, RecentAnswers } from '../../../../src/state/verdicts/recent.js';
import { unknownConnection } from '../../../../src/trust/verdict/unknown.js';
import { emptySnapshot } from '../../../support/snapshot.js';

const { verdict } = unknownConnection({ direction: 'in', connectionId: '7' }, emptySnapshot);

describe('RecentAnswers', () => {
  test('ok/an answer is found by its id until as many came after it', () => {
    const recent = new RecentAnswers();
    const first = recent.add(1, verdict);
    for (let count = 1; count < MAX_RECENT; count += 1) recent.add(2, verdict);
    expect(recent.find(first.id)).toBe(first);
    recent.add(3, verdict);
    expect(recent.find(first.id)).toBeUndefined();
  });
  for (const id of ['', 'x', '-', `${'0'.repeat(8)}-1`, 'zzzzzzzz-zzzzzzzzzzzzzzzz', '__proto__']) {
    test(`fail/"${id}" is nobody's id`, () => {
      const recent = new RecentAnswers();
      recent.add(1, verdict);
      expect(recent.find(id)).toBeUndefined();
    });
  }
});
