/** The examples of JSON-RPC 2.0 §7 as data, and the methods that they call. */

import { z } from 'zod';
import { defineMethod, type Method } from '../../src/rpc/dispatch/method.js';

const numbers = z.record(z.string(), z.number());
const names = Array.from({ length: 5 }, (_, index) => `n${index}`);

export const specificationMethods: readonly Method[] = [
  defineMethod({
    name: 'subtract',
    role: 'script',
    doc: 'the difference of two numbers',
    params: z.object({ minuend: z.number(), subtrahend: z.number() }),
    positional: ['minuend', 'subtrahend'],
    handler: ({ minuend, subtrahend }) => minuend - subtrahend,
  }),
  defineMethod({
    name: 'sum',
    role: 'script',
    doc: 'the sum of numbers',
    params: numbers,
    positional: names,
    handler: (params) => Object.values(params).reduce((sum, value) => sum + value, 0),
  }),
  defineMethod({
    name: 'get_data',
    role: 'script',
    doc: 'constant data',
    params: z.object({}),
    handler: () => ['hello', 5],
  }),
  ...['update', 'notify_hello', 'notify_sum'].map((name) =>
    defineMethod({
      name,
      role: 'script',
      doc: 'nothing',
      params: numbers,
      positional: names,
      handler: () => undefined,
    }),
  ),
];

export interface SpecificationExample {
  readonly name: string;
  readonly request: string;
  /** undefined: nothing is returned. */
  readonly response: unknown;
}

const INVALID = { jsonrpc: '2.0', error: { code: -32600, message: 'Invalid Request' }, id: null };
const unknown = (method: string) => ({
  ...{ code: -32601, message: 'Method not found' },
  data: { expected: 'a method of siptrustd', found: `"${method}"` },
});
const UNPARSED = { jsonrpc: '2.0', error: { code: -32700, message: 'Parse error' }, id: null };

export const SPECIFICATION_EXAMPLES: readonly SpecificationExample[] = [
  {
    name: 'positional parameters',
    request: '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
    response: { jsonrpc: '2.0', result: 19, id: 1 },
  },
  {
    name: 'positional parameters, the other way round',
    request: '{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}',
    response: { jsonrpc: '2.0', result: -19, id: 2 },
  },
  {
    name: 'named parameters',
    request: '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
    response: { jsonrpc: '2.0', result: 19, id: 3 },
  },
  {
    name: 'named parameters, the other way round',
    request: '{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}',
    response: { jsonrpc: '2.0', result: 19, id: 4 },
  },
  {
    name: 'a notification',
    request: '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}',
    response: undefined,
  },
  {
    name: 'a notification of a method that does not exist',
    request: '{"jsonrpc": "2.0", "method": "foobar"}',
    response: undefined,
  },
  {
    name: 'a method that does not exist',
    request: '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}',
    response: { jsonrpc: '2.0', error: unknown('foobar'), id: '1' },
  },
  {
    name: 'invalid JSON',
    request: '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
    response: UNPARSED,
  },
  {
    name: 'an invalid request object',
    request: '{"jsonrpc": "2.0", "method": 1, "params": "bar"}',
    response: INVALID,
  },
  {
    name: 'a batch of invalid JSON',
    request: `[
  {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
  {"jsonrpc": "2.0", "method"
]`,
    response: UNPARSED,
  },
  { name: 'an empty array', request: '[]', response: INVALID },
  { name: 'an invalid batch, not empty', request: '[1]', response: [INVALID] },
  { name: 'an invalid batch', request: '[1,2,3]', response: [INVALID, INVALID, INVALID] },
  {
    name: 'a batch',
    request: `[
  {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
  {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
  {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
  {"foo": "boo"},
  {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
  {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
]`,
    response: [
      { jsonrpc: '2.0', result: 7, id: '1' },
      { jsonrpc: '2.0', result: 19, id: '2' },
      INVALID,
      { jsonrpc: '2.0', error: unknown('foo.get'), id: '5' },
      { jsonrpc: '2.0', result: ['hello', 5], id: '9' },
    ],
  },
  {
    name: 'a batch of notifications',
    request: `[
  {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
  {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}
]`,
    response: undefined,
  },
];
