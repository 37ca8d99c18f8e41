import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressFromBytes, parseAddress } from '../../../../src/net/address/address.js';
import { type AddressPrefix, contains, parsePrefix, prefixOf } from '../../../../src/net/address/prefix.js';
import { PrefixTable } from '../../../../src/net/address/prefix-table.js';

function table(texts: readonly string[]): PrefixTable<string> {
  return PrefixTable.of(texts.map((text) => [parsePrefix(text) as AddressPrefix, text]));
}

const NESTED = [
  '10.0.0.0/8',
  '10.1.0.0/16',
  '10.1.2.0/24',
  '10.1.2.3/32',
  '10.255.0.0/16',
  '2001:db8::/32',
  '2001:db8:c::/48',
];
const EDGES = [
  '0.0.0.0/1',
  '255.255.255.255/32',
  '255.255.255.0/24',
  '::/128',
  'ffff::/16',
  'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
];

const LOOKUPS: readonly (readonly [string, readonly string[], string, string | undefined])[] = [
  ['nothing in an empty table', [], '192.0.2.1', undefined],
  ['nothing in an empty table', [], '2001:db8::1', undefined],
  ['below all', NESTED, '9.255.255.255', undefined],
  ['first address of the outermost', NESTED, '10.0.0.0', '10.0.0.0/8'],
  ['last before an inner one', NESTED, '10.0.255.255', '10.0.0.0/8'],
  ['the longest wins', NESTED, '10.1.2.3', '10.1.2.3/32'],
  ['beside the longest', NESTED, '10.1.2.4', '10.1.2.0/24'],
  ['after the innermost, back to the one around', NESTED, '10.1.3.0', '10.1.0.0/16'],
  ['after two levels, back to the outermost', NESTED, '10.2.0.0', '10.0.0.0/8'],
  ['inner one that ends with the outer one', NESTED, '10.255.255.255', '10.255.0.0/16'],
  ['above all', NESTED, '11.0.0.0', undefined],
  ['IPv4-mapped is IPv4', NESTED, '::ffff:10.1.2.3', '10.1.2.3/32'],
  ['IPv4-compatible is not', NESTED, '::10.1.2.3', undefined],
  ['IPv6, longest', NESTED, '2001:db8:c::1', '2001:db8:c::/48'],
  ['IPv6, outer', NESTED, '2001:db8:d::1', '2001:db8::/32'],
  ['IPv6, outside', NESTED, '2001:db9::1', undefined],
  ['the first address there is', EDGES, '0.0.0.0', '0.0.0.0/1'],
  ['half of all', EDGES, '127.255.255.255', '0.0.0.0/1'],
  ['the other half', EDGES, '128.0.0.0', undefined],
  ['the last address there is', EDGES, '255.255.255.255', '255.255.255.255/32'],
  ['the last but one', EDGES, '255.255.255.254', '255.255.255.0/24'],
  ['the first IPv6 address', EDGES, '::', '::/128'],
  ['the second', EDGES, '::1', undefined],
  ['the last IPv6 address', EDGES, 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', EDGES[5]],
  ['the last but one', EDGES, 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe', 'ffff::/16'],
  ['everything of one family', ['0.0.0.0/0'], '203.0.113.9', '0.0.0.0/0'],
  ['and nothing of the other', ['0.0.0.0/0'], '::1', undefined],
  ['everything, with a hole', ['::/0', '2001:db8::/32'], '2001:db8::', '2001:db8::/32'],
];

describe('lookup', () => {
  for (const [name, texts, address, expected] of LOOKUPS) {
    test(`ok/${name}: ${address} -> ${expected}`, () => {
      expect(table(texts).lookup(parseAddress(address)!)).toBe(expected);
      expect(table([...texts].reverse()).lookup(parseAddress(address)!)).toBe(expected);
    });
  }

  test('ok/two agreements whose prefixes overlap: the longer one wins', () => {
    const agreements = PrefixTable.of([
      [parsePrefix('192.0.2.0/24') as AddressPrefix, { name: 'op-b' }],
      [parsePrefix('192.0.2.16/28') as AddressPrefix, { name: 'op-c' }],
    ]);
    expect(agreements.lookup(parseAddress('192.0.2.17')!)?.name).toBe('op-c');
    expect(agreements.lookup(parseAddress('192.0.2.32')!)?.name).toBe('op-b');
  });

  test('ok/a value of undefined or 0 is a value', () => {
    const values = PrefixTable.of<number | undefined>([[parsePrefix('192.0.2.0/24') as AddressPrefix, 0]]);
    expect(values.lookup(parseAddress('192.0.2.1')!)).toBe(0);
  });
});

describe('match', () => {
  test('ok/tells the prefix that was found', () => {
    const found = table(NESTED).match(parseAddress('10.1.2.9')!);
    expect(found).toEqual({ prefix: parsePrefix('10.1.2.0/24'), value: '10.1.2.0/24' });
    expect(table(NESTED).match(parseAddress('2001:db8:c::9')!)?.prefix.text).toBe('2001:db8:c::/48');
  });
  test('fail/none', () => {
    expect(table(NESTED).match(parseAddress('11.0.0.0')!)).toBeUndefined();
  });
});

describe('building', () => {
  test('fail/one prefix twice is named', () => {
    expect(() => table(['192.0.2.0/24', '10.0.0.0/8', '192.0.2.0/24'])).toThrow(/192\.0\.2\.0\/24/);
    expect(() => table(['2001:db8::/32', '::/0', '2001:db8::/32'])).toThrow(/2001:db8::\/32 was given twice/);
  });
  test('ok/the same network at two lengths is two prefixes', () => {
    expect(table(['192.0.2.0/24', '192.0.2.0/25']).size).toBe(2);
  });
  test('ok/more than the first allocation', () => {
    const many = Array.from({ length: 1_000 }, (_, at) => `10.${at >> 8}.${at & 255}.0/24`);
    const built = table(many);
    expect(built.size).toBe(1_000);
    for (const text of many) expect(built.lookup(parseAddress(text.replace('.0/24', '.77'))!)).toBe(text);
  });
});

describe('properties', () => {
  // Few distinct bits, so that prefixes nest, touch and share ends.
  const bytes = (length: number) =>
    fc
      .array(fc.constantFrom(0, 1, 127, 128, 254, 255), { minLength: length, maxLength: length })
      .map((all) => Uint8Array.from(all));
  const anyAddress = fc.oneof(bytes(4), bytes(16)).map((all) => addressFromBytes(all)!);
  const anyPrefix = anyAddress.chain((address) =>
    fc.integer({ min: 0, max: address.bytes.length * 8 }).map((length) => prefixOf(address, length)),
  );

  test('ok/equals a linear scan for the longest prefix', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyPrefix, { maxLength: 40, selector: ({ text }) => text }),
        fc.array(anyAddress, { maxLength: 40 }),
        (prefixes, addresses) => {
          const built = PrefixTable.of(prefixes.map((prefix) => [prefix, prefix.text]));
          // The prefixes' own first addresses too: that is where intervals begin.
          for (const address of [...addresses, ...prefixes.map((prefix) => addressFromBytes(prefix.bytes)!)]) {
            const longest = prefixes
              .filter((prefix) => contains(prefix, address))
              .reduce<AddressPrefix | undefined>(
                (best, next) => (best && best.length >= next.length ? best : next),
                undefined,
              );
            expect(built.lookup(address)).toBe(longest?.text);
            expect(built.match(address)?.prefix.text).toBe(longest?.text);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
