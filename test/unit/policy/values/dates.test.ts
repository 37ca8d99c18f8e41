import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseInstant } from '../../../../src/policy/values/dates.js';

describe('instants', () => {
  const good: readonly (readonly [string, 'from' | 'until', string])[] = [
    ['2026-01-01', 'from', '2026-01-01T00:00:00.000Z'],
    ['2026-01-01', 'until', '2026-01-01T23:59:59.999Z'],
    ['2028-02-29', 'until', '2028-02-29T23:59:59.999Z'],
    ['2026-01-31T12:00:00Z', 'until', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31t12:00:00z', 'from', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T00:30:00+02:00', 'from', '2026-01-30T22:30:00.000Z'],
    ['2026-12-31T23:30:00-01:00', 'from', '2027-01-01T00:30:00.000Z'],
    ['2026-01-31T12:00:00.1234567Z', 'from', '2026-01-31T12:00:00.123Z'],
  ];
  for (const [text, bound, expected] of good) {
    test(`ok/${bound} ${text}`, () => expect(new Date(parseInstant(text, bound) ?? 0).toISOString()).toBe(expected));
  }

  for (const text of [
    '',
    '2026',
    '2026-1-1',
    '2026-02-30',
    '2027-02-29',
    '2026-13-01',
    '2026-00-01',
    '01.01.2026',
    '2026-01-31T12:00Z',
    '2026-01-31T12:00:00',
    '2026-01-31 12:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T23:60:00Z',
    '2026-12-31T23:59:60Z',
    '2026-01-31T12:00:00+2:00',
    '2026-01-31T12:00:00+24:00',
    '2026-01-31\n',
    '٢٠٢٦-٠١-٠١',
  ]) {
    test(`fail/${JSON.stringify(text)}`, () => expect(parseInstant(text, 'from')).toBeUndefined());
  }

  test('ok/every day and instant that JavaScript prints is read back', () => {
    const dates = fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
    fc.assert(
      fc.property(dates, (date) => {
        expect(parseInstant(date.toISOString(), 'until')).toBe(date.getTime());
        const day = date.toISOString().slice(0, 10);
        const [from, until] = [parseInstant(day, 'from') ?? Number.NaN, parseInstant(day, 'until') ?? Number.NaN];
        expect(date.getTime()).toBeGreaterThanOrEqual(from);
        expect(date.getTime()).toBeLessThanOrEqual(until);
        expect(until - from).toBe(86_399_999);
      }),
    );
  });
});
