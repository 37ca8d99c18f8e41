import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { CallError, call, callTcp, callUnix, RemoteError } from '../../../../src/rpc/wire/client.js';
import { netstring } from '../../../../src/rpc/wire/netstring.js';
import { listenTcp } from '../../../../src/rpc/wire/tcp.js';
import { listenUnix } from '../../../../src/rpc/wire/unix.js';
import { pacedDispatch } from '../../../support/rpc-methods.js';
import { portOf, temporaryDirectory } from '../../../support/wires.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The port of a server that does as told with each connection. */
async function serverThat(does: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    does(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as { port: number }).port;
}

describe('a daemon that answers', () => {
  test('ok/over TCP and over a unix socket', async () => {
    const { dispatch } = pacedDispatch();
    const directory = temporaryDirectory();
    const tcp = await listenTcp({ dispatch, port: 0 });
    const unix = await listenUnix({ dispatch, path: `${directory.path}/s`, role: 'operator' });
    cleanups.push(
      directory.remove,
      () => tcp.close(0),
      () => unix.close(0),
    );
    expect(await callTcp('127.0.0.1', portOf(tcp.address), 'ping')).toBe('pong');
    expect(await callUnix(unix.address, 'echo', { text: 'ü' })).toBe('ü');
    expect(await call({ path: unix.address }, 'echo', ['by position'])).toBe('by position');
    expect(await callUnix(unix.address, 'big')).toHaveLength(64 * 1024);
    await expect(callUnix(unix.address, 'none')).rejects.toThrow(RemoteError);
    await expect(callUnix(unix.address, 'echo', {})).rejects.toMatchObject({
      code: -32602,
      data: [{ path: 'text', expected: 'string', found: 'nothing' }],
    });
  });

  test('ok/an answer longer than any request may be, a result that is null', async () => {
    const long = 'x'.repeat(3 * 1024 * 1024);
    const port = await serverThat((socket) =>
      socket.write(netstring(JSON.stringify({ jsonrpc: '2.0', result: long, id: 1 }))),
    );
    expect(await callTcp('127.0.0.1', port, 'any')).toBe(long);
    const nothing = await serverThat((socket) => socket.write(netstring('{"jsonrpc":"2.0","result":null,"id":1}')));
    expect(await callTcp('127.0.0.1', nothing, 'any')).toBeNull();
  });
});

describe('a daemon that does not', () => {
  test.each<[string, Buffer, RegExp]>([
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /netstring.*found HTTP \(daemon\.listen\.http\)$/],
    ['TLS', Buffer.from('15030100020232', 'hex'), /netstring.*found TLS \(daemon\.listen\.https\)$/],
    ['neither', Buffer.from('SSH-2.0-x\r\n'), /a decimal length, found "S"$/],
  ])('fail/another listener, which speaks %s', async (_, answer, says) => {
    const port = await serverThat((socket) => socket.write(answer));
    await expect(callTcp('127.0.0.1', port, 'ping')).rejects.toMatchObject({ code: 'garbage', message: says });
  });

  test('fail/nobody there', async () => {
    await expect(callUnix('/nowhere/siptrust.sock', 'ping')).rejects.toMatchObject({ code: 'unreachable' });
  });

  test.each<[string, string, (socket: Socket) => void]>([
    ['silence', 'timeout', () => {}],
    ['half an answer', 'timeout', (socket) => socket.write('100:{')],
    ['closed at once', 'closed', (socket) => socket.end()],
    ['closed within an answer', 'closed', (socket) => socket.end('100:{')],
    ['no netstring', 'garbage', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['no JSON', 'garbage', (socket) => socket.write(netstring('nonsense'))],
    ['no response', 'garbage', (socket) => socket.write(netstring('[]'))],
    [
      'the response to another request',
      'garbage',
      (socket) => socket.write(netstring('{"jsonrpc":"2.0","result":1,"id":2}')),
    ],
  ])('fail/%s', async (_, code, does) => {
    const port = await serverThat((socket) => {
      socket.resume();
      does(socket);
    });
    // Only who waits for nothing may run out of time, however busy the machine is.
    const outcome = callTcp('127.0.0.1', port, 'ping', undefined, code === 'timeout' ? 200 : 30_000);
    await expect(outcome).rejects.toThrow(CallError);
    await expect(outcome).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`127.0.0.1:${port}: expected`),
    });
  });
});
