import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressFromBytes, parseAddress } from '../../../../src/net/address/address.js';
import { type AddressPrefix, contains, parsePrefix, prefixOf } from '../../../../src/net/address/prefix.js';

function prefix(text: string): AddressPrefix {
  const parsed = parsePrefix(text);
  if ('invalid' in parsed) throw new Error(parsed.invalid);
  return parsed;
}

const VALID: readonly (readonly [string, string])[] = [
  ['192.0.2.0/28', '192.0.2.0/28'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['192.0.2.17', '192.0.2.17/32'],
  ['192.0.2.17/32', '192.0.2.17/32'],
  ['128.0.0.0/1', '128.0.0.0/1'],
  ['192.0.2.254/31', '192.0.2.254/31'],
  ['2001:DB8:C::/48', '2001:db8:c::/48'],
  ['2001:db8::1', '2001:db8::1/128'],
  ['::/0', '::/0'],
  ['2001:db8:0:8000::/49', '2001:db8:0:8000::/49'],
  ['::ffff:192.0.2.0/124', '192.0.2.0/28'],
  ['::ffff:0:0/96', '0.0.0.0/0'],
  ['::ffff:192.0.2.1', '192.0.2.1/32'],
];

const INVALID: readonly (readonly [string, RegExp])[] = [
  ['', /expected an IPv4 or IPv6 address/],
  ['192.0.2.0/', /length must be a number from 0 to 32, found ""/],
  ['192.0.2.0/33', /from 0 to 32, found "33"/],
  ['192.0.2.0/08', /found "08"/],
  ['192.0.2.0/-1', /found "-1"/],
  ['192.0.2.0/255.255.255.240', /found "255.255.255.240"/],
  ['192.0.2.0/28/4', /expected an IPv4 or IPv6 address/],
  ['192.0.2/24', /expected an IPv4 or IPv6 address/],
  ['192.0.2.0 /28', /expected an IPv4 or IPv6 address/],
  ['[2001:db8::]/32', /expected an IPv4 or IPv6 address/],
  ['2001:db8::/129', /from 0 to 128, found "129"/],
  ['fe80::%eth0/64', /expected an IPv4 or IPv6 address/],
  ['::ffff:0:0/95', /length of at least 96/],
  ['b.example/28', /expected an IPv4 or IPv6 address/],
  // Host bits: the message gives both things that may have been meant.
  [
    '192.0.2.17/28',
    /bits set after the first 28: the network is 192\.0\.2\.16\/28, the single host is 192\.0\.2\.17\/32/,
  ],
  ['192.0.2.1/0', /the network is 0\.0\.0\.0\/0/],
  ['2001:db8::1/32', /the network is 2001:db8::\/32, the single host is 2001:db8::1\/128/],
  ['2001:db8:0:8000::/48', /the network is 2001:db8::\/48/],
  ['::ffff:192.0.2.17/124', /bits set after the first 124: the network is 192\.0\.2\.16\/28/],
];

describe('parsePrefix', () => {
  for (const [text, canonical] of VALID) {
    test(`ok/${text} is ${canonical}`, () => {
      expect(prefix(text).text).toBe(canonical);
    });
  }
  for (const [text, why] of INVALID) {
    test(`fail/${JSON.stringify(text)}`, () => {
      const parsed = parsePrefix(text);
      expect(parsed).toHaveProperty('invalid');
      expect((parsed as { invalid: string }).invalid).toMatch(why);
      if (text !== '') expect((parsed as { invalid: string }).invalid).toContain(text);
    });
  }
});

const CONTAINS: readonly (readonly [string, string, boolean])[] = [
  ['192.0.2.0/28', '192.0.2.0', true],
  ['192.0.2.0/28', '192.0.2.15', true],
  ['192.0.2.0/28', '192.0.2.16', false],
  ['192.0.2.0/28', '192.0.1.255', false],
  ['192.0.2.0/28', '::ffff:192.0.2.7', true],
  ['0.0.0.0/0', '255.255.255.255', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['::/0', '192.0.2.1', false],
  ['::/0', '2001:db8::1', true],
  ['2001:db8:c::/48', '2001:db8:c:ffff::1', true],
  ['2001:db8:c::/48', '2001:db8:d::', false],
  ['192.0.2.7/32', '192.0.2.7', true],
  ['192.0.2.7/32', '192.0.2.6', false],
];

describe('contains', () => {
  for (const [within, address, expected] of CONTAINS) {
    test(`${expected ? 'ok' : 'fail'}/${address} in ${within}`, () => {
      expect(contains(prefix(within), parseAddress(address)!)).toBe(expected);
    });
  }
});

describe('properties', () => {
  const anyPrefix = fc
    .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
    .chain((bytes) => {
      const address = addressFromBytes(bytes)!;
      return fc.record({
        address: fc.constant(address),
        length: fc.integer({ min: 0, max: address.bytes.length * 8 }),
      });
    });

  test('ok/the prefix of an address holds it, and its text reads as itself', () => {
    fc.assert(
      fc.property(anyPrefix, ({ address, length }) => {
        const made = prefixOf(address, length);
        expect(contains(made, address)).toBe(true);
        expect(prefix(made.text)).toEqual(made);
      }),
      { numRuns: 2_000 },
    );
  });

  test('ok/containing is agreement on the first bits', () => {
    const bits = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    fc.assert(
      fc.property(anyPrefix, anyPrefix, ({ address, length }, other) => {
        const expected =
          address.bytes.length === other.address.bytes.length &&
          bits(address.bytes).slice(0, length) === bits(other.address.bytes).slice(0, length);
        expect(contains(prefixOf(address, length), other.address)).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });
});
