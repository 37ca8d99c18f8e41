/** A server of netstring connections; tcp.ts and unix.ts say where it listens. */

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { CallContext, Dispatch } from '../dispatch/index.js';
import { type Connection, type ConnectionLimits, DEFAULT_CONNECTION_LIMITS, serveConnection } from './connection.js';
import { type ConnectionBounds, ConnectionLimit, DEFAULT_CONNECTION_BOUNDS } from './connection-limit.js';
import { DEFAULT_GRACE_MS, type WireLog } from './listener.js';

export interface StreamOptions {
  readonly dispatch: Dispatch;
  readonly bounds?: ConnectionBounds;
  readonly limits?: Partial<ConnectionLimits>;
  readonly log?: WireLog;
}

export interface StreamServer {
  readonly server: Server;
  close(graceMs?: number): Promise<void>;
}

/** @param contextOf names the other end of a new connection */
export function createStreamServer(options: StreamOptions, contextOf: (socket: Socket) => CallContext): StreamServer {
  const { dispatch, bounds = DEFAULT_CONNECTION_BOUNDS, log = () => {} } = options;
  const limits = { ...DEFAULT_CONNECTION_LIMITS, ...options.limits };
  const connections = new Set<Connection>();
  const limit = new ConnectionLimit(bounds, log);

  const server = createServer({
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    highWaterMark: 128 * 1024,
  });
  server.on('connection', (socket) => {
    const slot = limit.admit(socket);
    if (slot === undefined) return;
    const connection = serveConnection(socket, { dispatch, context: contextOf(socket), slot }, limits, log);
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
  });

  return {
    server,
    close: async (graceMs = DEFAULT_GRACE_MS) => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      await pollOnce();
      for (const connection of connections) connection.finish();
      const timer = setTimeout(() => {
        log('grace-over', { connections: connections.size });
        for (const connection of connections) connection.destroy();
      }, graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** Lets requests that wait in the kernel come in first: the second of two immediates comes after a whole poll. */
function pollOnce(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}

/** Where a server listens that was told to do so on an address and a port. */
export function addressOf(server: Server): AddressInfo {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error(`expected an address and a port, found ${bound}`);
  return bound;
}

/**
 * Resolves when the server listens.
 * @throws {Error} as the system says it (EADDRINUSE, EACCES, ...)
 */
export function listening(server: Server, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      // Accepting can fail later (out of file descriptors); the server goes on.
      server.on('error', () => {});
      resolve();
    });
    listen();
  });
}
