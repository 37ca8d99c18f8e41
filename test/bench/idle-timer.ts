/**
 * A timer that does nothing, in a process of its own: how long it waits is what the machine, with all that runs on it, takes from
 * everybody. A busy machine can be told from a slow daemon by it.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const EVERY_MS = 1;

export class IdleTimer {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  static async start(): Promise<IdleTimer> {
    const timer = new IdleTimer(fork(fileURLToPath(import.meta.url), { execArgv: ['--import', 'tsx'] }));
    await timer.longest();
    return timer;
  }

  /** The longest that it waited beyond its time since somebody last asked, in milliseconds. */
  longest(): Promise<number> {
    return new Promise((resolve) => {
      this.#process.once('message', (longest) => resolve(Number(longest)));
      this.#process.send('report');
    });
  }

  stop(): void {
    this.#process.kill();
  }
}

function run(): void {
  let longest = 0;
  let last = performance.now();
  const waited = (): number => Math.max(longest, performance.now() - last - EVERY_MS);
  const tick = (): void => {
    longest = waited();
    last = performance.now();
    setTimeout(tick, EVERY_MS);
  };
  tick();
  process.on('message', () => {
    // What it waits for right now counts, too.
    process.send?.(waited());
    longest = 0;
  });
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) run();
