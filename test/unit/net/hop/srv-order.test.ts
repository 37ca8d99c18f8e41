import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SrvRecord } from '../../../../src/net/dns/answer.js';
import { orderSrv } from '../../../../src/net/hop/srv-order.js';

const srv = (target: string, priority: number, weight: number): SrvRecord => ({ target, priority, weight, port: 5061 });

const anyRecords = fc.array(
  fc
    .tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 65_535 }))
    .map(([target, priority, weight]) => srv(target, priority, weight)),
  { maxLength: 12 },
);

describe('orderSrv (RFC 2782)', () => {
  test('ok/keeps every record, priorities ascend', () => {
    fc.assert(
      fc.property(anyRecords, fc.integer(), (records, seed) => {
        const ordered = orderSrv(records, seed);
        expect(new Set(ordered)).toEqual(new Set(records));
        expect(ordered).toHaveLength(records.length);
        const priorities = ordered.map(({ priority }) => priority);
        expect(priorities).toEqual([...priorities].sort((a, b) => a - b));
      }),
    );
  });

  test('ok/one seed gives one order, however the answer was ordered (RFC 3263 §4.4)', () => {
    fc.assert(
      fc.property(anyRecords, fc.integer(), (records, seed) => {
        expect(orderSrv([...records].reverse(), seed)).toEqual(orderSrv(records, seed));
      }),
    );
  });

  test('ok/weights share the load', () => {
    const records = [srv('one', 10, 10), srv('three', 10, 30), srv('never', 20, 65_535)];
    const rounds = 10_000;
    let three = 0;
    for (let seed = 0; seed < rounds; seed++) {
      const [first] = orderSrv(records, seed);
      expect(first?.target).not.toBe('never');
      if (first?.target === 'three') three++;
    }
    expect(three / rounds).toBeGreaterThan(0.7);
    expect(three / rounds).toBeLessThan(0.8);
  });

  test('ok/weight 0 is seldom first, and not never', () => {
    const records = [srv('zero', 10, 0), srv('nine', 10, 9)];
    const firsts = Array.from({ length: 5_000 }, (_, seed) => orderSrv(records, seed)[0]?.target);
    const zero = firsts.filter((target) => target === 'zero').length / firsts.length;
    expect(zero).toBeGreaterThan(0.05);
    expect(zero).toBeLessThan(0.2);
  });
});
