import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RpcError } from '../../../../src/rpc/dispatch/errors.js';
import { foldByteParams } from '../../../../src/rpc/params/byte-params.js';

const b64 = (bytes: string) => Buffer.from(bytes, 'latin1').toString('base64');

describe('foldByteParams (design.md, "The RPC contract")', () => {
  const ok: [string, unknown, unknown][] = [
    ['x_b64 becomes x', { pem_b64: b64('abc') }, { pem: 'abc' }],
    ['inside tls', { tls: { pem_b64: b64('abc'), verified: 1 } }, { tls: { pem: 'abc', verified: 1 } }],
    ['without padding', { a_b64: 'YQ' }, { a: 'a' }],
    ['<null> is absent', { conid: '<null>', proto: 'udp' }, { proto: 'udp' }],
    ['<null> in base64 is absent', { conid_b64: b64('<null>') }, {}],
    ['a bare <null> of a _b64 param is absent', { conid_b64: '<null>' }, {}],
    ['null and empty are absent', { a: null, b: '' }, {}],
    ['an absent twin does not clash', { a: '<null>', a_b64: b64('x') }, { a: 'x' }],
    ['UTF-8 text becomes its bytes', { a: 'é' }, { a: 'Ã©' }],
    ['bytes stay bytes', { a_b64: b64('\xff\x00') }, { a: '\xff\x00' }],
    ['what is no object passes', [1, 2], [1, 2]],
  ];
  for (const [name, given, expected] of ok) {
    test(`ok/${name}`, () => expect(foldByteParams(given)).toEqual(expected));
  }
  for (const [name, given] of [
    ['both x and x_b64', { a: 'x', a_b64: b64('y') }],
    ['base64 that does not decode', { a_b64: '%%%' }],
    ['base64 that is no string', { a_b64: 7 }],
    ['base64 of impossible length', { a_b64: 'YWJjZ' }],
    ['more params than any method has', Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`k${at}`, 1]))],
    ['the same inside tls', { tls: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`k${at}`, 1])) }],
    [
      'objects in objects, as deep as a request can hold',
      JSON.parse(`${'{"a":'.repeat(150_000)}1${'}'.repeat(150_000)}`),
    ],
  ] as const) {
    test(`fail/${name}`, () => expect(() => foldByteParams(given)).toThrow(RpcError));
  }
  test('ok/__proto__ is a key like any other', () => {
    const folded = foldByteParams(JSON.parse('{"__proto__": {"polluted": "x"}}')) as object;
    expect(Object.hasOwn(folded, '__proto__')).toBe(true);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
  test('ok/any bytes survive base64', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const text = Buffer.from(bytes).toString('latin1');
        fc.pre(text !== '<null>');
        expect(foldByteParams({ x_b64: Buffer.from(bytes).toString('base64') })).toEqual({ x: text });
      }),
    );
  });
});
