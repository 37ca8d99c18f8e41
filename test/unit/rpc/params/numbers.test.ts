import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineMethod } from '../../../../src/rpc/dispatch/index.js';
import { wholeNumber } from '../../../../src/rpc/params/numbers.js';

const GOOD: readonly (readonly [unknown, number])[] = [
  [5061, 5061],
  ['5061', 5061],
  ['05061', 5061],
  [0, 0],
  ['65535', 65535],
];

const BAD: readonly unknown[] = [
  ...['abc', '', ' 40', '4e3', '0x10', '1.5', '-1', '65536', '99999999999999999999'],
  ...[-1, 65536, 1.5, Number.NaN, true, [4000], { port: 4000 }],
];

describe('wholeNumber', () => {
  const port = z.strictObject({ port: wholeNumber(0, 65535).optional() });
  for (const [given, number] of GOOD) {
    it(`ok/${JSON.stringify(given)}`, () => expect(port.parse({ port: given })).toEqual({ port: number }));
  }
  it('ok/none', () => expect(port.parse({})).toEqual({}));
  for (const given of BAD) {
    it(`fail/${JSON.stringify(given)}`, () => expect(port.safeParse({ port: given }).success).toBe(false));
  }
  it('says what was given, as it was given', () => {
    const method = defineMethod({ name: 'a.b', role: 'script', doc: '', params: port, handler: () => 0 });
    const call = () => method.call({ port: 'abc' }, { wire: 'unix', peer: '', role: 'script' });
    expect(call).toThrow(
      expect.objectContaining({
        data: [{ path: 'port', expected: 'a whole number from 0 to 65535', found: '"abc"' }],
      }) as Error,
    );
  });
});
