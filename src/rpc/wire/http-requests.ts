/** What becomes of each HTTP request: whether it is one, who asks, and what is answered. */

import { X509Certificate } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { includesRole } from '../../policy/settings/index.js';
import type { Caller, Refused, Shown } from '../access/index.js';
import { type CallContext, type Dispatch, lineDispatch } from '../dispatch/index.js';
import type { ConnectionLimit } from './connection-limit.js';
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
import { hostPort, MAX_REQUEST_BYTES, type WireLog } from './listener.js';

/** Who is asked about a request, and who is told of it. */
export interface RequestOptions {
  readonly dispatch: Dispatch;
  /** Lower-case names by which clients may call this host, besides addresses and `localhost`. */
  readonly hosts?: readonly string[];
  readonly callerOf: (shown: Shown) => Caller | Refused | Promise<Caller | Refused>;
  readonly routes?: readonly HttpRoute[];
  /** Told of each request that was refused for want of a credential or a role. Must not throw. */
  readonly onRefused?: (status: number, path: string, peer: string) => void;
  readonly log?: WireLog;
}

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

/** Answers the requests of one server. */
export class HttpRequests {
  readonly #wire: 'http' | 'https';
  readonly #limit: ConnectionLimit;
  readonly #options: Required<RequestOptions>;
  readonly #dispatchLine: ReturnType<typeof lineDispatch>;
  readonly #routes: ReadonlyMap<string, HttpRoute>;
  readonly #endless = new Set<ServerResponse>();
  #closing = false;

  readonly #send: Send = (response, status, body, headers = {}) => {
    if (response.destroyed || response.headersSent) return;
    const all: OutgoingHttpHeaders = {
      ...(status === 204 ? {} : { 'Content-Type': RPC_MEDIA_TYPE, 'Content-Length': Buffer.byteLength(body) }),
      ...(response.req.method === 'POST' ? {} : READ_HEADERS),
      ...headers,
      ...(this.#closing ? { Connection: 'close' } : {}),
    };
    response.writeHead(status, all);
    response.end(response.req.method === 'HEAD' ? undefined : body);
  };

  constructor(wire: 'http' | 'https', limit: ConnectionLimit, options: RequestOptions) {
    this.#wire = wire;
    this.#limit = limit;
    this.#options = { hosts: [], routes: [], onRefused: () => {}, log: () => {}, ...options };
    this.#dispatchLine = lineDispatch(options.dispatch);
    const health: HttpRoute = {
      ...{ path: '/health', methods: READ, role: undefined },
      handle: (_, response) => this.#send(response, 200, '{"alive":true}'),
    };
    const rpc: HttpRoute = {
      ...{ path: '/rpc', methods: ['POST'], role: 'script' },
      handle: (request, response, caller) => this.#rpc(request, response, caller),
    };
    this.#routes = new Map([rpc, health, ...this.#options.routes].map((route) => [route.path, route]));
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    // The client is gone: nobody is left to tell.
    request.on('error', () => {});
    response.on('error', () => {});
    toOriginForm(request);
    const route = this.#routes.get(pathOf(request));
    const refusal = this.#refusalOf(request, route);
    if (refusal !== undefined) {
      const headers = refusal.status === 405 ? { Allow: route?.methods.join(', ') } : {};
      this.#refuse(request, response, refusal, headers);
      return;
    }
    if (route === undefined) return;
    const caller = this.#options.callerOf(shownBy(request));
    if (caller instanceof Promise) void caller.then((known) => this.#admit(request, response, route, known));
    else this.#admit(request, response, route, caller);
  }

  /** Who asks before sending a body is refused before it. */
  checkContinue(request: IncomingMessage, response: ServerResponse): void {
    toOriginForm(request);
    const refusal = this.#refusalOf(request, this.#routes.get(pathOf(request)));
    if (refusal !== undefined) {
      this.#send(response, refusal.status, errorBody(refusal.text), { Connection: 'close' });
    } else {
      response.writeContinue();
      this.serve(request, response);
    }
  }

  /** From now on each answer is the last one of its connection; what would never end ends. */
  close(): void {
    this.#closing = true;
    for (const response of this.#endless) response.end();
  }

  #rpc(request: IncomingMessage, response: ServerResponse, caller: Caller): void {
    let chunks: Buffer[] | undefined = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_REQUEST_BYTES) {
        chunks?.push(chunk);
        if (chunks !== undefined && chunks.length >= MOST_PIECES) chunks = [Buffer.concat(chunks)];
      } else if (chunks !== undefined) {
        chunks = undefined;
        this.#refuse(request, response, tooLarge('more'));
      }
    });
    request.on('end', () => {
      if (chunks === undefined || caller.role === undefined) return;
      const { role, credential } = caller;
      const line = mediaType(request) === LINE_MEDIA_TYPE;
      const type = line ? { 'Content-Type': LINE_MEDIA_TYPE } : {};
      let status = 200;
      const context: CallContext = {
        ...{ wire: this.#wire, peer: peerOf(request), role, ...(credential === undefined ? {} : { credential }) },
        onForbidden: () => {
          status = credential === undefined ? 401 : 403;
        },
      };
      const reply = (text: string | undefined): void => {
        if (status !== 200) this.#options.onRefused(status, '/rpc', context.peer);
        // A notification has no answer: 204. Errors of JSON-RPC are answers like any other: 200.
        if (status !== 200) this.#send(response, status, text ?? refusedBody(status), REFUSED_HEADERS[status]);
        else if (text === undefined) this.#send(response, 204, '');
        else this.#send(response, 200, text, type);
      };
      const done = this.#limit.slotOf(request.socket)?.asked();
      if (done !== undefined) response.once('close', done);
      const answer = (line ? this.#dispatchLine : this.#options.dispatch)(Buffer.concat(chunks), context);
      if (answer instanceof Promise) void answer.then(reply);
      else reply(answer);
    });
  }

  /** Answers an error and closes the connection; first drops the body, whose sender might not read before it is sent. */
  #refuse(
    request: IncomingMessage,
    response: ServerResponse,
    { status, text }: HttpRefusal,
    headers: OutgoingHttpHeaders = {},
  ): void {
    const answer = (): void => this.#send(response, status, errorBody(text), { ...headers, Connection: 'close' });
    let dropped = 0;
    request.on('data', (chunk: Buffer) => {
      dropped += chunk.length;
      if (dropped > MAX_DROPPED_BYTES) answer();
    });
    request.on('end', answer);
  }

  #refuseAccess(request: IncomingMessage, response: ServerResponse, status: number): void {
    this.#options.onRefused(status, pathOf(request), peerOf(request));
    this.#refuse(request, response, { status, text: REFUSED_TEXT[status] ?? '' }, REFUSED_HEADERS[status]);
  }

  /** What speaks against it whoever asks. */
  #refusalOf(request: IncomingMessage, route: HttpRoute | undefined): HttpRefusal | undefined {
    const refusal = refusalOfAny(request, this.#options.hosts);
    if (refusal !== undefined) return refusal;
    const path = pathOf(request).slice(0, 60);
    if (route === undefined)
      return { status: 404, text: `expected ${[...this.#routes.keys()].join(', ')}, found ${path}` };
    if (!route.methods.includes(request.method ?? '')) {
      return { status: 405, text: `expected ${route.methods.join(', ')}, found ${request.method}` };
    }
    return request.method === 'POST' ? refusalOfPost(request, this.#wire) : undefined;
  }

  #admit(request: IncomingMessage, response: ServerResponse, route: HttpRoute, caller: Caller | Refused): void {
    if ('status' in caller) {
      this.#refuseAccess(request, response, caller.status);
      return;
    }
    if (!mayAsk(caller, route)) {
      this.#refuseAccess(request, response, caller.credential === undefined ? 401 : 403);
      return;
    }
    if (route.endless) this.#endlessly(request, response);
    const still = (): boolean | Promise<boolean> => {
      const now = this.#options.callerOf(shownBy(request));
      const may = (found: Caller | Refused): boolean => !('status' in found) && mayAsk(found, route);
      return now instanceof Promise ? now.then(may) : may(now);
    };
    const handled = route.handle(request, response, caller, this.#send, still);
    if (handled instanceof Promise) {
      handled.catch((error: unknown) => {
        this.#options.log('route-failed', { path: route.path, error: String(error) });
        this.#send(response, 500, errorBody('internal error'));
      });
    }
  }

  /** An answer that is under way is no idle connection, and what keeps it from ending is that nobody ends it. */
  #endlessly({ socket }: IncomingMessage, response: ServerResponse): void {
    const done = this.#limit.slotOf(socket)?.asked();
    this.#endless.add(response);
    response.once('close', () => {
      this.#endless.delete(response);
      done?.();
    });
  }
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
