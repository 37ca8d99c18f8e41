/** A sidecar that answers as a test says, right or wrong, where siptrustd listens for Kamailio. */

import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';

export interface Question {
  readonly id: unknown;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A result; `bytes` to send as the body of the response; or nothing, ever. */
export type Answer = { readonly result: unknown } | { readonly error: unknown } | { readonly bytes: string } | 'none';

export class FakeSidecar {
  readonly questions: Question[] = [];
  readonly #server: Server;
  answer: (question: Question) => Answer = () => 'none';

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      this.#answer(JSON.parse(Buffer.concat(chunks).toString()) as Question, response);
    });
  }

  static async start(host: string): Promise<FakeSidecar> {
    const fake = new FakeSidecar();
    fake.#server.listen(7061, host);
    await once(fake.#server, 'listening');
    return fake;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(question: Question, response: ServerResponse): void {
    const answer = this.#toPoll(question.method) ?? this.#toQuestion(question);
    if (answer === 'none') return;
    const body = 'bytes' in answer ? answer.bytes : JSON.stringify({ jsonrpc: '2.0', id: question.id, ...answer });
    response.end(Buffer.from(body, 'latin1'));
  }

  /** The poll of the plugin is answered in any case: the sidecar is there. */
  #toPoll(method: string): Answer | undefined {
    if (method === 'core.status') return { result: { revision: 4711 } };
    return method === 'hop.list' ? { result: { hops: [] } } : undefined;
  }

  #toQuestion(question: Question): Answer {
    this.questions.push(question);
    return this.answer(question);
  }
}
