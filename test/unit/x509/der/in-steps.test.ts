import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyInSteps, sha256InSteps, sortInSteps } from '../../../../src/x509/der/in-steps.js';

function end<T>(work: Generator<undefined, T>): { readonly value: T; readonly steps: number } {
  for (let steps = 0; ; steps++) {
    const { done, value } = work.next();
    if (done) return { value, steps };
  }
}

describe('sortInSteps', () => {
  test('ok/as Array.sort does', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), (numbers) => {
        expect([...end(sortInSteps(Float64Array.from(numbers))).value]).toEqual([...numbers].sort((a, b) => a - b));
      }),
    );
  });
  for (const length of [0, 1, 65_535, 65_536, 65_537, 131_072, 200_001, 327_681]) {
    test(`ok/${length} numbers, in more steps the more there are`, () => {
      let seed = 12_345;
      const numbers = Array.from({ length }, () => {
        seed = (seed * 48_271) % 0x7fffffff;
        return seed % 1_000_003;
      });
      const { value, steps } = end(sortInSteps(Float64Array.from(numbers)));
      expect(Buffer.from(value.buffer).equals(Buffer.from(Float64Array.from(numbers).sort().buffer))).toBe(true);
      expect(steps).toBeGreaterThanOrEqual(Math.floor(length / 65_536));
    });
  }
});

describe('copyInSteps', () => {
  for (const length of [0, 1, 2 ** 20, 2 ** 20 + 1, 3_000_000]) {
    test(`ok/${length} octets`, () => {
      const octets = new Uint8Array(length).map((_, at) => at % 251);
      const { value } = end(copyInSteps(octets));
      expect(Buffer.from(value).equals(Buffer.from(octets))).toBe(true);
      octets.fill(0);
      if (length > 1) expect(value[1]).toBe(1);
    });
  }
});

test('ok/sha256InSteps is SHA-256', () => {
  for (const length of [0, 1, 2 ** 20, 2 ** 20 + 1]) {
    const octets = new Uint8Array(length).fill(7);
    expect(end(sha256InSteps(octets)).value).toBe(createHash('sha256').update(octets).digest('hex'));
  }
});
