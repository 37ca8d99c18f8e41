import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { DEFAULT_CONNECTION_LIMITS, serveConnection } from '../../../../src/rpc/wire/connection.js';
import { netstring } from '../../../../src/rpc/wire/netstring.js';
import { pacedDispatch, requestText } from '../../../support/rpc-methods.js';

/** A socket whose writes are counted and whose input is pushed by hand. */
class FakeSocket extends Duplex {
  readonly writes: string[] = [];
  /** While set, nothing that is written gets away. */
  stuck = false;
  #pending: (() => void) | undefined;

  constructor() {
    super({ allowHalfOpen: true, decodeStrings: false, emitClose: true });
  }

  drain(): void {
    this.stuck = false;
    this.#pending?.();
    this.#pending = undefined;
  }

  override _read(): void {}

  override _write(chunk: string, _: string, done: () => void): void {
    this.writes.push(chunk);
    if (this.stuck) this.#pending = done;
    else done();
  }
}

function serve() {
  const paced = pacedDispatch();
  const socket = new FakeSocket();
  const context = { wire: 'tcp', peer: 'test', role: 'script' } as const;
  const asking = { dispatch: paced.dispatch, context, slot: { asked: () => () => {} } };
  serveConnection(socket as unknown as Socket, asking, DEFAULT_CONNECTION_LIMITS, () => {});
  return { ...paced, socket };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('one write for all answers of a turn', () => {
  test('ok/answers given at once', async () => {
    const { socket, called } = serve();
    socket.push(Buffer.from(netstring(requestText('ping')).repeat(50)));
    await called(50);
    await turn();
    expect(socket.writes.map((text) => text.split('pong').length - 1)).toEqual([50]);
  });

  test('ok/answers given later', async () => {
    const { socket, called, release } = serve();
    socket.push(Buffer.from(netstring(requestText('hold')).repeat(50)));
    await called(50);
    release();
    await turn();
    await turn();
    expect(socket.writes.map((text) => text.split('released').length - 1)).toEqual([50]);
  });

  test('ok/nothing is written for notifications', async () => {
    const { socket, called } = serve();
    socket.push(Buffer.from(netstring('{"jsonrpc":"2.0","method":"ping"}').repeat(3)));
    await called(3);
    await turn();
    expect(socket.writes).toEqual([]);
  });
});

describe('an other end that does not read', () => {
  test('ok/no more is read or handed on until it does, not even when a late answer comes', async () => {
    const { socket, calls, called, release } = serve();
    socket.stuck = true;
    socket.push(Buffer.from(netstring(requestText('hold')) + netstring(requestText('big')).repeat(100)));
    await called(2);
    await turn();
    const before = calls();
    expect(before).toBeLessThan(10);
    expect(socket.isPaused()).toBe(true);
    release();
    await turn();
    await turn();
    expect(calls()).toBe(before);
    socket.drain();
    await called(101);
    await turn();
    expect(socket.isPaused()).toBe(false);
    expect(socket.writes.join('').split('"id":1').length - 1).toBe(101);
  });
});
