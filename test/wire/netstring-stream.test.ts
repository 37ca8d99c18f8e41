/** Netstrings on TCP and unix sockets against clients that are slow, wrong, greedy or gone. */

import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Listener } from '../../src/rpc/wire/listener.js';
import { netstring } from '../../src/rpc/wire/netstring.js';
import type { StreamOptions } from '../../src/rpc/wire/stream-server.js';
import { listenTcp } from '../../src/rpc/wire/tcp.js';
import { listenUnix } from '../../src/rpc/wire/unix.js';
import { pacedDispatch, requestText } from '../support/rpc-methods.js';
import { NetstringClient, portOf, temporaryDirectory } from '../support/wires.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const PONG = { result: 'pong' };

async function openTcp(options: Partial<StreamOptions> = {}) {
  const paced = pacedDispatch();
  const events: string[] = [];
  const listener = await listenTcp({
    dispatch: paced.dispatch,
    port: 0,
    log: (event) => events.push(event),
    ...options,
  });
  cleanups.push(() => listener.close(0));
  const client = () => {
    const opened = new NetstringClient({ port: portOf(listener.address) });
    cleanups.push(() => opened.destroy());
    return opened;
  };
  return { ...paced, listener, client, events };
}

describe('framing', () => {
  test('ok/every byte a segment of its own, and many frames in one', async () => {
    const { client } = await openTcp();
    const one = client();
    one.socket.setNoDelay(true);
    for (const byte of netstring(requestText('ping'))) one.send(byte);
    expect(await one.take(1)).toMatchObject([PONG]);
    one.send(netstring(requestText('ping')).repeat(3000));
    expect(await one.take(3000)).toHaveLength(3000);
  });

  test('fail/a garbage length: what came before is answered, the reason is told, only this connection closes', async () => {
    const { client, events } = await openTcp();
    const other = client();
    await other.ask(requestText('ping'));
    const bad = client();
    bad.send(`${netstring(requestText('ping', 'first'))}garbage${netstring(requestText('ping', 'second'))}`);
    const [first, error] = await bad.take(2);
    expect(first).toMatchObject({ ...PONG, id: 'first' });
    expect(error).toMatchObject({
      error: { code: -32700, data: { expected: 'a decimal length', found: '"g"' } },
      id: null,
    });
    await bad.until(() => bad.closed);
    expect(bad.frames).toEqual([]);
    expect(events).toEqual(['framing-lost']);
    expect(await other.ask(requestText('ping'))).toMatchObject(PONG);
  });

  test('fail/garbage while a request is in flight: its answer comes first', async () => {
    const { client, called, release } = await openTcp();
    const bad = client();
    bad.send(`${netstring(requestText('hold'))}garbage`);
    await called(1);
    release();
    expect(await bad.take(2)).toMatchObject([{ result: 'released' }, { error: { code: -32700 } }]);
    await bad.until(() => bad.closed);
  });

  test('ok/1 MiB, fail/one byte more', async () => {
    const { client } = await openTcp();
    const frame = requestText('echo', 1, ['']);
    const text = frame.replace('""', `"${'a'.repeat(1024 * 1024 - frame.length)}"`);
    expect(text).toHaveLength(1024 * 1024);
    const good = client();
    expect(((await good.ask(text)) as { result: string }).result).toHaveLength(1024 * 1024 - frame.length);
    const bad = client();
    bad.send(netstring(`${text} `));
    expect(await bad.take(1)).toMatchObject([{ error: { code: -32700, data: { code: 'too-long' } } }]);
    await bad.until(() => bad.closed);
    expect(await good.ask(requestText('ping'))).toMatchObject(PONG);
  });
});

describe('slow and half-open clients', () => {
  test('ok/a client that shuts its sending side gets its answers, then the end', async () => {
    const { client, called, release } = await openTcp();
    const one = client();
    // (Node 20.19 and 24 send no end of a connection that is not there yet.)
    await once(one.socket, 'connect');
    one.socket.end(netstring(requestText('hold')) + netstring(requestText('ping')));
    await called(2);
    const other = client();
    for (let round = 0; round < 3; round += 1) await other.ask(requestText('ping'));
    release();
    expect(await one.take(2)).toHaveLength(2);
    await one.until(() => one.closed);
  });

  test('fail/a frame that is not finished in time, however it drips', async () => {
    const { client, events } = await openTcp({ limits: { frameTimeoutMs: 150 } });
    const slow = client();
    const idle = client();
    await idle.ask(requestText('ping'));
    slow.send('1000:');
    const drip = setInterval(() => slow.send('x'), 20);
    await slow.until(() => slow.closed);
    clearInterval(drip);
    expect(events).toEqual(['frame-not-finished']);
    // Between frames a connection may be silent for ever.
    expect(await idle.ask(requestText('ping'))).toMatchObject(PONG);
  });

  test('ok/a client that does not read stops only itself, and gets everything when it reads on', async () => {
    const { client, calls } = await openTcp();
    const greedy = client();
    greedy.socket.pause();
    const requests = 400;
    greedy.send(netstring(requestText('big')).repeat(requests));
    const other = client();
    // Served in between: the event loop is free, and the greedy one waits.
    for (let round = 0; round < 20; round += 1) expect(await other.ask(requestText('ping'))).toMatchObject(PONG);
    const served = calls() - 20;
    expect(served).toBeGreaterThan(0);
    expect(served).toBeLessThan(requests);
    greedy.socket.resume();
    expect(await greedy.take(requests)).toHaveLength(requests);
  });

  test('fail/a client that never reads is dropped', async () => {
    const { client, events } = await openTcp({ limits: { drainTimeoutMs: 100 } });
    const greedy = client();
    greedy.socket.pause();
    greedy.send(netstring(requestText('big')).repeat(400));
    const other = client();
    while (!events.includes('answers-not-read')) await other.ask(requestText('ping'));
    expect(await other.ask(requestText('ping'))).toMatchObject(PONG);
  });

  test('ok/a client that vanishes with requests in flight', async () => {
    const { client, called, release } = await openTcp();
    const gone = client();
    gone.send(netstring(requestText('hold')));
    await called(1);
    gone.socket.resetAndDestroy();
    const other = client();
    await other.ask(requestText('ping'));
    release();
    expect(await other.ask(requestText('ping'))).toMatchObject(PONG);
  });

  test('ok/so many in flight, the others wait their turn', async () => {
    const { client, calls, called, held, release } = await openTcp({ limits: { maxInFlight: 4 } });
    const one = client();
    one.send(Array.from({ length: 10 }, (_, id) => netstring(requestText('hold', id))).join(''));
    await called(4);
    await client().ask(requestText('ping'));
    expect(held()).toBe(4);
    for (const expected of [9, 11]) {
      release();
      await called(expected);
    }
    release();
    expect(await one.take(10)).toHaveLength(10);
    expect(calls()).toBe(11);
  });

  test('ok/of more connections than the limit, the one that is idle longest goes', async () => {
    const { client, events } = await openTcp({ bounds: { connections: 2, perSource: 2 } });
    const silent = client();
    const first = client();
    await first.ask(requestText('ping'));
    const second = client();
    expect(await second.ask(requestText('ping'))).toMatchObject(PONG);
    await silent.until(() => silent.closed);
    const third = client();
    expect(await third.ask(requestText('ping'))).toMatchObject(PONG);
    await first.until(() => first.closed);
    expect(await second.ask(requestText('ping'))).toMatchObject(PONG);
    expect(events).toEqual(['too-many-connections']);
  });

  test('fail/where all are busy, nobody comes in', async () => {
    const { client, called, release } = await openTcp({ bounds: { connections: 8, perSource: 1 } });
    const busy = client();
    busy.send(netstring(requestText('hold')));
    await called(1);
    const second = client();
    await second.until(() => second.closed);
    release();
    expect(await busy.take(1)).toHaveLength(1);
  });
});

describe('closing', () => {
  test('ok/what is in flight and what waits in the kernel is answered, then all ends', async () => {
    const { client, listener, called, release } = await openTcp();
    const busy = client();
    const idle = client();
    await idle.ask(requestText('ping'));
    busy.send(netstring(requestText('hold', 'held')));
    await called(2);
    busy.send(netstring(requestText('ping', 'late')));
    await new Promise<void>((resolve) => busy.socket.write('', () => resolve()));
    const closed = listener.close();
    await idle.until(() => idle.closed);
    release();
    const answers = await busy.take(2);
    expect(answers.map((answer) => (answer as { id: string }).id).sort()).toEqual(['held', 'late']);
    await closed;
    const refused = client();
    await refused.until(() => refused.closed);
  });

  test('ok/what takes longer than the grace is dropped', async () => {
    const { client, listener, called, events } = await openTcp();
    const busy = client();
    busy.send(netstring(requestText('hold')));
    await called(1);
    await listener.close(30);
    await busy.until(() => busy.closed);
    expect(events).toEqual(['grace-over']);
    expect(busy.frames).toEqual([]);
  });
});

describe('addresses', () => {
  const { dispatch } = pacedDispatch();

  test.each(['127.0.0.1', '127.0.0.2', 'localhost', '::1'])('ok/%s', async (host) => {
    const listener = await listenTcp({ dispatch, host, port: 0 });
    await listener.close(0);
    expect(listener.address).toMatch(/^(127\.0\.0\.[12]|\[::1\]):\d+$/);
  });

  test.each(['0.0.0.0', '::', '192.0.2.1', '::ffff:192.0.2.1', 'example.com'])('fail/%s', async (host) => {
    await expect(listenTcp({ dispatch, host, port: 0 })).rejects.toThrow(`expected a loopback address`);
  });

  test('fail/a port in use', async () => {
    const { listener } = await openTcp();
    await expect(listenTcp({ dispatch, port: portOf(listener.address) })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('unix socket', () => {
  const { dispatch } = pacedDispatch();

  function place(): string {
    const directory = temporaryDirectory();
    cleanups.push(directory.remove);
    return `${directory.path}/siptrust.sock`;
  }

  async function open(path: string, mode?: number): Promise<Listener> {
    const listener = await listenUnix({ dispatch, path, role: 'operator', ...(mode === undefined ? {} : { mode }) });
    cleanups.push(() => listener.close(0));
    return listener;
  }

  async function ping(path: string): Promise<unknown> {
    const client = new NetstringClient({ path });
    cleanups.push(() => client.destroy());
    return client.ask(requestText('ping'));
  }

  test.each<[number | undefined, number]>([
    [undefined, 0o600],
    [0o660, 0o660],
  ])('ok/mode %o', async (given, mode) => {
    const path = place();
    await open(path, given);
    expect(statSync(path).mode & 0o777).toBe(mode);
    expect(await ping(path)).toMatchObject(PONG);
  });

  test('ok/gone after closing, and can be opened again', async () => {
    const path = place();
    await (await open(path)).close();
    expect(existsSync(path)).toBe(false);
    await open(path);
    expect(await ping(path)).toMatchObject(PONG);
  });

  test('ok/the socket of a dead process is replaced', async () => {
    const path = place();
    const { spawnSync } = await import('node:child_process');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(statSync(path).isSocket()).toBe(true);
    await open(path);
    expect(await ping(path)).toMatchObject(PONG);
  });

  test('fail/the socket of a live process stays', async () => {
    const path = place();
    const other = createServer((socket) => socket.end()).listen(path);
    cleanups.push(() => new Promise((resolve) => other.close(resolve)));
    await new Promise((resolve) => other.once('listening', resolve));
    await expect(open(path)).rejects.toThrow('found a process that listens');
    expect(statSync(path).isSocket()).toBe(true);
  });

  test('fail/another file stays', async () => {
    const path = place();
    writeFileSync(path, 'precious');
    await expect(open(path)).rejects.toThrow('found another file');
    expect(existsSync(path)).toBe(true);
  });

  test('fail/a path longer than a socket may have', async () => {
    await expect(open(`/tmp/${'x'.repeat(120)}`)).rejects.toThrow('at most 107 bytes, found 125');
  });
});
