/** Questions at a fixed rate, whatever becomes of the answers. */

import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 20;
/** As scripts wait for an answer, and ten times that for a machine that is busy with others. */
const LIMIT_MS = 3_000;

export interface Asked {
  readonly questions: number;
  readonly failed: readonly string[];
}

export class Asking {
  readonly #url: string;
  readonly #params: () => object;
  #stopped = false;
  #questions = 0;
  #failed: string[] = [];
  readonly #running: Promise<void>;

  /** @param trusted what each answer has to say */
  constructor(url: string, params: () => object, trusted: 0 | 1) {
    this.#url = url;
    this.#params = params;
    this.#running = this.#run(trusted);
  }

  /** What came since the last time. */
  take(): Asked {
    const taken = { questions: this.#questions, failed: this.#failed };
    this.#questions = 0;
    this.#failed = [];
    return taken;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(trusted: 0 | 1): Promise<void> {
    const open = new Set<Promise<void>>();
    while (!this.#stopped) {
      const asked = this.#ask(trusted).finally(() => open.delete(asked));
      open.add(asked);
      await sleep(EVERY_MS);
    }
    await Promise.all(open);
  }

  async #ask(trusted: 0 | 1): Promise<void> {
    try {
      const response = await fetch(this.#url, {
        ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'trust.peer', params: this.#params() }),
        signal: AbortSignal.timeout(LIMIT_MS),
      });
      const { result } = (await response.json()) as { result?: { trusted: number } };
      if (result?.trusted !== trusted) this.#failed.push(JSON.stringify(result));
    } catch (error) {
      this.#failed.push(String(error));
    }
    this.#questions += 1;
  }
}
