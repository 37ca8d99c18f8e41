/** A real HTTP server on loopback that a test tells how to answer, well or badly. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { FetchRules } from '../../src/net/address/fetch-target.js';

export type Answer = (response: ServerResponse, request: IncomingMessage, body: Buffer) => void;

export class HttpServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #answers = new Map<string, Answer>();
  /** Every request so far: method, path and headers. */
  readonly requests: {
    readonly method: string;
    readonly path: string;
    readonly headers: IncomingMessage['headers'];
  }[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const path = request.url ?? '';
        this.requests.push({ method: request.method ?? '', path, headers: request.headers });
        const answer = this.#answers.get(path);
        if (answer !== undefined) return answer(response, request, Buffer.concat(chunks));
        response.writeHead(404);
        response.end('<html>not found</html>');
      });
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(port = 0): Promise<HttpServer> {
    const server = new HttpServer();
    await new Promise<void>((resolve) => server.#server.listen(port, '127.0.0.1', resolve));
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** An allow-list that holds this server. */
  get rules(): FetchRules {
    return { hosts: [{ host: '127.0.0.1', port: this.port }], addresses: [] };
  }

  on(path: string, answer: Answer): void {
    this.#answers.set(path, answer);
  }

  /** Serves these octets, with an ETag that is honoured. */
  serve(path: string, octets: Uint8Array, type = 'application/pkix-crl'): void {
    const etag = `"${Buffer.from(octets).subarray(-12).toString('hex')}"`;
    this.on(path, (response, request) => {
      if (request.headers['if-none-match'] === etag) {
        response.writeHead(304, { ETag: etag });
        response.end();
        return;
      }
      response.writeHead(200, { 'Content-Type': type, ETag: etag });
      response.end(octets);
    });
  }

  count(path: string): number {
    return this.requests.filter((request) => request.path === path).length;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
