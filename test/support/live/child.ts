/** A child process of a live test: its output is kept, and it is stopped by its own process id. */

import { type ChildProcess, spawn } from 'node:child_process';
import { family } from './processes.js';

export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export class Child {
  readonly #process: ChildProcess;
  #output = '';
  #ended = false;
  readonly #exit: Promise<number | null>;

  constructor(command: string, args: readonly string[], { cwd, env }: ChildOptions = {}) {
    this.#process = spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: Buffer): void => {
      this.#output += chunk.toString('latin1');
    };
    this.#process.stdout?.on('data', keep);
    this.#process.stderr?.on('data', keep);
    this.#exit = new Promise((resolve) => {
      this.#process.on('error', (error) => {
        this.#output += String(error);
        this.#ended = true;
        resolve(null);
      });
      this.#process.on('close', (code) => {
        this.#ended = true;
        resolve(code);
      });
    });
  }

  /** All that the process has written so far, to both outputs; latin1. */
  get output(): string {
    return this.#output;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  /** The exit code; null where a signal ended it. */
  exit(): Promise<number | null> {
    return this.#exit;
  }

  signal(name: NodeJS.Signals): void {
    if (!this.#ended) this.#process.kill(name);
  }

  /**
   * Ends the process, by force when it does not go by itself: with all that descends from it, of which one that hangs would
   * keep its output open.
   */
  async stop(name: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#ended) return;
    const all = family(this.pid);
    this.signal(name);
    const force = setTimeout(() => killAll(new Set([...all, ...family(this.pid)])), 5_000);
    await this.#exit;
    clearTimeout(force);
  }
}

function killAll(pids: Iterable<number>): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

/** Runs a command to its end. @throws with its output when it fails */
export async function run(command: string, args: readonly string[], options: ChildOptions = {}): Promise<string> {
  const child = new Child(command, args, options);
  const code = await child.exit();
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${child.output}`);
  return child.output;
}
