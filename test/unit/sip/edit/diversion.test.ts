import { describe, expect, it } from 'vitest';
import { anonymousDiversion, asksPrivacy, diversionEntry } from '../../../../src/sip/edit/diversion.js';
import { parseNameAddr } from '../../../../src/sip/grammar/name-addr.js';

const NOBODY = '<sip:anonymous@anonymous.invalid>';

describe('Diversion (RFC 5806, RFC 7544 §3.2)', () => {
  // [case, entry, asks for privacy, anonymous]
  const ok: readonly (readonly [string, string, boolean, string])[] = [
    ['ok/without', '<sip:a@b>;reason=user-busy', false, `${NOBODY};reason=user-busy`],
    ['ok/off', '<sip:a@b>;privacy=off;counter=1', false, `${NOBODY};counter=1`],
    ['ok/full', '"A" <sip:a@b>;privacy=full;limit=2', true, `${NOBODY};limit=2`],
    ['ok/name', '<tel:+1>;Privacy=NAME', true, NOBODY],
    ['ok/uri, quoted', '<sip:a@b>;privacy="\\uri"', true, NOBODY],
    ['ok/quoted off', '<sip:a@b>;privacy="off"', false, NOBODY],
    ['ok/unknown asks for more', '<sip:a@b>;privacy=x', true, NOBODY],
    ['ok/empty asks for more', '<sip:a@b>;privacy', true, NOBODY],
    ['ok/off and full', '<sip:a@b>;privacy=off;privacy=full', true, NOBODY],
    ['ok/extensions name somebody', '<sip:a@b>;privacy=full;ext=bob;screen=yes', true, `${NOBODY};screen=yes`],
    ['ok/within <>', '<sip:a@b;privacy=full>', true, NOBODY],
    ['ok/within <> of a number', '<tel:+1;privacy=uri>', true, NOBODY],
    ['ok/embedded', '<sip:a@b?Privacy=full>', true, NOBODY],
    ['ok/off within <>', '<sip:a@b;privacy=off>', false, NOBODY],
    ['ok/bare', 'sip:a@b;privacy=full;counter=3', true, `${NOBODY};counter=3`],
  ];
  it.each(ok)('%s', (_case, value, asks, anonymous) => {
    const addr = parseNameAddr(value);
    if ('malformed' in addr) throw new Error(addr.malformed);
    const read = diversionEntry(addr);
    expect(asksPrivacy(read)).toBe(asks);
    expect(anonymousDiversion(read)).toBe(anonymous);
  });
});
