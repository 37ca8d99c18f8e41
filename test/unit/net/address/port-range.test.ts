import { describe, expect, test } from 'vitest';
import { holdsPort, parsePortRange, portsText } from '../../../../src/net/address/port-range.js';

describe('parsePortRange', () => {
  for (const [text, first, last] of [
    ['1', 1, 1],
    ['5062', 5062, 5062],
    ['5062-5062', 5062, 5062],
    ['20000-20099', 20_000, 20_099],
    ['1-65535', 1, 65_535],
  ] as const) {
    test(`ok/${text}`, () => expect(parsePortRange(text)).toEqual({ first, last }));
  }
  for (const text of ['', '0', '65536', '99999', '05', '1-', '-1', '2-1', '1-65536', '1 - 2', '1-2-3', '1\n', '１']) {
    test(`fail/${JSON.stringify(text)}`, () => expect(parsePortRange(text)).toBeUndefined());
  }
});

describe('holdsPort', () => {
  const ranges = [
    { first: 5062, last: 5062 },
    { first: 20_000, last: 20_099 },
  ];
  test('ok/both ends are in a range', () => {
    expect([5062, 20_000, 20_099].every((port) => holdsPort(ranges, port))).toBe(true);
  });
  test('fail/next to a range, no port', () => {
    expect([undefined, 0, 5061, 5063, 19_999, 20_100].some((port) => holdsPort(ranges, port))).toBe(false);
  });
  test('ok/written as the policy would', () => expect(portsText(ranges)).toBe('5062, 20000-20099'));
});
