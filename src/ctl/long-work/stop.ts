/** Ctrl-C and SIGTERM while long work goes on: it ends where it can, and says how far it came. */

import { setImmediate } from 'node:timers/promises';
import { Refusal } from '../terminal/index.js';
import { Progress } from './progress.js';

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** As a shell tells of a process that a signal has ended: 128 and its number. */
const EXIT_CODES: Readonly<Record<StopSignal, 130 | 143>> = { SIGINT: 130, SIGTERM: 143 };
/** Some who pass signals on send them twice: what comes this soon is the same one. */
const SAME_MS = 1000;

/** Whether and by which signal one piece of work has to end. */
export class Stop {
  readonly #abort = new AbortController();
  readonly #listeners: readonly (readonly [StopSignal, () => void])[];
  #by: StopSignal | undefined;
  #at = 0;

  private constructor() {
    this.#listeners = (['SIGINT', 'SIGTERM'] as const).map((name) => [name, () => this.#take(name)]);
    for (const [name, listener] of this.#listeners) process.on(name, listener);
  }

  /** From here on the signals end nothing by themselves, until `close`. */
  static listen(): Stop {
    return new Stop();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Which signal came; undefined: none. */
  get by(): StopSignal | undefined {
    return this.#by;
  }

  get exitCode(): 130 | 143 | undefined {
    return this.#by && EXIT_CODES[this.#by];
  }

  /**
   * Does nothing unless a signal came.
   * @param soFar what was done until now, and what is left as it is
   * @throws {Refusal} with the exit code of the signal
   */
  check(soFar: string | (() => string)): void {
    if (this.#by === undefined) return;
    const words = typeof soFar === 'string' ? soFar : soFar();
    throw new Refusal(`stopped by ${this.#by}: ${words}`, EXIT_CODES[this.#by]);
  }

  /** Lets signals in, where work does not wait for anything by itself; then as `check`. */
  async breathe(soFar: string | (() => string)): Promise<void> {
    await setImmediate();
    this.check(soFar);
  }

  close(): void {
    for (const [name, listener] of this.#listeners) process.off(name, listener);
  }

  #take(name: StopSignal): void {
    const now = performance.now();
    if (this.#by === undefined) {
      this.#by = name;
      this.#at = now;
      this.#abort.abort();
    } else if (now - this.#at >= SAME_MS) {
      // Whoever asks again does not want to wait.
      this.close();
      process.kill(process.pid, name);
    }
  }
}

/** Tells how far it is, and lets signals in. @throws {Refusal} a signal came */
export type Breathe = (doing: string) => Promise<void>;

/**
 * Work that computes without waiting, and breathes now and then.
 * @param left what a signal leaves: `nothing was written`
 */
export async function stoppable<T>(what: string, left: string, work: (breathe: Breathe) => Promise<T>): Promise<T> {
  const stop = Stop.listen();
  const progress = new Progress({ what });
  try {
    return await work(async (doing) => {
      progress.at(0, doing);
      await stop.breathe(`${doing}; ${left}`);
    });
  } finally {
    progress.clear();
    stop.close();
  }
}
