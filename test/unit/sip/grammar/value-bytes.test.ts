import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { latin1 } from '../../../../src/sip/grammar/ascii.js';
import { asUtf8, inspectBytes } from '../../../../src/sip/grammar/value-bytes.js';

describe('value bytes', () => {
  it('ok/control bytes are legal only behind a backslash in quotes', () => {
    expect(inspectBytes('a\tb')).toMatchObject({ control: undefined, escapedControl: undefined });
    expect(inspectBytes('"\\\x07"')).toMatchObject({ control: undefined, escapedControl: 7 });
    expect(inspectBytes('"\x07"')).toMatchObject({ control: 7, escapedControl: undefined });
    expect(inspectBytes('\\\x07')).toMatchObject({ control: 7 });
    expect(inspectBytes('"\\\\\x07"')).toMatchObject({ control: 7 });
    expect(inspectBytes('"a" \\\x00')).toMatchObject({ control: 0 });
  });

  it('ok/line breaks of Unicode', () => {
    for (const text of ['\xc2\x85', '\xe2\x80\xa8', '\xe2\x80\xa9']) {
      expect(inspectBytes(`a${text}b`).unicodeLineBreak).toBe(true);
    }
    expect(inspectBytes('\xe2\x80\xaa\xc2\x86').unicodeLineBreak).toBe(false);
  });

  it('ok/a backslash hides no broken UTF-8', () => {
    expect(inspectBytes('"\\\xff"').invalidUtf8).toBe(true);
    expect(inspectBytes('"\\\xc3\xa9"').invalidUtf8).toBe(false);
  });

  it('ok/overlong: what a lenient decoder makes an ASCII character of', () => {
    for (const text of ['\xc0\x8d\xc0\x8a', '\xc1\x81', '\xe0\x80\x8a', '\xf0\x80\x80\x8a']) {
      expect(inspectBytes(`a${text}b`)).toMatchObject({ overlong: true, invalidUtf8: true });
    }
    for (const text of ['\xc1lvaro', '\xc0 la', '\xe9t\xe9', '\xe0\xa0\x80', '\xf0\x9f\x98\x80'])
      expect(inspectBytes(text).overlong).toBe(false);
  });

  it.each([
    ['plain', 'plain'],
    ['M\xc3\xbcller', 'M\xc3\xbcller'],
    ['M\xfcller', 'M\xc3\xbcller'],
    ['\xc3\xbc and \xfc', '\xc3\xbc and \xc3\xbc'],
    ['a\x85b\xa0', 'a?b\xc2\xa0'],
    ['cut off \xe2\x82', 'cut off \xc3\xa2?'],
  ])('ok/%j in UTF-8 is %j', (text, expected) => {
    expect(asUtf8(text)).toBe(expected);
  });

  it('ok/UTF-8 is judged as the platform judges it', () => {
    const strict = (bytes: Uint8Array): boolean => {
      try {
        new TextDecoder('utf-8', { fatal: true }).decode(bytes);
        return true;
      } catch {
        return false;
      }
    };
    const leads = fc.constantFrom(
      0xc0,
      0xc2,
      0xdf,
      0xe0,
      0xe2,
      0xed,
      0xef,
      0xf0,
      0xf4,
      0xf5,
      0x80,
      0x9f,
      0xa0,
      0xbf,
      0x41,
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.array(leads, { maxLength: 8 }).map((list) => Uint8Array.from(list)),
      fc.string({ unit: 'binary' }).map((text) => new TextEncoder().encode(text)),
    );
    fc.assert(
      fc.property(bytes, (input) => {
        expect(inspectBytes(latin1(input)).invalidUtf8).toBe(!strict(input));
      }),
      { numRuns: 2000 },
    );
  });
});
