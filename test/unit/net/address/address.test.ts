import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressFromBytes, parseAddress } from '../../../../src/net/address/address.js';

const VALID: readonly (readonly [string, string])[] = [
  ['0.0.0.0', '0.0.0.0'],
  ['192.0.2.1', '192.0.2.1'],
  ['255.255.255.255', '255.255.255.255'],
  ['::', '::'],
  ['::1', '::1'],
  ['2001:db8::', '2001:db8::'],
  ['2001:DB8::A', '2001:db8::a'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
  // RFC 5952 §4.2: the longest run, the first of equals, never a single group.
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['1:0:0:0:0:0:0:0', '1::'],
  ['0:0:0:0:0:0:0:1', '::1'],
  // IPv4 inside IPv6.
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['[::ffff:192.0.2.1]', '192.0.2.1'],
  ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ['::192.0.2.1', '::c000:201'],
  ['::fffe:192.0.2.1', '::fffe:c000:201'],
  ['1::ffff:192.0.2.1', '1::ffff:c000:201'],
];

const INVALID: readonly string[] = [
  '',
  ' ',
  '192.0.2',
  '192.0.2.1.',
  '.192.0.2.1',
  '192.0.2.256',
  '192.0.2.1.1',
  '192.0.02.1',
  '0300.0.2.1',
  '0xc0.0.2.1',
  '3221225985',
  '192.0.2.-1',
  '192.0.2.+1',
  '192.0.2.1e1',
  ' 192.0.2.1',
  '192.0.2.1 ',
  '192.0.2.1\n',
  '192.0.2.1\0',
  '192.0.2.1/32',
  '192.0.2.1:5060',
  '１９２.0.2.1',
  '[192.0.2.1]',
  'b.example',
  ':',
  ':::',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7::8:9',
  '1:2:3:4::5:6:7:8',
  '::1::',
  '1::2::3',
  '2001:db8:::1',
  ':2001:db8::1',
  '2001:db8::1:',
  '2001:db8::12345',
  '2001:db8::g',
  '2001:db8::1%eth0',
  'fe80::1%25eth0',
  '2001:db8::1/64',
  '2001:db8::192.0.2',
  '2001:db8::192.0.02.1',
  '192.0.2.1::',
  '::192.0.2.1:1',
  '1:2:3:4:5:6:7:192.0.2.1',
  '[2001:db8::1',
  '2001:db8::1]',
  '[[2001:db8::1]]',
  '[2001:db8::1]:5061',
  '[]',
  '[:]',
];

describe('parseAddress', () => {
  for (const [text, canonical] of VALID) {
    test(`ok/${text} is ${canonical}`, () => {
      expect(parseAddress(text)?.text).toBe(canonical);
    });
  }
  for (const text of INVALID) {
    test(`fail/${JSON.stringify(text)}`, () => {
      expect(parseAddress(text)).toBeUndefined();
    });
  }

  test('ok/bytes stand in network order', () => {
    expect([...(parseAddress('192.0.2.1')?.bytes ?? [])]).toEqual([192, 0, 2, 1]);
    expect([...(parseAddress('2001:db8::1:2')?.bytes ?? [])]).toEqual([
      32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2,
    ]);
  });
});

describe('addressFromBytes', () => {
  test('fail/a number of bytes that no address has', () => {
    for (const length of [0, 3, 5, 8, 15, 17]) expect(addressFromBytes(new Uint8Array(length))).toBeUndefined();
  });
  test('ok/does not share its argument', () => {
    const bytes = Uint8Array.of(192, 0, 2, 1);
    const address = addressFromBytes(bytes)!;
    bytes[0] = 10;
    expect(address.bytes[0]).toBe(192);
  });
});

const anyBytes = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  // Many zero groups, so that `::` is exercised.
  fc
    .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })), { minLength: 16, maxLength: 16 })
    .map((bytes) => Uint8Array.from(bytes)),
);

describe('properties', () => {
  test('ok/print and read gives the same address', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const address = addressFromBytes(bytes)!;
        const again = parseAddress(address.text)!;
        expect(again.text).toBe(address.text);
        expect(again.bytes).toEqual(address.bytes);
        expect(isIP(address.text)).toBe(address.bytes.length === 4 ? 4 : 6);
      }),
      { numRuns: 2_000 },
    );
  });

  test('ok/whatever is read as an address, node:net reads too', () => {
    const alphabet = fc.constantFrom(...'0123456789abcdefF:.[]%x ');
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: alphabet, maxLength: 24 }), fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseAddress(text);
        const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
        if (address) expect(isIP(bare)).toBeGreaterThan(0);
        else expect(isIP(text) > 0 && !text.includes('%')).toBe(false);
      }),
      { numRuns: 5_000 },
    );
  });
});
