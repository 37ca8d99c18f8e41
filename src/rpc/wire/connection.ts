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

/** Told of each request; what it gives is told when the answer is there. */
interface Slot {
  asked(): () => void;
}

/** Serves a connection until either end closes it. The socket must allow half-open connections. */
export function serveConnection(socket: Socket, asking: Asking, limits: ConnectionLimits, log: WireLog): Connection {
  return new NetstringConnection(socket, limits, log, asking);
}

/** Who asks, and who answers. */
export interface Asking {
  readonly dispatch: Dispatch;
  readonly context: CallContext;
  readonly slot: Slot;
}

class NetstringConnection implements Connection {
  readonly #socket: Socket;
  readonly #limits: ConnectionLimits;
  readonly #log: WireLog;
  readonly #asking: Asking;
  readonly #parser = createNetstringParser();
  /** Frames read and not yet handed on, from `#next` on. */
  readonly #waiting: Buffer[] = [];
  #next = 0;
  #inFlight = 0;
  #output = '';
  #pumpScheduled = false;
  #failure: NetstringError | undefined;
  /** No more requests are taken: the other end is done, the framing is lost, or the daemon stops. */
  #finishing = false;
  #ended = false;
  #frameTimer: NodeJS.Timeout | undefined;
  #drainTimer: NodeJS.Timeout | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, limits: ConnectionLimits, log: WireLog, asking: Asking) {
    this.#socket = socket;
    this.#limits = limits;
    this.#log = log;
    this.#asking = asking;
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('end', () => this.finish());
    socket.on('drain', () => {
      clearTimeout(this.#drainTimer);
      this.#drainTimer = undefined;
      this.#pump();
    });
    // A reset is the other end's business; 'close' follows.
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const timer of [this.#frameTimer, this.#drainTimer, this.#lingerTimer]) clearTimeout(timer);
      this.#forgetFrames();
    });
  }

  finish(): void {
    this.#finishing = true;
    this.#pump();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  readonly #onFrame = (frame: Buffer): void => {
    clearTimeout(this.#frameTimer);
    this.#frameTimer = undefined;
    this.#waiting.push(frame);
  };

  #read(chunk: Buffer): void {
    if (this.#finishing) return;
    this.#failure = this.#parser.push(chunk, this.#onFrame);
    if (this.#failure !== undefined) {
      this.#finishing = true;
      this.#log('framing-lost', { peer: this.#asking.context.peer, ...this.#failure });
    }
    this.#pump();
  }

  /** Hands frames on while there is room, then writes all answers of this turn at once. */
  readonly #pump = (): void => {
    this.#pumpScheduled = false;
    if (this.#socket.destroyed) return;
    while (this.#next < this.#waiting.length && this.#hasRoom) this.#ask(entryAt(this.#waiting, this.#next++));
    if (this.#next === this.#waiting.length) this.#forgetFrames();
    this.#flush();
    this.#pace();
    this.#endWhenDone();
  };

  get #hasRoom(): boolean {
    if (this.#inFlight >= this.#limits.maxInFlight) return false;
    return this.#output.length < OUTPUT_HIGH_WATER && !this.#socket.writableNeedDrain;
  }

  #ask(frame: Buffer): void {
    const { dispatch, context, slot } = this.#asking;
    const answer = dispatch(frame, context);
    const done = slot.asked();
    if (!(answer instanceof Promise)) {
      done();
      if (answer !== undefined) this.#output += netstring(answer);
      return;
    }
    this.#inFlight += 1;
    // Answers of handlers that took longer are collected until the event loop comes round.
    const late = (text: unknown): void => {
      done();
      this.#inFlight -= 1;
      if (typeof text === 'string') this.#output += netstring(text);
      this.#schedulePump();
    };
    answer.then(late, late);
  }

  #forgetFrames(): void {
    this.#waiting.length = 0;
    this.#next = 0;
  }

  #schedulePump(): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    setImmediate(this.#pump);
  }

  #flush(): void {
    if (this.#output === '') return;
    const text = this.#output;
    this.#output = '';
    this.#socket.write(text);
  }

  /** Reads on only when what was read is on its way: the other end feels the back pressure. */
  #pace(): void {
    const { frameTimeoutMs, drainTimeoutMs } = this.#limits;
    const socket = this.#socket;
    const blocked = socket.writableNeedDrain;
    const full = this.#inFlight >= this.#limits.maxInFlight;
    if (blocked) this.#drainTimer ??= this.#expireAfter(drainTimeoutMs, 'answers-not-read');
    else if (this.#waiting.length > 0 && !full) this.#schedulePump();
    // While the connection ends, input is read to be dropped: closing on top of it would reset the connection.
    const hold = !this.#finishing && (blocked || this.#waiting.length > 0 || full);
    if (hold) socket.pause();
    else if (socket.isPaused()) socket.resume();

    if (this.#parser.partial && !hold && !this.#finishing) {
      this.#frameTimer ??= this.#expireAfter(frameTimeoutMs, 'frame-not-finished');
    } else {
      clearTimeout(this.#frameTimer);
      this.#frameTimer = undefined;
    }
  }

  #expireAfter(ms: number, event: string): NodeJS.Timeout {
    return setTimeout(() => {
      this.#log(event, { peer: this.#asking.context.peer });
      this.#socket.destroy();
    }, ms);
  }

  #endWhenDone(): void {
    if (!this.#finishing || this.#ended) return;
    if (this.#waiting.length > 0 || this.#inFlight > 0 || this.#output !== '') return;
    this.#ended = true;
    if (this.#failure !== undefined) {
      const data = { framing: 'netstring', ...this.#failure };
      this.#socket.write(netstring(errorText(new RpcError('parse-error', data).toObject())));
    }
    this.#socket.end();
    this.#lingerTimer = setTimeout(() => this.#socket.destroy(), LINGER_MS);
  }
}
