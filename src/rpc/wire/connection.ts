/** One connection that speaks netstrings: frames in, answers out, at the pace of whoever reads them. */

import type { Socket } from 'node:net';
import { entryAt } from '../../typed.js';
import { type CallContext, type Dispatch, errorText, RpcError } from '../dispatch/index.js';
import type { WireLog } from './listener.js';
import { createNetstringParser, type NetstringError, netstring } from './netstring.js';

export interface ConnectionLimits {
  /** Requests of one connection that handlers work on at a time; the next ones wait unread. */
  readonly maxInFlight: number;
  /** ms for a frame to arrive whole, from its first byte. */
  readonly frameTimeoutMs: number;
  /** ms for the other end to read on when its answers have filled the buffers. */
  readonly drainTimeoutMs: number;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  maxInFlight: 512,
  frameTimeoutMs: 10_000,
  drainTimeoutMs: 30_000,
};

export interface Connection {
  /** Answers what was read, then closes. */
  finish(): void;
  destroy(): void;
}

/** Characters of answers collected before they are written, however many requests came in one segment. */
const OUTPUT_HIGH_WATER = 256 * 1024;
/** How long a closed side waits for the other to close too; closing at once could cut off the last answer. */
const LINGER_MS = 500;

/**
 * Serves a connection until either end closes it. The socket must allow half-open connections.
 * @param slot told of each request; what it gives is told when the answer is there
 */
export function serveConnection(
  socket: Socket,
  dispatch: Dispatch,
  context: CallContext,
  limits: ConnectionLimits,
  log: WireLog,
  slot: { asked(): () => void } = { asked: () => () => {} },
): Connection {
  const parser = createNetstringParser();
  /** Frames read and not yet handed on, from `next` on. */
  const waiting: Buffer[] = [];
  let next = 0;
  let inFlight = 0;
  let output = '';
  let pumpScheduled = false;
  let failure: NetstringError | undefined;
  /** No more requests are taken: the other end is done, the framing is lost, or the daemon stops. */
  let finishing = false;
  let ended = false;
  let frameTimer: NodeJS.Timeout | undefined;
  let drainTimer: NodeJS.Timeout | undefined;
  let lingerTimer: NodeJS.Timeout | undefined;

  function onFrame(frame: Buffer): void {
    clearTimeout(frameTimer);
    frameTimer = undefined;
    waiting.push(frame);
  }

  function onData(chunk: Buffer): void {
    if (finishing) return;
    failure = parser.push(chunk, onFrame);
    if (failure !== undefined) {
      finishing = true;
      log('framing-lost', { peer: context.peer, ...failure });
    }
    pump();
  }

  /** Hands frames on while there is room, then writes all answers of this turn at once. */
  function pump(): void {
    pumpScheduled = false;
    if (socket.destroyed) return;
    while (next < waiting.length && inFlight < limits.maxInFlight && output.length < OUTPUT_HIGH_WATER) {
      if (socket.writableNeedDrain) break;
      const answer = dispatch(entryAt(waiting, next), context);
      const done = slot.asked();
      next += 1;
      if (answer instanceof Promise) {
        inFlight += 1;
        const late = (text: unknown): void => {
          done();
          onLateAnswer(text);
        };
        answer.then(late, late);
        continue;
      }
      done();
      if (answer !== undefined) {
        output += netstring(answer);
      }
    }
    if (next === waiting.length) {
      waiting.length = 0;
      next = 0;
    }
    flush();
    pace();
    endWhenDone();
  }

  /** Answers of handlers that took longer are collected until the event loop comes round. */
  function onLateAnswer(answer: unknown): void {
    inFlight -= 1;
    if (typeof answer === 'string') output += netstring(answer);
    schedulePump();
  }

  function schedulePump(): void {
    if (pumpScheduled) return;
    pumpScheduled = true;
    setImmediate(pump);
  }

  function flush(): void {
    if (output === '') return;
    const text = output;
    output = '';
    socket.write(text);
  }

  /** Reads on only when what was read is on its way: the other end feels the back pressure. */
  function pace(): void {
    const blocked = socket.writableNeedDrain;
    if (blocked && drainTimer === undefined) {
      drainTimer = setTimeout(expire, limits.drainTimeoutMs, 'answers-not-read');
    }
    if (!blocked && waiting.length > 0 && inFlight < limits.maxInFlight) schedulePump();
    // While the connection ends, input is read to be dropped: closing on top of it would reset the connection.
    const hold = !finishing && (blocked || waiting.length > 0 || inFlight >= limits.maxInFlight);
    if (hold) socket.pause();
    else if (socket.isPaused()) socket.resume();

    const unfinished = parser.partial && !hold && !finishing;
    if (!unfinished) {
      clearTimeout(frameTimer);
      frameTimer = undefined;
    } else if (frameTimer === undefined) {
      frameTimer = setTimeout(expire, limits.frameTimeoutMs, 'frame-not-finished');
    }
  }

  function expire(event: string): void {
    log(event, { peer: context.peer });
    socket.destroy();
  }

  function endWhenDone(): void {
    if (!finishing || ended || waiting.length > 0 || inFlight > 0 || output !== '') return;
    ended = true;
    if (failure !== undefined) {
      socket.write(netstring(errorText(new RpcError('parse-error', { framing: 'netstring', ...failure }).toObject())));
    }
    socket.end();
    lingerTimer = setTimeout(() => socket.destroy(), LINGER_MS);
  }

  function finish(): void {
    finishing = true;
    pump();
  }

  socket.on('data', onData);
  socket.on('end', finish);
  socket.on('drain', () => {
    clearTimeout(drainTimer);
    drainTimer = undefined;
    pump();
  });
  // A reset is the other end's business; 'close' follows.
  socket.on('error', () => {});
  socket.on('close', () => {
    for (const timer of [frameTimer, drainTimer, lingerTimer]) clearTimeout(timer);
    waiting.length = 0;
    next = 0;
  });

  return { finish, destroy: () => socket.destroy() };
}
