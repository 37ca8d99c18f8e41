/** A sidecar that answers as a test says, right or wrong, where siptrustd listens for Kamailio. */

import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { answerLine } from '../../../src/sip/script/index.js';

export interface Question {
  readonly method: string;
  /** The line as it came. */
  readonly line: string;
}

/** A result, as the line that siptrustd makes of it; `bytes` to send in its place; or nothing, ever. */
export type Answer = { readonly result: unknown } | { readonly bytes: string } | 'none';

/** The line of a result. */
export function lineOf(method: string, result: unknown): string {
  return answerLine(method, result) ?? 'error;-32603';
}

export class FakeSidecar {
  readonly questions: Question[] = [];
  readonly #server: Server;
  answer: (question: Question) => Answer = () => 'none';
  /** The poll of the plugin is answered in any case: the sidecar is there. */
  status: Answer | (() => Answer) = { result: { revision: 4711, stranger: 'untrusted', sockets: [] } };
  /** What `hop.list` is answered; undefined: that there are none. */
  list: (() => Answer) | undefined;
  polls = 0;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const line = Buffer.concat(chunks).toString('latin1');
      this.#answer({ line, method: line.split(' ', 1)[0] ?? '' }, response);
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
    const { method } = question;
    const answer = this.#toPoll(method) ?? this.#toQuestion(question);
    if (answer === 'none') return;
    response.setHeader('connection', 'close');
    response.end(Buffer.from('bytes' in answer ? answer.bytes : lineOf(method, answer.result), 'latin1'));
  }

  #toPoll(method: string): Answer | undefined {
    if (method === 'hop.list') return this.list?.() ?? { result: { revision: 4711, hops: [] } };
    if (method !== 'core.status') return undefined;
    this.polls += 1;
    return typeof this.status === 'function' ? this.status() : this.status;
  }

  #toQuestion(question: Question): Answer {
    this.questions.push(question);
    return this.answer(question);
  }
}
