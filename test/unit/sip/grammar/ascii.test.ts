import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asciiLower, isToken, latin1, trimBlanks } from '../../../../src/sip/grammar/ascii.js';
import { COMPACT_FORMS, fieldKey, isPrivateName, spellings } from '../../../../src/sip/grammar/field-names.js';
import { toBytes } from '../../../support/bytes.js';

describe('ascii', () => {
  it('ok/lower case knows A-Z alone', () => {
    expect(asciiLower('P-Asserted-IDENTITY')).toBe('p-asserted-identity');
    expect(asciiLower('\xc0\xc9Z')).toBe('\xc0\xc9z');
    expect(asciiLower('\u212aK')).toBe('\u212ak');
  });

  it('ok/blanks are SP and HT alone', () => {
    expect(trimBlanks(' \t a b\t ')).toBe('a b');
    expect(trimBlanks('\xa0a\xa0')).toBe('\xa0a\xa0');
    expect(trimBlanks('\r\na\x0b')).toBe('\r\na\x0b');
    expect(trimBlanks(' \t')).toBe('');
  });

  it('ok/tokens', () => {
    expect(isToken("a1-.!%*_+`'~Z")).toBe(true);
    for (const text of ['', 'a b', 'a:', 'a\x00', 'a\xa0', 'a\xe9', 'a"', 'a(', 'a@', 'a/', 'a\\']) {
      expect(isToken(text), text).toBe(false);
    }
  });

  it('ok/every byte survives', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect([...toBytes(latin1(bytes))]).toEqual([...bytes]);
      }),
    );
  });
});

describe('field names', () => {
  it('ok/compact forms go to long ones and back (P-4)', () => {
    expect(COMPACT_FORMS.size).toBe(19);
    for (const [short, long] of COMPACT_FORMS) {
      expect(fieldKey(short.toUpperCase())).toBe(long);
      expect(spellings(long)).toEqual([long, short]);
    }
    expect(spellings('privacy')).toEqual(['privacy']);
    expect(fieldKey('N')).toBe('n');
  });

  it('ok/private names', () => {
    for (const key of ['p-new', 'x-vendor', 'privacy', 'diversion', 'remote-party-id', 'identity']) {
      expect(isPrivateName(key), key).toBe(true);
    }
    for (const key of ['sip', 'to', 'subject', 'date']) expect(isPrivateName(key), key).toBe(false);
  });
});
