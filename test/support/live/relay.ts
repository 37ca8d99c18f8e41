/** Stands between a proxy and siptrustd: counts what is asked, and answers otherwise where a test says so. */

import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** The text to send instead of siptrustd's own; `none`: no answer, ever; undefined: as siptrustd says. */
export type Tampering = (method: string, answer: string) => string | 'none' | undefined;

export class Relay {
  readonly #upstream: string;

  /** Methods that were asked, oldest first. */
  readonly asked: string[] = [];
  tamper: Tampering = () => undefined;
  /** Milliseconds that each answer is held back. */
  late = 0;
  readonly #server: Server;
  readonly #held = new Set<ServerResponse>();

  private constructor(upstream: string) {
    this.#upstream = upstream;

    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      await this.#answer(Buffer.concat(chunks).toString('latin1'), response);
    });
  }

  /** Listens at `host`:7061 for siptrustd at `upstream`:7061. */
  static async start(host: string, upstream: string): Promise<Relay> {
    const relay = new Relay(upstream);
    relay.#server.listen(7061, host);
    await once(relay.#server, 'listening');
    return relay;
  }

  count(method: string): number {
    return this.asked.filter((each) => each === method).length;
  }

  /** Questions of the message path: those of the poll left out. */
  get questions(): readonly string[] {
    return this.asked.filter((method) => method.startsWith('trust.'));
  }

  stop(): void {
    for (const response of this.#held) response.destroy();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(body: string, response: ServerResponse): Promise<void> {
    const { method } = JSON.parse(body) as { method: string };
    this.asked.push(method);
    try {
      const headers = { connection: 'close', 'content-type': 'application/json' };
      const answer = await fetch(`http://${this.#upstream}:7061/rpc`, { method: 'POST', headers, body });
      const text = await answer.text();
      if (this.late > 0) await pause(this.late);
      const changed = this.tamper(method, text);
      if (changed === 'none') return void this.#held.add(response);
      response.end(changed ?? text);
    } catch {
      if (this.tamper(method, '') === 'none') return void this.#held.add(response);
      response.destroy();
    }
  }
}
