/** JSON-RPC by HTTP POST (`/rpc`), or in lines, as the media type says; `/health` (alive), and further routes. By TLS where there is a certificate. */

import { createServer, type ServerOptions } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { type ConnectionBounds, ConnectionLimit, DEFAULT_CONNECTION_BOUNDS } from './connection-limit.js';
import { HttpRequests, type RequestOptions } from './http-requests.js';
import { DEFAULT_GRACE_MS, hostPort, type Listener, requireLoopback } from './listener.js';
import { addressOf, listening } from './stream-server.js';

export interface HttpTimeouts {
  /** ms for the header block of a request to arrive, and for a TLS handshake. */
  readonly headersMs: number;
  /** ms for the whole request to arrive. */
  readonly requestMs: number;
  /** ms that a connection without a request is kept. */
  readonly keepAliveMs: number;
  /** ms between two looks for requests that are late. */
  readonly checkMs: number;
}

export const DEFAULT_HTTP_TIMEOUTS: HttpTimeouts = {
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 60_000,
  checkMs: 1_000,
};

/** Certificate and key in PEM. */
export interface TlsIdentity {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

export interface HttpOptions extends RequestOptions {
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** Allows another host than loopback. */
  readonly allowRemote?: boolean;
  readonly tls?: TlsIdentity;
  readonly bounds?: ConnectionBounds;
  readonly timeouts?: Partial<HttpTimeouts>;
}

export interface HttpListener extends Listener {
  /** From the next handshake on. */
  renew(tls: TlsIdentity): void;
}

/** Header blocks of scripts have some 200 octets; a token takes 80. */
const MAX_HEADER_BYTES = 8 * 1024;

/** @throws {Error} the host is not loopback and not allowed, the address is not free, or certificate and key are no good */
export async function listenHttp(options: HttpOptions): Promise<HttpListener> {
  const { host = '127.0.0.1', port, allowRemote = false, log = () => {} } = options;
  const timeouts = { ...DEFAULT_HTTP_TIMEOUTS, ...options.timeouts };
  const wire = options.tls === undefined ? 'http' : 'https';
  requireLoopback(wire, host, allowRemote);
  const limit = new ConnectionLimit(options.bounds ?? DEFAULT_CONNECTION_BOUNDS, log);
  const sockets = new Set<Socket>();
  const requests = new HttpRequests(wire, limit, options);
  const server = httpServer(timeouts, options.tls);
  server.on('connection', (socket: Socket) => {
    if (limit.admit(socket) === undefined) return;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('request', (request, response) => requests.serve(request, response));
  server.on('checkContinue', (request, response) => requests.checkContinue(request, response));

  await listening(server, () => server.listen({ host, port }));
  const bound = addressOf(server);

  async function close(graceMs: number = DEFAULT_GRACE_MS): Promise<void> {
    requests.close();
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    server.closeIdleConnections();
    // Node counts a connection that never sent a byte as busy.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    const timer = setTimeout(() => {
      log('grace-over', {});
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  }

  // `localhost` is what the resolver says it is.
  try {
    requireLoopback(wire, bound.address, allowRemote);
  } catch (error) {
    await close(0);
    throw error;
  }
  return {
    address: hostPort(bound.address, bound.port),
    close,
    renew: (tls) => {
      if (server instanceof TlsServer) server.setSecureContext({ ...tls, minVersion: 'TLSv1.2' });
    },
  };
}

function httpServer(timeouts: HttpTimeouts, tls: TlsIdentity | undefined) {
  const settings: ServerOptions = {
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    connectionsCheckingInterval: timeouts.checkMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    requireHostHeader: false,
  };
  return tls === undefined
    ? createServer(settings)
    : createTlsServer({
        ...settings,
        ...tls,
        minVersion: 'TLSv1.2',
        handshakeTimeout: timeouts.headersMs,
        // Any certificate may be shown: the handshake proves the key, and the policy names the certificates that count.
        requestCert: true,
        rejectUnauthorized: false,
      });
}
