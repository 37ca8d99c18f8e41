import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineMethod, RpcError } from '../../../../src/rpc/dispatch/index.js';

const by = (params: z.ZodType) =>
  defineMethod({ name: 'a.b', role: 'script', doc: '', params, handler: () => 'answered' });

function issues(params: z.ZodType, given: unknown): unknown {
  try {
    return by(params).call(given, { wire: 'unix', peer: '', role: 'script' });
  } catch (error) {
    if (error instanceof RpcError) return error.data;
    throw error;
  }
}

describe('what is wrong with a param is said in the words of whoever gave it', () => {
  const bounded = z.strictObject({ name: z.string().min(2).max(4), list: z.array(z.string()).max(1) });

  test.each<[string, unknown, [path: string, expected: string, found: string]]>([
    ['a text that is too short', { name: 'a', list: [] }, ['name', 'at least 2 characters', '"a"']],
    ['a text that is too long', { name: 'abcde', list: [] }, ['name', 'at most 4 characters', '"abcde"']],
    ['a list that is too long', { name: 'abc', list: ['a', 'b'] }, ['list', 'at most 1 entries', 'an array of 2']],
  ])('fail/%s', (_, given, [path, expected, found]) => {
    expect(issues(bounded, given)).toEqual([{ path, expected, found }]);
  });

  // trust.explain takes an id, or what trust.peer takes.
  const either = z.union([
    z.strictObject({ id: z.string() }),
    z.strictObject({ direction: z.literal(['in', 'out']), proto: z.string() }),
  ]);

  test('fail/of two forms, the one that was meant', () => {
    expect(issues(either, { direction: 'inbound', proto: 'tls' })).toEqual([
      { path: 'direction', expected: '"in" or "out"', found: '"inbound"' },
    ]);
  });
  test('fail/of two forms, the first where none knows more', () => {
    expect(issues(either, { nmae: 'x' })).toEqual([
      { path: 'id', expected: 'string', found: 'nothing' },
      { path: 'nmae', expected: 'no param of this name', found: '"x"' },
    ]);
  });
});
