/** Every example of JSON-RPC 2.0 §7, and what jayson would answer wrongly, over every wire by real sockets. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createDispatcher } from '../../src/rpc/dispatch/dispatcher.js';
import { defineMethod } from '../../src/rpc/dispatch/method.js';
import { listenFifo } from '../../src/rpc/wire/fifo.js';
import { listenHttp } from '../../src/rpc/wire/http.js';
import type { Listener } from '../../src/rpc/wire/listener.js';
import { netstring } from '../../src/rpc/wire/netstring.js';
import { listenTcp } from '../../src/rpc/wire/tcp.js';
import { listenUnix } from '../../src/rpc/wire/unix.js';
import { SPECIFICATION_EXAMPLES, specificationMethods } from '../support/jsonrpc.js';
import { fifoAsk, http, NetstringClient, portOf, temporaryDirectory } from '../support/wires.js';

const dispatch = createDispatcher([
  ...specificationMethods,
  defineMethod({ name: 'wire', role: 'script', doc: 'the wire', params: z.object({}), handler: (_, { wire }) => wire }),
  defineMethod({ name: 'later', role: 'script', doc: 'a promise', params: z.object({}), handler: async () => 'later' }),
]);

const directory = temporaryDirectory();
const listeners: Listener[] = [];
const address: Record<string, string> = {};

beforeAll(async () => {
  const open = {
    tcp: await listenTcp({ dispatch, port: 0 }),
    unix: await listenUnix({ dispatch, path: `${directory.path}/unix`, role: 'operator' }),
    http: await listenHttp({ dispatch, port: 0, callerOf: () => ({ role: 'script' }) }),
    fifo: await listenFifo({ dispatch, path: `${directory.path}/fifo`, replyDir: directory.path }),
  };
  for (const [name, listener] of Object.entries(open)) {
    listeners.push(listener);
    address[name] = listener.address;
  }
});

afterAll(async () => {
  await Promise.all(listeners.map((listener) => listener.close()));
  directory.remove();
});

const SENTINEL = '{"jsonrpc":"2.0","method":"wire","id":"sentinel"}';

/** The answer to a request, or undefined where none comes before the answer to a request sent after it. */
async function overNetstring(client: NetstringClient, request: string, later: boolean): Promise<unknown> {
  try {
    if (later) return await client.ask(request);
    client.send(netstring(request) + netstring(SENTINEL));
    const [first] = await client.take(1);
    if ((first as { id?: unknown }).id === 'sentinel') return undefined;
    await client.take(1);
    return first;
  } finally {
    client.destroy();
  }
}

/** Puts the reply name where the text has an object, or where it breaks off. */
function withReplyName(request: string, name: string): string {
  const member = `"reply_name": "${name}"`;
  try {
    JSON.parse(request);
    return `${request.replace('{', `{${member}, `)}\n`;
  } catch {
    return `${request.trimEnd().slice(0, -1)}, ${member}${request.trimEnd().slice(-1)}\n`;
  }
}

const WIRES: Record<string, (request: string, later?: boolean) => Promise<unknown>> = {
  tcp: (request, later = false) =>
    overNetstring(new NetstringClient({ port: portOf(address.tcp ?? '') }), request, later),
  unix: (request, later = false) => overNetstring(new NetstringClient({ path: address.unix ?? '' }), request, later),
  http: async (request) => {
    const headers = { 'Content-Type': 'application/json' };
    const { status, text } = await http(portOf(address.http ?? ''), { headers, body: request });
    expect(status).toBe(text === '' ? 204 : 200);
    return text === '' ? undefined : JSON.parse(text);
  },
  fifo: async (request) => {
    const text = await fifoAsk(address.fifo ?? '', directory.path, (name) => withReplyName(request, name));
    return text === '' ? undefined : JSON.parse(text);
  },
};

const batchOf = (count: number): string =>
  JSON.stringify(
    Array.from({ length: count }, (_, id) => ({ jsonrpc: '2.0', method: 'subtract', params: [id, 0], id })),
  );
const INVALID = { code: -32600, message: 'Invalid Request' };

describe.each(Object.keys(WIRES))('%s', (wire) => {
  const ask = WIRES[wire]!;
  /** `[]` and `[1]` have no place for a reply name: the FIFO has no way to answer them. */
  const answerable = (request: string) => wire !== 'fifo' || request.includes('{');

  test.each(SPECIFICATION_EXAMPLES.filter(({ request }) => answerable(request)))(
    'ok/§7 $name',
    async ({ request, response }) => {
      expect(await ask(request)).toEqual(response);
    },
  );

  test('ok/the method knows the wire', async () => {
    expect(await ask(SENTINEL.replace('sentinel', 'x'))).toEqual({ jsonrpc: '2.0', result: wire, id: 'x' });
  });

  test('ok/id null is a request', async () => {
    const request = '{"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":null}';
    expect(await ask(request)).toEqual({ jsonrpc: '2.0', result: 19, id: null });
  });

  test('ok/an answer that takes longer', async () => {
    const request = '[{"jsonrpc":"2.0","method":"later","id":1},{"jsonrpc":"2.0","method":"wire","id":2}]';
    expect(await ask(request, true)).toMatchObject([{ result: 'later' }, { result: wire }]);
  });

  test('fail/nested batch', async () => {
    const request = '[[{"jsonrpc":"2.0","method":"wire","id":1}]]';
    // On the FIFO the name of the reply would stand in the nested request, which is none.
    if (wire === 'fifo') return;
    expect(await ask(request)).toEqual([{ jsonrpc: '2.0', error: INVALID, id: null }]);
  });

  test('fail/a batch over the limit', async () => {
    expect(await ask(batchOf(100))).toHaveLength(100);
    expect(await ask(batchOf(101))).toMatchObject({ error: { ...INVALID, data: { found: 101 } }, id: null });
  });

  test('fail/__proto__ as method and as key', async () => {
    const asMethod = '{"jsonrpc":"2.0","method":"__proto__","id":1}';
    const asKey = '{"jsonrpc":"2.0","method":"sum","params":{"__proto__":{"x":1},"constructor":"1"},"id":1}';
    expect(await ask(asMethod)).toMatchObject({ error: { code: -32601 }, id: 1 });
    expect(await ask(asKey)).toMatchObject({ error: { code: -32602 }, id: 1 });
  });
});
