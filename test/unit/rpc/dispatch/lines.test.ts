import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import {
  createDispatcher,
  defineMethod,
  JsonText,
  lineDispatch,
  RpcError,
} from '../../../../src/rpc/dispatch/index.js';

const CONTEXT = { wire: 'http', peer: 'test', role: 'script' } as const;
const PEER = {
  ...{ verdict: 'untrusted', trusted: 0, profile: 'untrusted', action: 'continue', per: 'connection', agreement: '' },
  ...{ reason: 'no-tls', id: 'a-1', ttl: 60, revision: 7 },
};

/** What `trust.peer` was asked, and the line that came back. */
async function ask(question: string, answer: (params: unknown) => unknown = () => PEER) {
  const asked: unknown[] = [];
  const method = defineMethod({
    name: 'trust.peer',
    role: 'script',
    doc: 'who is it',
    params: z.unknown(),
    handler: (params) => {
      asked.push(params);
      return answer(params);
    },
  });
  const line = await lineDispatch(createDispatcher([method]))(Buffer.from(question, 'latin1'), CONTEXT);
  return { asked, line };
}

const LINE = 'trust.peer;7;60;2;untrusted;connection;|no-tls|a-1|continue|403|Forbidden|0;;0;.';

describe('questions in one line', () => {
  test.each([
    ['trust.peer', {}],
    ['trust.peer direction=in src_ip=2001:db8::1', { direction: 'in', src_ip: '2001:db8::1' }],
    ['trust.peer conid=<null> next_hop_b64=YQ==', { conid: '<null>', next_hop_b64: 'YQ==' }],
    ['trust.peer a=b=c d= tls.pem=%20 tls.verified=1', { a: 'b=c', d: '', tls: { pem: '%20', verified: '1' } }],
    ['trust.peer a="\\{$', { a: '"\\{$' }],
  ])('ok/%s', async (question, params) => {
    expect(await ask(question)).toEqual({ asked: [params], line: LINE });
  });

  test('ok/an answer that takes a while', async () => {
    expect((await ask('trust.peer', async () => PEER)).line).toBe(LINE);
  });

  test.each([
    ['nothing', ''],
    ['JSON', '{"jsonrpc":"2.0","id":1,"method":"trust.peer"}'],
    ['two blanks', 'trust.peer  a=b'],
    ['a blank at the end', 'trust.peer a=b '],
    ['no value', 'trust.peer a'],
    ['a line break', 'trust.peer a=b\nc=d'],
    ['a byte that is no ASCII', 'trust.peer a=\xe4'],
    ['a name twice', 'trust.peer a=b a=c'],
    ['more params than any method has', `trust.peer${Array.from({ length: 101 }, (_, i) => ` a${i}.b=c`).join('')}`],
    ['a name twice below', 'trust.peer tls.a=b tls.a=c'],
    ['a value and an object', 'trust.peer tls=b tls.a=c'],
    ['an object and a value', 'trust.peer tls.a=c tls=b'],
    ['objects in objects', 'trust.peer a.b.c=d'],
  ])('fail/%s: nobody is asked', async (_, question) => {
    expect(await ask(question)).toEqual({ asked: [], line: 'error;-32600' });
  });

  test.each([
    ['the method has no line', 'core.version', () => PEER, 'error;-32601'],
    ['the answer is none', 'trust.peer', () => [1], 'error;-32603'],
    ['the answer fits in no line', 'trust.peer', () => ({ ...PEER, reason: 'a;b' }), 'error;-32603'],
    ['it fails', 'trust.peer', () => Promise.reject(new Error('x')), 'error;-32603'],
    [
      'it is refused',
      'trust.peer',
      () => {
        throw new RpcError('invalid-params', []);
      },
      'error;-32602',
    ],
  ])('fail/%s', async (_, question, answer, line) => {
    expect((await ask(question, answer)).line).toBe(line);
  });

  const broken = (): never => {
    throw new Error('broken');
  };
  test.each([
    ['a value', () => new JsonText('{}', broken)],
    ['a value that takes a while', async () => new JsonText('{}', broken)],
    ['a member of it', () => Object.defineProperty({ ...PEER }, 'reason', { get: broken })],
    ['a member of one that takes a while', async () => Object.defineProperty({ ...PEER }, 'reason', { get: broken })],
  ])('fail/%s cannot be had: an error of ours, in a line', async (_, handler) => {
    const onInternalError = vi.fn();
    const method = defineMethod({ name: 'trust.peer', role: 'script', doc: '', params: z.unknown(), handler });
    const dispatch = lineDispatch(createDispatcher([method], { onInternalError }));
    expect(await dispatch(Buffer.from('trust.peer'), CONTEXT)).toBe('error;-32603');
    expect(onInternalError).toHaveBeenCalledExactlyOnceWith(new Error('broken'), 'trust.peer', CONTEXT);
  });
});
