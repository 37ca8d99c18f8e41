import { expect, test } from 'vitest';
import { Closers } from '../../src/closers.js';

test('ok/closes in the opposite order, each once, whatever fails', async () => {
  const closers = new Closers();
  const closed: string[] = [];
  closers.add('a', () => void closed.push('a'));
  closers.add('b', async () => {
    throw new Error('b fails');
  });
  closers.add('c', async () => void closed.push('c'));
  const failed: string[] = [];
  const told = (what: string, error: unknown): void => void failed.push(`${what}: ${String(error)}`);
  await closers.close(told);
  await closers.close(told);
  expect(closed).toEqual(['c', 'a']);
  expect(failed).toEqual(['b: Error: b fails']);
});
