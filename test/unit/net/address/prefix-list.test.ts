import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressFromBytes } from '../../../../src/net/address/address.js';
import { prefixOf } from '../../../../src/net/address/prefix.js';
import { PrefixList } from '../../../../src/net/address/prefix-list.js';

const prefixes = fc.oneof(
  fc.tuple(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.nat(32)).map(([bytes, length]) => ({ bytes, length })),
  fc.tuple(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(128)).map(([bytes, length]) => ({ bytes, length })),
);

describe('PrefixList', () => {
  test('ok/gives back what it was made of, in order, both families', () => {
    const property = fc.property(fc.array(prefixes), (given) => {
      const made = given.map(({ bytes, length }) => {
        const address = addressFromBytes(bytes);
        if (address === undefined) throw new Error('expected an address');
        // An IPv4-mapped address is one of IPv4.
        return prefixOf(address, Math.min(length, address.bytes.length * 8));
      });
      const list = PrefixList.of(made);
      expect(list.length).toBe(made.length);
      expect([...list]).toEqual(made);
      expect([...PrefixList.restore(list.parts)]).toEqual(made);
    });
    fc.assert(property);
  });

  test('ok/nobody can change one: the empty one is that of all agreements without prefixes', () => {
    const empty = PrefixList.of([]);
    for (const list of [empty, PrefixList.restore(empty.parts)]) expect(Object.isFrozen(list)).toBe(true);
    expect(empty.length).toBe(0);
  });
});
