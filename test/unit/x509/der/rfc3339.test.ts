import { describe, expect, it } from 'vitest';
import { parseRfc3339 } from '../../../../src/x509/der/rfc3339.js';

describe('parseRfc3339', () => {
  it.each([
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31 12:00:00z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31t00:30:00.25+02:00', '2026-01-30T22:30:00.250Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ])('ok/%s', (text, expected) => {
    expect(new Date(parseRfc3339(text) ?? Number.NaN).toISOString()).toBe(expected);
  });

  it.each([
    '',
    '2026-01-31',
    '2026-02-30T00:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-12-31T23:59:60Z',
    '2026-01-31T12:00:00',
    '2026-01-31T12:00:00+24:00',
    '2026-01-31T12:00:00.1234567890Z',
  ])('fail/%s', (text) => {
    expect(parseRfc3339(text)).toBeUndefined();
  });
});
