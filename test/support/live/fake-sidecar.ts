/** A sidecar that answers as a test says, right or wrong, at the places where siptrustd listens. */

import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { createNetstringParser, netstring } from '../../../src/rpc/wire/netstring.js';

export interface Question {
  readonly id: unknown;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A result; `bytes` to send instead of a response; or nothing, ever. */
export type Answer = { readonly result: unknown } | { readonly error: unknown } | { readonly bytes: string } | 'none';

export class FakeSidecar {
  readonly questions: Question[] = [];
  #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  answer: (question: Question) => Answer = () => 'none';

  static async start(host: string): Promise<FakeSidecar> {
    const fake = new FakeSidecar();
    const rpc = createServer((socket) => fake.#serve(socket));
    rpc.listen(7060, host);
    const http = createHttpServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const question = JSON.parse(Buffer.concat(chunks).toString()) as Question;
      response.setHeader('connection', 'close');
      response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, ...fake.#overHttp(question) }));
    });
    http.listen(7061, host);
    await Promise.all([once(rpc, 'listening'), once(http, 'listening')]);
    fake.#servers = [rpc, http];
    return fake;
  }

  stop(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** The poll of the plugin is answered in any case: the sidecar is there. */
  #overHttp(question: Question): object {
    if (question.method === 'core.status') return { result: { revision: 4711 } };
    if (question.method === 'hop.list') return { result: { hops: [] } };
    this.questions.push(question);
    const answer = this.answer(question);
    return answer === 'none' || 'bytes' in answer ? { error: { code: -32000, message: 'no answer' } } : answer;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const parser = createNetstringParser(1 << 24);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (chunk) => {
      parser.push(chunk, (frame) => {
        const question = JSON.parse(frame.toString()) as Question;
        this.questions.push(question);
        const answer = this.answer(question);
        if (answer === 'none') return;
        const response = { jsonrpc: '2.0', id: question.id, ...answer };
        socket.write('bytes' in answer ? Buffer.from(answer.bytes, 'latin1') : netstring(JSON.stringify(response)));
      });
    });
  }
}
