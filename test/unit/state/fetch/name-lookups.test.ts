import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { NameLookups } from '../../../../src/state/fetch/name-lookups.js';

/** Look-ups that hang until they are answered. */
function hung() {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const told: string[] = [];
  const names = new NameLookups(5000, (name, _options, callback) => {
    asked.push(name);
    answers.push(() => callback(null, [{ address: '192.0.2.1', family: 4 }]));
  });
  const find = (name: string): void =>
    names.find(name, {}, (error, found) => void told.push(`${name}: ${error?.message ?? found[0]?.address}`));
  return { asked, answers, told, find };
}

describe('names of CRL servers', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('fail/two that hang hold two threads and no more: a third waits, and not for ever', () => {
    const { asked, answers, told, find } = hung();
    for (const name of ['a', 'b', 'c']) find(name);
    expect(asked).toEqual(['a', 'b']);
    vi.advanceTimersByTime(5000);
    expect(told).toHaveLength(3);
    expect(told[2]).toBe('c: c: expected its address within 5000 ms');
    answers[0]?.();
    expect(asked).toEqual(['a', 'b', 'c']);
  });
  test('ok/one name asked twice holds one', () => {
    const { asked, answers, told, find } = hung();
    for (const name of ['a', 'a', 'b']) find(name);
    expect(asked).toEqual(['a', 'b']);
    for (const answer of answers) answer();
    expect(told).toEqual(['a: 192.0.2.1', 'a: 192.0.2.1', 'b: 192.0.2.1']);
    find('c');
    expect(asked).toEqual(['a', 'b', 'c']);
  });
  test('fail/an answer that comes late is none', () => {
    const { answers, told, find } = hung();
    find('a');
    vi.advanceTimersByTime(5000);
    for (const answer of answers) answer();
    expect(told).toEqual(['a: a: expected its address within 5000 ms']);
  });
});
