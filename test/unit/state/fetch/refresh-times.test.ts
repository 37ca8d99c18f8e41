import { describe, expect, test } from 'vitest';
import { nextRefresh, nextRetry } from '../../../../src/state/fetch/refresh-times.js';

const HOUR = 3_600_000;
const NOW = 1_000_000_000_000;
const refreshed = (until: number | undefined, interval = HOUR): number => nextRefresh(NOW, until, interval) - NOW;

describe('nextRefresh', () => {
  test('ok/the interval, where there is time', () => expect(refreshed(NOW + 24 * HOUR)).toBe(HOUR));
  test('ok/the interval, where nothing runs out', () => expect(refreshed(undefined)).toBe(HOUR));
  test('ok/several times before the end', () => {
    expect(refreshed(NOW + HOUR)).toBe(HOUR / 4);
    let now = NOW;
    let asked = 0;
    while (now < NOW + HOUR) {
      now = nextRefresh(now, NOW + HOUR, HOUR);
      asked += 1;
    }
    expect(asked).toBeGreaterThan(10);
  });
  test('ok/not faster than every 30 s, or than the interval', () => {
    expect(refreshed(NOW + 1000)).toBe(30_000);
    expect(refreshed(NOW - HOUR)).toBe(30_000);
    expect(refreshed(NOW - HOUR, 1000)).toBe(1000);
  });
});

describe('nextRetry', () => {
  const wait = (failures: number, random = 0.5): number => nextRetry(NOW, failures, HOUR, random) - NOW;
  test('ok/twice as long each time, up to the interval', () => {
    expect([1, 2, 3, 4].map((failures) => wait(failures))).toEqual([5000, 10_000, 20_000, 40_000]);
    expect(wait(11)).toBe(HOUR);
    expect(wait(100_000)).toBe(HOUR);
  });
  test('ok/spread by a quarter', () => {
    expect(wait(1, 0)).toBe(3750);
    expect(wait(1, 1)).toBe(6250);
  });
});
