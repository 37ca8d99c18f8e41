/**
 * How many connections a listener has, in all and from one source. When there are too many, the one that has been idle
 * longest makes room: a thousand connections that say nothing keep nobody out.
 */

import type { Socket } from 'node:net';
import type { WireLog } from './listener.js';

export interface ConnectionBounds {
  readonly connections: number;
  readonly perSource: number;
}

export const DEFAULT_CONNECTION_BOUNDS: ConnectionBounds = { connections: 1024, perSource: 512 };

/** Log lines about it: one in this time, with how many there were. */
const TELL_MS = 10_000;

/** A connection that was taken in. */
export class Slot {
  readonly #tick: () => number;

  /** Requests whose answers somebody works on. */
  busy = 0;
  /** When it asked last, counted in requests of the listener; 0: never. */
  askedAt = 0;

  constructor(
    readonly socket: Socket,
    readonly source: string,
    tick: () => number,
  ) {
    this.#tick = tick;
  }

  /** A request came in whole; what this gives is to be called once its answer is out. */
  asked(): () => void {
    this.busy += 1;
    this.askedAt = this.#tick();
    return () => {
      this.busy -= 1;
    };
  }
}

/** How many connections a listener takes, together and from one source. */
export class ConnectionLimit {
  readonly #bounds: ConnectionBounds;
  readonly #log: WireLog;
  readonly #slots = new Map<unknown, Slot>();
  readonly #bySource = new Map<string, number>();
  #requests = 0;
  #dropped = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(bounds: ConnectionBounds, log: WireLog) {
    this.#bounds = bounds;
    this.#log = log;
  }

  /** Takes a new connection in, at the cost of an idle one where there are too many; undefined: it was closed instead. */
  admit(socket: Socket): Slot | undefined {
    // Connections of a unix socket have no source.
    const source = socket.remoteAddress ?? '';
    const ofSource = this.#bySource.get(source) ?? 0;
    const { connections, perSource } = this.#bounds;
    const full = source !== '' && ofSource >= perSource;
    if (full || this.#slots.size >= connections) {
      const victim = this.#idle(full ? source : undefined);
      this.#tell(source);
      if (victim === undefined) {
        socket.destroy();
        return undefined;
      }
      this.#forget(...victim);
      victim[1].socket.destroy();
    }
    const key = keyOf(socket);
    const slot = new Slot(socket, source, () => {
      this.#requests += 1;
      return this.#requests;
    });
    this.#slots.set(key, slot);
    this.#bySource.set(source, (this.#bySource.get(source) ?? 0) + 1);
    socket.once('close', () => this.#forget(key, slot));
    return slot;
  }

  /** The slot of a socket, or of the one that TLS on it runs over. */
  slotOf(socket: Socket): Slot | undefined {
    return this.#slots.get(keyOf(socket));
  }

  /** Whoever never asked goes before whoever has: proxies keep their connections for the next call. */
  #idle(source: string | undefined): readonly [unknown, Slot] | undefined {
    let found: readonly [unknown, Slot] | undefined;
    for (const entry of this.#slots) {
      const [, slot] = entry;
      if (slot.busy > 0 || (source !== undefined && slot.source !== source)) continue;
      if (found === undefined || slot.askedAt < found[1].askedAt) found = entry;
    }
    return found;
  }

  #forget(key: unknown, slot: Slot): void {
    if (this.#slots.get(key) !== slot) return;
    this.#slots.delete(key);
    const left = (this.#bySource.get(slot.source) ?? 1) - 1;
    if (left > 0) this.#bySource.set(slot.source, left);
    else this.#bySource.delete(slot.source);
  }

  #tell(source: string): void {
    this.#dropped += 1;
    const now = performance.now();
    if (now - this.#toldAt < TELL_MS) return;
    this.#toldAt = now;
    this.#log('too-many-connections', { source, ...this.#bounds, closed: this.#dropped });
    this.#dropped = 0;
  }
}

/** The same for a TLS socket and the socket below it; connections of a unix socket have no address. */
function keyOf(socket: Socket): unknown {
  return socket.remoteAddress === undefined ? socket : `${socket.remoteAddress} ${socket.remotePort}`;
}
