import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createDispatcher } from '../../../../src/rpc/dispatch/dispatcher.js';
import { RpcError } from '../../../../src/rpc/dispatch/errors.js';
import { type CallContext, defineMethod, JsonText } from '../../../../src/rpc/dispatch/method.js';
import { SPECIFICATION_EXAMPLES, specificationMethods } from '../../../support/jsonrpc.js';

const CONTEXT: CallContext = { wire: 'tcp', peer: '127.0.0.1:40222', role: 'script' };
const anything = z.record(z.string(), z.unknown());

const methods = [
  ...specificationMethods,
  defineMethod({
    name: 'echo',
    role: 'script',
    doc: 'the params',
    params: z.strictObject({
      name: z.string().optional(),
      port: z.union([z.int(), z.stringFormat('digits', /^\d+$/)]).optional(),
      tls: z.strictObject({ verified: z.enum(['0', '1']) }).optional(),
      list: z.array(z.int()).optional(),
    }),
    positional: ['name', 'port'],
    handler: (params) => params,
  }),
  defineMethod({
    name: 'where',
    role: 'script',
    doc: 'the context',
    params: anything,
    handler: (_, context) => ({ ...context }),
  }),
  defineMethod({
    name: 'keys',
    role: 'script',
    doc: 'own keys',
    params: z.unknown(),
    handler: (params) => Object.keys(params as object),
  }),
  defineMethod({ name: 'nothing', role: 'script', doc: 'undefined', params: anything, handler: () => undefined }),
  defineMethod({ name: 'later', role: 'script', doc: 'a promise', params: anything, handler: async () => 'later' }),
  defineMethod({
    name: 'throw.sync',
    role: 'script',
    doc: 'throws',
    params: anything,
    handler: () => {
      throw new Error('secret path /etc/siptrust');
    },
  }),
  defineMethod({
    name: 'throw.async',
    role: 'script',
    doc: 'rejects',
    params: anything,
    handler: () => Promise.reject(new Error('secret path /etc/siptrust')),
  }),
  defineMethod({
    name: 'throw.oddity',
    role: 'script',
    doc: 'throws what jayson would take for an error object',
    params: anything,
    handler: () => {
      throw { code: 1, message: 'secret' };
    },
  }),
  defineMethod({
    name: 'throw.known',
    role: 'script',
    doc: 'throws an error of the table',
    params: anything,
    handler: () => {
      throw new RpcError('not-found', 'agreement op-x');
    },
  }),
  defineMethod({
    name: 'prepared',
    role: 'script',
    doc: '',
    params: anything,
    handler: () => new JsonText('{"a":[1,"\u00fc"]}'),
  }),
  defineMethod({ name: 'bigint', role: 'script', doc: 'no JSON', params: anything, handler: () => 1n }),
  defineMethod({ name: 'bigint.late', role: 'script', doc: 'no JSON', params: anything, handler: async () => 1n }),
];

const dispatch = createDispatcher(methods);
const INTERNAL = { code: -32603, message: 'Internal error' };
const INVALID = { code: -32600, message: 'Invalid Request' };

async function ask(request: unknown): Promise<unknown> {
  const text = await dispatch(typeof request === 'string' ? request : JSON.stringify(request), CONTEXT);
  return text === undefined ? undefined : JSON.parse(text);
}

const call = (method: string, params?: unknown, id: unknown = 1) => ({ jsonrpc: '2.0', method, params, id });

describe('examples of JSON-RPC 2.0 §7', () => {
  test.each(SPECIFICATION_EXAMPLES)('ok/$name', async ({ request, response }) => {
    expect(await ask(request)).toEqual(response);
    expect(await dispatch(Buffer.from(request), CONTEXT)).toEqual(await dispatch(request, CONTEXT));
  });
});

describe('a method that does not exist', () => {
  test('fail/one that was probably meant is named', async () => {
    expect(await ask(call('throw.snyc'))).toEqual({
      ...{ jsonrpc: '2.0', id: 1 },
      error: {
        ...{ code: -32601, message: 'Method not found' },
        data: { expected: 'a method of siptrustd (did you mean throw.sync?)', found: '"throw.snyc"' },
      },
    });
  });
  test.each(['toString', 'constructor', '__proto__'])('fail/nor does %s, which every object has', async (method) => {
    const data = { expected: 'a method of siptrustd', found: `"${method}"` };
    expect(await ask(call(method))).toMatchObject({ error: { data } });
  });
  test('fail/a long one is cut, and drives no terminal', async () => {
    const answer = JSON.stringify(await ask(call(`\u001b[2J${'a'.repeat(100_000)}`, {}, null)));
    expect(answer).toMatch(/"id":null/);
    expect(answer.length).toBeLessThan(400);
    expect(answer).not.toContain('\\u001b');
  });
});

describe('ids', () => {
  test.each<[string, unknown]>([
    ['ok/null is a request', null],
    ['ok/zero', 0],
    ['ok/empty string', ''],
    ['ok/negative', -7],
    ['ok/fraction', 1.5],
    ['ok/largest', Number.MAX_SAFE_INTEGER],
    ['ok/string of a large number', '12345678901234567890'],
  ])('%s', async (_, id) => {
    expect(await ask(call('subtract', [42, 23], id))).toEqual({ jsonrpc: '2.0', result: 19, id });
    expect(await ask(call('none', [], id))).toMatchObject({ error: { code: -32601 }, id });
  });

  test('ok/null within a batch, and of a method that answers later', async () => {
    expect(await ask([call('later', {}, null), call('later', {}, 2)])).toEqual([
      { jsonrpc: '2.0', result: 'later', id: null },
      { jsonrpc: '2.0', result: 'later', id: 2 },
    ]);
  });

  test.each([
    ['12345678901234567890', '12345678901234567000'],
    ['1e400', 'Infinity'],
    ['true', 'boolean'],
    ['[]', 'an array'],
    ['{}', 'object'],
  ])('fail/id %s: the answer says what was found', async (id, found) => {
    const request = `{"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":${id}}`;
    expect(await ask(request)).toMatchObject({ error: { ...INVALID, data: { found } }, id: null });
  });
});

describe('requests that are none', () => {
  test.each<[string, string]>([
    ['number', '1'],
    ['null', 'null'],
    ['true', 'true'],
    ['a request inside a string', JSON.stringify(JSON.stringify(call('subtract', [42, 23])))],
    ['everything on the prototype', '{"__proto__":{"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":1}}'],
  ])('fail/%s', async (_, text) => {
    expect(await ask(text)).toEqual({ jsonrpc: '2.0', error: INVALID, id: null });
  });

  test.each<[version: string, found: string]>([
    ['', 'nothing'],
    ['"jsonrpc":"1.0",', '"1.0"'],
    ['"jsonrpc":2.0,', 'number'],
    ['"jsonrpc":null,', 'null'],
  ])('fail/version %s: the answer says which one is spoken here', async (version, found) => {
    const data = { expected: 'jsonrpc: "2.0"', found };
    const answer = await ask(`{${version}"method":"subtract","params":[42,23],"id":1}`);
    expect(answer).toEqual({ jsonrpc: '2.0', error: { ...INVALID, data }, id: null });
  });

  test.each<[params: string, found: string]>([
    ['null', 'null'],
    ['"x"', 'string'],
    ['1', 'number'],
  ])('fail/params %s (JSON-RPC 2.0 §4.2: a structured value, or none)', async (params, found) => {
    const data = { expected: 'params: an object, an array, or none at all', found };
    const answer = await ask(`{"jsonrpc":"2.0","method":"subtract","params":${params},"id":1}`);
    expect(answer).toEqual({ jsonrpc: '2.0', error: { ...INVALID, data }, id: null });
  });

  test.each<[name: string, text: string, member: string]>([
    ['in the request', '{"jsonrpc":"2.0","method":"sum","method":"subtract","params":[1,2],"id":1}', 'method'],
    ['in its params', '{"jsonrpc":"2.0","method":"sum","params":{"cert":1,"cert":2},"id":1}', 'cert'],
    ['below them', '{"jsonrpc":"2.0","method":"sum","params":{"tls":{"pem":"a","sni":"","pem":"a"}},"id":1}', 'pem'],
    ['in a batch', '[{"jsonrpc":"2.0","method":"sum","params":[1],"id":1,"id":2}]', 'id'],
  ])('fail/a member that stands twice %s: nobody knows which one was meant', async (_, text, member) => {
    const data = { expected: 'each member of an object once', found: `"${member}" stands twice in one object` };
    expect(await ask(text)).toEqual({ jsonrpc: '2.0', error: { ...INVALID, data }, id: null });
  });

  test.each<[string, string | Buffer]>([
    ['empty', ''],
    ['cut', '{"jsonrpc":"2.0"'],
    ['byte order mark', Buffer.from('\ufeff{"jsonrpc":"2.0","method":"sum","id":1}')],
    ['not UTF-8', Buffer.from('{"jsonrpc":"2.0","method":"sum\xff","id":1}', 'latin1')],
    ['deep', '['.repeat(1_000_000)],
  ])('fail/%s is a parse error', async (_, text) => {
    const answer = await dispatch(text, CONTEXT);
    expect(JSON.parse(answer ?? '')).toMatchObject({ error: { code: -32700, message: 'Parse error' }, id: null });
  });

  test.each<[text: string, found: string]>([
    ['', 'nothing'],
    ['\ufeff{"jsonrpc":"2.0","method":"sum","id":1}', 'a byte order mark before it'],
    ['{"jsonrpc":"2.0"}\0', 'a NUL octet after 17 others'],
    [Buffer.from('{}', 'utf16le').toString(), 'a NUL octet after 1 others'],
  ])('fail/what nobody sees who looks at it is named: %j', async (text, found) => {
    const error = { code: -32700, message: 'Parse error', data: { expected: 'a JSON text', found } };
    for (const request of [text, Buffer.from(text)]) {
      expect(JSON.parse((await dispatch(request, CONTEXT)) ?? '')).toEqual({ jsonrpc: '2.0', error, id: null });
    }
  });
});

describe('batches', () => {
  test('fail/a nested batch is an invalid request, not silence', async () => {
    expect(await ask([[call('sum', [1])]])).toEqual([{ jsonrpc: '2.0', error: INVALID, id: null }]);
    expect(await ask([[], call('subtract', [42, 23])])).toEqual([
      { jsonrpc: '2.0', error: INVALID, id: null },
      { jsonrpc: '2.0', result: 19, id: 1 },
    ]);
    expect(await ask('['.repeat(50_000) + ']'.repeat(50_000))).toEqual([{ jsonrpc: '2.0', error: INVALID, id: null }]);
  });

  test('ok/as many as the limit, fail/one more', async () => {
    const requests = Array.from({ length: 101 }, (_, id) => call('subtract', [id, 0], id));
    expect(await ask(requests.slice(1))).toHaveLength(100);
    expect(await ask(requests)).toEqual({
      jsonrpc: '2.0',
      error: { ...INVALID, data: { expected: 'a batch of at most 100 requests', found: 101 } },
      id: null,
    });
  });

  test('ok/the answers keep the order of the requests, and one bad result spoils no other', async () => {
    expect(await ask([call('later', {}, 'a'), call('bigint', {}, 'b'), call('nothing', {}, 'c')])).toEqual([
      { jsonrpc: '2.0', result: 'later', id: 'a' },
      { jsonrpc: '2.0', error: INTERNAL, id: 'b' },
      { jsonrpc: '2.0', result: null, id: 'c' },
    ]);
  });
});

describe('handlers', () => {
  test('ok/a synchronous handler is answered in the same turn', () => {
    expect(typeof dispatch(JSON.stringify(call('subtract', [42, 23])), CONTEXT)).toBe('string');
    expect(typeof dispatch(JSON.stringify([call('subtract', [42, 23])]), CONTEXT)).toBe('string');
  });

  test.each([1, 'a"b', null])('ok/a result that is JSON already, id %j', async (id) => {
    const response = { jsonrpc: '2.0', id, result: { a: [1, 'ü'] } };
    expect(await ask(call('prepared', {}, id))).toEqual(response);
    expect(await ask([call('prepared', {}, id)])).toEqual([response]);
    expect(JSON.parse(JSON.stringify(new JsonText('[1]')))).toEqual([1]);
  });

  test('ok/the context arrives', async () => {
    expect(await ask(call('where'))).toMatchObject({ result: CONTEXT });
  });

  const internal = ['throw.sync', 'throw.async', 'throw.oddity', 'bigint', 'bigint.late'];
  test.each(internal)('fail/%s: no detail leaves', async (method) => {
    const onInternalError = vi.fn();
    const text = await createDispatcher(methods, { onInternalError })(JSON.stringify(call(method)), CONTEXT);
    expect(JSON.parse(text ?? '')).toEqual({ jsonrpc: '2.0', error: INTERNAL, id: 1 });
    expect(onInternalError).toHaveBeenCalledExactlyOnceWith(expect.anything(), method, CONTEXT);
  });

  test.each(['throw.sync', 'throw.async', 'throw.known', 'bigint', 'later', 'subtract'])(
    'ok/%s as notification is not answered',
    async (method) => {
      expect(await ask({ jsonrpc: '2.0', method })).toBeUndefined();
      expect(await ask([{ jsonrpc: '2.0', method }])).toBeUndefined();
    },
  );

  test('ok/an error of the table goes out as it is', async () => {
    expect(await ask(call('throw.known'))).toEqual({
      jsonrpc: '2.0',
      error: { code: -32001, message: 'Not found', data: 'agreement op-x' },
      id: 1,
    });
  });

  test('fail/two methods of one name, a reserved name', () => {
    expect(() => createDispatcher([...methods, ...methods])).toThrow('expected one definition, found two');
    const reserved = defineMethod({
      name: 'rpc.discover',
      role: 'script',
      doc: '',
      params: anything,
      handler: () => 0,
    });
    expect(() => createDispatcher([reserved])).toThrow('reserved');
  });
});

describe('names of the language', () => {
  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', ''])(
    'fail/method %j does not exist',
    async (method) => {
      expect(await ask(call(method))).toMatchObject({ error: { code: -32601 }, id: 1 });
    },
  );

  test('fail/as key: an unknown param, and nothing inherits it', async () => {
    const text = '{"jsonrpc":"2.0","method":"echo","params":{"__proto__":{"name":"x"},"constructor":1},"id":1}';
    const answer = await ask(text);
    expect(answer).toMatchObject({ error: { code: -32602 }, id: 1 });
    expect(({} as { name?: unknown }).name).toBeUndefined();
  });

  test('ok/as key of the request: harmless', async () => {
    const text =
      '{"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":null,"__proto__":{"id":9},"constructor":0}';
    expect(await ask(text)).toEqual({ jsonrpc: '2.0', result: 19, id: null });
  });
});

describe('params', () => {
  test.each<[string, unknown, unknown]>([
    ['ok/by name', { name: 'op-b', port: 5 }, { name: 'op-b', port: 5 }],
    ['ok/by position', ['op-b', '5060'], { name: 'op-b', port: '5060' }],
    ['ok/fewer by position', ['op-b'], { name: 'op-b' }],
    ['ok/none', undefined, {}],
    ['ok/empty array', [], {}],
  ])('%s', async (_, params, result) => {
    expect(await ask(call('echo', params))).toMatchObject({ result });
  });

  test.each<[string, unknown, unknown[]]>([
    ['type', { name: 5 }, [{ path: 'name', expected: 'string', found: '5' }]],
    ['nothing', { tls: {} }, [{ path: 'tls.verified', expected: '"0" or "1"', found: 'nothing' }]],
    ['value', { tls: { verified: 'yes' } }, [{ path: 'tls.verified', expected: '"0" or "1"', found: '"yes"' }]],
    ['place in a list', { list: [1, {}] }, [{ path: 'list[1]', expected: 'number', found: 'an object' }]],
    ['union', { port: [] }, [{ path: 'port', expected: 'number or string', found: 'an array of 0' }]],
    ['unknown', { nmae: 'x' }, [{ path: 'nmae', expected: 'no param of this name', found: '"x"' }]],
    ['long', { name: null, nmae: 'x'.repeat(99) }, [{ path: 'name' }, { found: `"${'x'.repeat(59)}...` }]],
    [
      'too many by name',
      Object.fromEntries(Array.from({ length: 60_000 }, (_, at) => [`k${at}`, 1])),
      [{ path: '', expected: 'at most 100 params', found: '60000' }],
    ],
    [
      'many unknown ones, the first told',
      { name: 'x', ...Object.fromEntries(Array.from({ length: 90 }, (_, at) => [`k${at}`, 1])) },
      Array.from({ length: 20 }, (_, at) => ({ path: `k${at}`, expected: 'no param of this name', found: '1' })),
    ],
    ['too many', ['a', 1, 2], [{ path: '', expected: 'at most 2 params by position (name, port)', found: '3' }]],
  ])('fail/%s', async (_, params, data) => {
    const answer = await ask(call('echo', params));
    expect(answer).toMatchObject({ error: { code: -32602, message: 'Invalid params', data }, id: 1 });
  });
});

describe('by, which siptrustctl sends along', () => {
  const asked = (by: string) => dispatch(`{"jsonrpc":"2.0","id":1,"method":"where","by":${by}}`, CONTEXT);
  test('ok/a text is the claim, cut and printable', () => {
    expect(JSON.parse(String(asked(JSON.stringify(`a\n${'b'.repeat(100)}`)))).result.claimed).toBe(
      `a?${'b'.repeat(62)}`,
    );
  });
  test.each([
    ['an object without a text of its own', '{"toString":1,"valueOf":1}', 'object'],
    ['arrays in arrays', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, 'an array'],
    ['a number', '1', 'number'],
    ['null', 'null', 'null'],
  ])('fail/%s is refused, and nothing is thrown', (_, by, found) => {
    expect(JSON.parse(String(asked(by)))).toMatchObject({
      error: { code: -32600, data: { expected: 'by: a string', found } },
    });
  });
});
