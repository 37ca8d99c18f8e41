import { describe, expect, it } from 'vitest';
import {
  anonymousDiversion,
  asksPrivacy,
  type DiversionEntry,
  parseDiversion,
  withoutDiversionPrivacy,
} from '../../../../src/sip/edit/diversion.js';

const entry = (value: string): DiversionEntry => {
  const first = parseDiversion(value)[0]!;
  if ('malformed' in first) throw new Error(first.malformed);
  return first;
};
const NOBODY = '<sip:anonymous@anonymous.invalid>';

describe('Diversion (RFC 5806, RFC 7544 §3.2)', () => {
  // [case, entry, asks for privacy, without the parameter, anonymous]
  const ok: readonly (readonly [string, string, boolean, string, string])[] = [
    ['ok/without', '<sip:a@b>;reason=user-busy', false, '<sip:a@b>;reason=user-busy', `${NOBODY};reason=user-busy`],
    ['ok/off', '<sip:a@b>;privacy=off;counter=1', false, '<sip:a@b>;counter=1', `${NOBODY};counter=1`],
    ['ok/full', '"A" <sip:a@b>;privacy=full;limit=2', true, '"A" <sip:a@b>;limit=2', `${NOBODY};limit=2`],
    ['ok/name', '<tel:+1>;Privacy=NAME', true, '<tel:+1>', NOBODY],
    ['ok/uri, quoted', '<sip:a@b>;privacy="\\uri"', true, '<sip:a@b>', NOBODY],
    ['ok/quoted off', '<sip:a@b>;privacy="off"', false, '<sip:a@b>', NOBODY],
    ['ok/unknown asks for more', '<sip:a@b>;privacy=x', true, '<sip:a@b>', NOBODY],
    ['ok/empty asks for more', '<sip:a@b>;privacy', true, '<sip:a@b>', NOBODY],
    ['ok/off and full', '<sip:a@b>;privacy=off;privacy=full', true, '<sip:a@b>', NOBODY],
    [
      'ok/extensions name somebody',
      '<sip:a@b>;privacy=full;ext=bob;screen=yes',
      true,
      '<sip:a@b>;ext=bob;screen=yes',
      `${NOBODY};screen=yes`,
    ],
    ['ok/within <>', '<sip:a@b;privacy=full>', true, '<sip:a@b;privacy=full>', NOBODY],
    ['ok/within <> of a number', '<tel:+1;privacy=uri>', true, '<tel:+1;privacy=uri>', NOBODY],
    ['ok/embedded', '<sip:a@b?Privacy=full>', true, '<sip:a@b?Privacy=full>', NOBODY],
    ['ok/off within <>', '<sip:a@b;privacy=off>', false, '<sip:a@b;privacy=off>', NOBODY],
    ['ok/bare', 'sip:a@b;privacy=full;counter=3', true, 'sip:a@b;counter=3', `${NOBODY};counter=3`],
  ];
  it.each(ok)('%s', (_case, value, asks, plain, anonymous) => {
    const read = entry(value);
    expect(asksPrivacy(read)).toBe(asks);
    expect(withoutDiversionPrivacy(read)).toBe(plain);
    expect(anonymousDiversion(read)).toBe(anonymous);
  });

  it('ok/lists', () => {
    expect(parseDiversion('<sip:a@b>;privacy=off, x, <sip:c@d>')).toHaveLength(3);
    expect(parseDiversion('')).toEqual([]);
  });
});
