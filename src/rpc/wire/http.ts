/** JSON-RPC by HTTP POST (`/rpc`), and two questions for supervisors: `/health` (alive) and `/ready`. */

import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Dispatch } from '../dispatcher.js';
import {
  DEFAULT_GRACE_MS,
  hostPort,
  type Listener,
  MAX_REQUEST_BYTES,
  requireLoopback,
  type WireLog,
} from './listener.js';
import { DEFAULT_MAX_CONNECTIONS, listening } from './stream-server.js';

export interface Readiness {
  readonly ready: boolean;
  /** Why not. */
  readonly reasons: readonly string[];
}

export interface HttpTimeouts {
  /** ms for the header block of a request to arrive. */
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

export interface HttpOptions {
  readonly dispatch: Dispatch;
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** Allows another host than loopback. */
  readonly allowRemote?: boolean;
  readonly readiness: () => Readiness;
  readonly maxConnections?: number;
  readonly timeouts?: Partial<HttpTimeouts>;
  readonly log?: WireLog;
}

/**
 * Media types that JSON-RPC comes with. What curl and Kamailio's http_client send when told nothing is among them;
 * RPC_MEDIA_TYPE is what an answer bears.
 */
const MEDIA_TYPES: ReadonlySet<string> = new Set([
  '',
  'application/json',
  'application/json-rpc',
  'application/jsonrequest',
  'application/x-www-form-urlencoded',
  'text/json',
  'text/plain',
]);
const RPC_MEDIA_TYPE = 'application/json';

/** Rest of a refused body that is read and dropped, so that the refusal reaches a client that is still sending. */
const MAX_DROPPED_BYTES = 8 * MAX_REQUEST_BYTES;

type Route = (request: IncomingMessage, response: ServerResponse) => void;

/** @throws {Error} the host is not loopback and not allowed, or the address is not free */
export async function listenHttp(options: HttpOptions): Promise<Listener> {
  const { dispatch, host = '127.0.0.1', port, allowRemote = false, readiness, log = () => {} } = options;
  const timeouts = { ...DEFAULT_HTTP_TIMEOUTS, ...options.timeouts };
  requireLoopback('http', host, allowRemote);
  const sockets = new Set<Socket>();
  let closing = false;

  const routes = new Map<string, { readonly methods: readonly string[]; readonly route: Route }>([
    ['/rpc', { methods: ['POST'], route: rpc }],
    ['/health', { methods: ['GET', 'HEAD'], route: (_, response) => send(response, 200, '{"alive":true}') }],
    ['/ready', { methods: ['GET', 'HEAD'], route: ready }],
  ]);

  function ready(_: IncomingMessage, response: ServerResponse): void {
    const state = closing ? { ready: false, reasons: ['the daemon is stopping'] } : readiness();
    send(response, state.ready ? 200 : 503, JSON.stringify(state));
  }

  function rpc(request: IncomingMessage, response: ServerResponse): void {
    const refusal = refusalOf(request);
    if (refusal !== undefined) {
      refuse(request, response, refusal.status, refusal.text);
      return;
    }
    const peer = hostPort(request.socket.remoteAddress ?? '', request.socket.remotePort ?? 0);
    let chunks: Buffer[] | undefined = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_REQUEST_BYTES) {
        chunks?.push(chunk);
      } else if (chunks !== undefined) {
        chunks = undefined;
        refuse(request, response, 413, tooLarge('more'));
      }
    });
    request.on('end', () => {
      if (chunks === undefined) return;
      const answer = dispatch(Buffer.concat(chunks), { wire: 'http', peer, role: 'script' });
      if (answer instanceof Promise) void answer.then((text) => reply(response, text));
      else reply(response, answer);
    });
  }

  /** A notification has no answer: 204. Errors of JSON-RPC are answers like any other: 200. */
  function reply(response: ServerResponse, text: string | undefined): void {
    if (text === undefined) send(response, 204, '');
    else send(response, 200, text);
  }

  function send(response: ServerResponse, status: number, body: string, headers: OutgoingHttpHeaders = {}): void {
    if (response.destroyed) return;
    const all: OutgoingHttpHeaders = { ...headers };
    if (status !== 204) all['Content-Type'] = RPC_MEDIA_TYPE;
    if (status !== 204) all['Content-Length'] = Buffer.byteLength(body);
    if (closing) all.Connection = 'close';
    response.writeHead(status, all);
    response.end(response.req.method === 'HEAD' ? undefined : body);
  }

  /** Answers an error and closes the connection; first drops the body, whose sender might not read before it is sent. */
  function refuse(
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    text: string,
    headers: OutgoingHttpHeaders = {},
  ): void {
    const answer = (): void => {
      if (!response.headersSent) send(response, status, errorBody(text), { ...headers, Connection: 'close' });
    };
    let dropped = 0;
    request.on('data', (chunk: Buffer) => {
      dropped += chunk.length;
      if (dropped > MAX_DROPPED_BYTES) answer();
    });
    request.on('end', answer);
  }

  const server = createServer({
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.keepAliveMs,
    connectionsCheckingInterval: timeouts.checkMs,
  });
  server.maxConnections = options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  server.on('drop', () => log('too-many-connections', { limit: server.maxConnections }));
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('request', (request, response) => {
    // The client is gone: nobody is left to tell.
    request.on('error', () => {});
    response.on('error', () => {});
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const found = routes.get(path);
    if (found === undefined) {
      refuse(request, response, 404, `expected ${[...routes.keys()].join(', ')}, found ${path.slice(0, 60)}`);
    } else if (!found.methods.includes(request.method ?? '')) {
      const allowed = found.methods.join(', ');
      refuse(request, response, 405, `expected ${allowed}, found ${request.method}`, { Allow: allowed });
    } else {
      found.route(request, response);
    }
  });
  // Who asks before sending a body is refused before it.
  server.on('checkContinue', (request, response) => {
    const refusal = refusalOf(request);
    if (refusal !== undefined) {
      send(response, refusal.status, errorBody(refusal.text), { Connection: 'close' });
    } else {
      response.writeContinue();
      server.emit('request', request, response);
    }
  });

  await listening(server, () => server.listen({ host, port }));
  const bound = server.address() as AddressInfo;

  async function close(graceMs: number = DEFAULT_GRACE_MS): Promise<void> {
    closing = true;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    server.closeIdleConnections();
    // Node counts a connection that never sent a byte as busy.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    const timer = setTimeout(() => {
      log('grace-over', {});
      server.closeAllConnections();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  }

  // `localhost` is what the resolver says it is.
  try {
    requireLoopback('http', bound.address, allowRemote);
  } catch (error) {
    await close(0);
    throw error;
  }
  return { address: hostPort(bound.address, bound.port), close };
}

function errorBody(text: string): string {
  return JSON.stringify({ error: text });
}

/** What speaks against a request before its body is read. */
function refusalOf(request: IncomingMessage): { readonly status: number; readonly text: string } | undefined {
  const { headers } = request;
  // A web page can post to loopback from its visitor's browser; browsers say so, and nobody else does.
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) {
    return { status: 403, text: 'expected a program, found a web page (Origin or Sec-Fetch-Site)' };
  }
  const [type = '', ...parameters] = (headers['content-type'] ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (!MEDIA_TYPES.has(type)) return { status: 415, text: `expected ${RPC_MEDIA_TYPE}, found ${type.slice(0, 60)}` };
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (charset !== undefined && !/^charset="?(utf-?8|us-ascii)"?$/.test(charset)) {
    return { status: 415, text: `expected charset=utf-8, found ${charset.slice(0, 60)}` };
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return { status: 415, text: `expected no content encoding, found ${encoding.slice(0, 60)}` };
  }
  const length = Number(headers['content-length'] ?? 0);
  if (length > MAX_REQUEST_BYTES) return { status: 413, text: tooLarge(String(length)) };
  return undefined;
}

function tooLarge(found: string): string {
  return `expected a body of at most ${MAX_REQUEST_BYTES} bytes, found ${found}`;
}
