/** Methods whose pace a test holds in its hands. */

import { z } from 'zod';
import { createDispatcher, type Dispatch } from '../../src/rpc/dispatch/dispatcher.js';
import { defineMethod } from '../../src/rpc/dispatch/method.js';

const none = z.object({});

export interface PacedDispatch {
  readonly dispatch: Dispatch;
  /** Calls that came so far, of all methods. */
  readonly calls: () => number;
  /** Calls of `hold` that wait for `release`. */
  readonly held: () => number;
  readonly release: () => void;
  /** Resolves when so many calls have come. */
  readonly called: (count: number) => Promise<void>;
}

/** `ping` answers at once, `hold` when released, `big` with many bytes at once, `echo` with its params. */
export function pacedDispatch(): PacedDispatch {
  let calls = 0;
  let waiting: (() => void)[] = [];
  let watchers: { count: number; resolve: () => void }[] = [];
  function count(): void {
    calls += 1;
    watchers = watchers.filter(({ count: wanted, resolve }) => {
      if (calls >= wanted) resolve();
      return calls < wanted;
    });
  }
  const big = 'x'.repeat(64 * 1024);
  const counted = <T>(answer: T): T => {
    count();
    return answer;
  };
  return {
    dispatch: createDispatcher([
      defineMethod({ name: 'ping', role: 'script', doc: 'pong', params: none, handler: () => counted('pong') }),
      defineMethod({ name: 'big', role: 'script', doc: '64 KiB', params: none, handler: () => counted(big) }),
      defineMethod({
        name: 'echo',
        role: 'script',
        doc: 'the params',
        params: z.object({ text: z.string() }),
        positional: ['text'],
        handler: ({ text }) => counted(text),
      }),
      defineMethod({
        name: 'hold',
        role: 'script',
        doc: 'waits',
        params: none,
        handler: () => {
          const held = new Promise<string>((resolve) => waiting.push(() => resolve('released')));
          count();
          return held;
        },
      }),
    ]),
    calls: () => calls,
    held: () => waiting.length,
    release: () => {
      const released = waiting;
      waiting = [];
      for (const resolve of released) resolve();
    },
    called: (wanted) =>
      new Promise((resolve) => {
        if (calls >= wanted) resolve();
        else watchers.push({ count: wanted, resolve });
      }),
  };
}

export function requestText(method: string, id: unknown = 1, params?: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', method, params, id });
}
