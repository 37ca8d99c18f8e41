/** JSON-RPC by HTTP POST (`/rpc`), or in lines, as the media type says; `/health` (alive), and further routes. By TLS where there is a certificate. */

import { X509Certificate } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { includesRole } from '../../policy/settings/index.js';
import type { Caller, Refused, Shown } from '../access/index.js';
import { type CallContext, type Dispatch, lineDispatch } from '../dispatch/index.js';
import { type ConnectionBounds, ConnectionLimit, DEFAULT_CONNECTION_BOUNDS } from './connection-limit.js';
import {
  type HttpRefusal,
  LINE_MEDIA_TYPE,
  mediaType,
  RPC_MEDIA_TYPE,
  refusalOfAny,
  refusalOfPost,
  toOriginForm,
  tooLarge,
} from './http-guard.js';
import { type HttpRoute, READ, type Send } from './http-route.js';
import {
  DEFAULT_GRACE_MS,
  hostPort,
  type Listener,
  MAX_REQUEST_BYTES,
  requireLoopback,
  type WireLog,
} from './listener.js';
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

export interface HttpOptions {
  readonly dispatch: Dispatch;
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** Allows another host than loopback. */
  readonly allowRemote?: boolean;
  readonly tls?: TlsIdentity;
  /** Lower-case names by which clients may call this host, besides addresses and `localhost`. */
  readonly hosts?: readonly string[];
  readonly callerOf: (shown: Shown) => Caller | Refused | Promise<Caller | Refused>;
  readonly routes?: readonly HttpRoute[];
  /** Told of each request that was refused for want of a credential or a role. Must not throw. */
  readonly onRefused?: (status: number, path: string, peer: string) => void;
  readonly bounds?: ConnectionBounds;
  readonly timeouts?: Partial<HttpTimeouts>;
  readonly log?: WireLog;
}

export interface HttpListener extends Listener {
  /** From the next handshake on. */
  renew(tls: TlsIdentity): void;
}

/** Header blocks of scripts have some 200 octets; a token takes 80. */
const MAX_HEADER_BYTES = 8 * 1024;

/** Rest of a refused body that is read and dropped, so that the refusal reaches a client that is still sending. */
const MAX_DROPPED_BYTES = 8 * MAX_REQUEST_BYTES;

/** Pieces that a body is kept in: of a million chunks of one octet each would take 200, and hold what it came in. */
const MOST_PIECES = 16_384;

/** What is wrong with a credential is nothing that whoever shows it has to know. */
const REFUSED_TEXT: Readonly<Record<number, string>> = {
  401: 'unauthorized',
  403: 'forbidden',
  429: 'too many requests',
};
const REFUSED_HEADERS: Readonly<Record<number, OutgoingHttpHeaders>> = {
  401: { 'WWW-Authenticate': 'Bearer realm="siptrust"' },
  429: { 'Retry-After': '60' },
};
/** For what a browser might show. */
const READ_HEADERS: OutgoingHttpHeaders = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };

/** @throws {Error} the host is not loopback and not allowed, the address is not free, or certificate and key are no good */
export async function listenHttp(options: HttpOptions): Promise<HttpListener> {
  const { dispatch, host = '127.0.0.1', port, allowRemote = false, hosts = [], onRefused = () => {} } = options;
  const { callerOf, log = () => {} } = options;
  const timeouts = { ...DEFAULT_HTTP_TIMEOUTS, ...options.timeouts };
  const dispatchLine = lineDispatch(dispatch);
  const wire = options.tls === undefined ? 'http' : 'https';
  requireLoopback(wire, host, allowRemote);
  const limit = new ConnectionLimit(options.bounds ?? DEFAULT_CONNECTION_BOUNDS, log);
  const sockets = new Set<Socket>();
  const endless = new Set<ServerResponse>();
  let closing = false;

  const health: HttpRoute = {
    ...{ path: '/health', methods: READ, role: undefined },
    handle: (_, response) => send(response, 200, '{"alive":true}'),
  };
  const rpcRoute: HttpRoute = { path: '/rpc', methods: ['POST'], role: 'script', handle: rpc };
  const routes = new Map([rpcRoute, health, ...(options.routes ?? [])].map((route) => [route.path, route]));

  function rpc(request: IncomingMessage, response: ServerResponse, caller: Caller): void {
    let chunks: Buffer[] | undefined = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_REQUEST_BYTES) {
        chunks?.push(chunk);
        if (chunks !== undefined && chunks.length >= MOST_PIECES) chunks = [Buffer.concat(chunks)];
      } else if (chunks !== undefined) {
        chunks = undefined;
        refuse(request, response, tooLarge('more'));
      }
    });
    request.on('end', () => {
      if (chunks === undefined || caller.role === undefined) return;
      const { role, credential } = caller;
      const line = mediaType(request) === LINE_MEDIA_TYPE;
      const type = line ? { 'Content-Type': LINE_MEDIA_TYPE } : {};
      let status = 200;
      const context: CallContext = {
        ...{ wire, peer: peerOf(request), role, ...(credential === undefined ? {} : { credential }) },
        onForbidden: () => {
          status = credential === undefined ? 401 : 403;
        },
      };
      const reply = (text: string | undefined): void => {
        if (status !== 200) onRefused(status, '/rpc', context.peer);
        // A notification has no answer: 204. Errors of JSON-RPC are answers like any other: 200.
        if (status !== 200) send(response, status, text ?? refusedBody(status), REFUSED_HEADERS[status]);
        else if (text === undefined) send(response, 204, '');
        else send(response, 200, text, type);
      };
      const done = limit.slotOf(request.socket)?.asked();
      if (done !== undefined) response.once('close', done);
      const answer = (line ? dispatchLine : dispatch)(Buffer.concat(chunks), context);
      if (answer instanceof Promise) void answer.then(reply);
      else reply(answer);
    });
  }

  function send(...[response, status, body, headers = {}]: Parameters<Send>): void {
    if (response.destroyed || response.headersSent) return;
    const all: OutgoingHttpHeaders = {
      ...(status === 204 ? {} : { 'Content-Type': RPC_MEDIA_TYPE, 'Content-Length': Buffer.byteLength(body) }),
      ...(response.req.method === 'POST' ? {} : READ_HEADERS),
      ...headers,
      ...(closing ? { Connection: 'close' } : {}),
    };
    response.writeHead(status, all);
    response.end(response.req.method === 'HEAD' ? undefined : body);
  }

  /** Answers an error and closes the connection; first drops the body, whose sender might not read before it is sent. */
  function refuse(
    request: IncomingMessage,
    response: ServerResponse,
    { status, text }: HttpRefusal,
    headers: OutgoingHttpHeaders = {},
  ): void {
    const answer = (): void => send(response, status, errorBody(text), { ...headers, Connection: 'close' });
    let dropped = 0;
    request.on('data', (chunk: Buffer) => {
      dropped += chunk.length;
      if (dropped > MAX_DROPPED_BYTES) answer();
    });
    request.on('end', answer);
  }

  function refuseAccess(request: IncomingMessage, response: ServerResponse, status: number): void {
    onRefused(status, pathOf(request), peerOf(request));
    refuse(request, response, { status, text: REFUSED_TEXT[status] ?? '' }, REFUSED_HEADERS[status]);
  }

  /** What speaks against it whoever asks. */
  function refusalOf(request: IncomingMessage, route: HttpRoute | undefined): HttpRefusal | undefined {
    const refusal = refusalOfAny(request, hosts);
    if (refusal !== undefined) return refusal;
    const path = pathOf(request).slice(0, 60);
    if (route === undefined) return { status: 404, text: `expected ${[...routes.keys()].join(', ')}, found ${path}` };
    if (!route.methods.includes(request.method ?? '')) {
      return { status: 405, text: `expected ${route.methods.join(', ')}, found ${request.method}` };
    }
    return request.method === 'POST' ? refusalOfPost(request, wire) : undefined;
  }

  function serve(request: IncomingMessage, response: ServerResponse): void {
    // The client is gone: nobody is left to tell.
    request.on('error', () => {});
    response.on('error', () => {});
    toOriginForm(request);
    const route = routes.get(pathOf(request));
    const refusal = refusalOf(request, route);
    if (refusal !== undefined) {
      const headers = refusal.status === 405 ? { Allow: route?.methods.join(', ') } : {};
      refuse(request, response, refusal, headers);
      return;
    }
    if (route === undefined) return;
    const caller = callerOf(shownBy(request));
    if (caller instanceof Promise) void caller.then((known) => admit(request, response, route, known));
    else admit(request, response, route, caller);
  }

  function admit(request: IncomingMessage, response: ServerResponse, route: HttpRoute, caller: Caller | Refused): void {
    if ('status' in caller) {
      refuseAccess(request, response, caller.status);
      return;
    }
    if (!mayAsk(caller, route)) {
      refuseAccess(request, response, caller.credential === undefined ? 401 : 403);
      return;
    }
    if (route.endless) endlessly(request, response);
    const still = (): boolean | Promise<boolean> => {
      const now = callerOf(shownBy(request));
      const may = (found: Caller | Refused): boolean => !('status' in found) && mayAsk(found, route);
      return now instanceof Promise ? now.then(may) : may(now);
    };
    const handled = route.handle(request, response, caller, send, still);
    if (handled instanceof Promise) {
      handled.catch((error: unknown) => {
        log('route-failed', { path: route.path, error: String(error) });
        send(response, 500, errorBody('internal error'));
      });
    }
  }

  /** An answer that is under way is no idle connection, and what keeps it from ending is that nobody ends it. */
  function endlessly({ socket }: IncomingMessage, response: ServerResponse): void {
    const done = limit.slotOf(socket)?.asked();
    endless.add(response);
    response.once('close', () => {
      endless.delete(response);
      done?.();
    });
  }

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
  const server =
    options.tls === undefined
      ? createServer(settings)
      : createTlsServer({
          ...settings,
          ...options.tls,
          minVersion: 'TLSv1.2',
          handshakeTimeout: timeouts.headersMs,
          // Any certificate may be shown: the handshake proves the key, and the policy names the certificates that count.
          requestCert: true,
          rejectUnauthorized: false,
        });
  server.on('connection', (socket: Socket) => {
    if (limit.admit(socket) === undefined) return;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('request', serve);
  // Who asks before sending a body is refused before it.
  server.on('checkContinue', (request, response) => {
    toOriginForm(request);
    const refusal = refusalOf(request, routes.get(pathOf(request)));
    if (refusal !== undefined) {
      send(response, refusal.status, errorBody(refusal.text), { Connection: 'close' });
    } else {
      response.writeContinue();
      serve(request, response);
    }
  });

  await listening(server, () => server.listen({ host, port }));
  const bound = addressOf(server);

  async function close(graceMs: number = DEFAULT_GRACE_MS): Promise<void> {
    closing = true;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    for (const response of endless) response.end();
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

function mayAsk({ role }: Caller, route: HttpRoute): boolean {
  return route.role === undefined || (role !== undefined && includesRole(role, route.role));
}

function errorBody(text: string): string {
  return JSON.stringify({ error: text });
}

function refusedBody(status: number): string {
  return errorBody(REFUSED_TEXT[status] ?? '');
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

function peerOf({ socket }: IncomingMessage): string {
  return hostPort(socket.remoteAddress ?? '', socket.remotePort ?? 0);
}

/** Fingerprints by connection: parsing a certificate costs more than a request. */
const fingerprints = new WeakMap<Socket, string | undefined>();

function shownBy({ socket, headers }: IncomingMessage): Shown {
  return {
    address: socket.remoteAddress ?? '',
    authorization: headers.authorization,
    certificate: socket instanceof TLSSocket ? fingerprintOf(socket) : undefined,
  };
}

function fingerprintOf(socket: TLSSocket): string | undefined {
  if (!fingerprints.has(socket)) {
    const certificate = socket.getPeerX509Certificate();
    const sha256 = certificate instanceof X509Certificate ? certificate.fingerprint256 : undefined;
    fingerprints.set(socket, sha256?.replaceAll(':', '').toLowerCase());
  }
  return fingerprints.get(socket);
}
