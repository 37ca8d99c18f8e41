/** How far long work is: one line that is written anew on a terminal, and a line now and then elsewhere. */

import { visible } from '../../printable.js';

/** A terminal, or what a pipe, a file or a log reads. */
export interface ProgressStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** Which work: `replay`. */
  readonly what: string;
  /** What `at` counts up to; undefined: nobody knows. */
  readonly total?: number | undefined;
  /** The work goes in steps of some seconds or minutes: each of them is told. Otherwise it takes some time to be told of. */
  readonly steps?: boolean;
  readonly stream?: ProgressStream;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** Words that may cost something: they are asked for only where they are written. */
export type Words = string | (() => string);

/** Shorter work than this says nothing. */
const QUIET_MS = 1000;
const REWRITE_MS = 100;
/** Between two lines where they stay. */
const LINE_MS = 10_000;
const COLUMNS = 80;
/** Back to the first column, and nothing to the right of it (ECMA-48: CR, EL). */
const CLEAR = '\r\u001b[K';

/** What one piece of work says of how far it is. */
export class Progress {
  readonly #options: ProgressOptions;
  readonly #stream: ProgressStream;
  readonly #now: () => number;
  readonly #terminal: boolean;
  readonly #start: number;
  #last = Number.NEGATIVE_INFINITY;
  #drawn = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#stream = options.stream ?? process.stderr;
    this.#now = options.now ?? (() => performance.now());
    this.#terminal = this.#stream.isTTY === true && process.env.TERM !== 'dumb';
    this.#start = this.#now();
  }

  /**
   * So far it is. Costs next to nothing where nothing is to be written.
   * @param done of the total
   * @param doing in words
   */
  at(done: number, doing: Words): void {
    const now = this.#now();
    if (this.#options.steps !== true) {
      if (now - this.#start < QUIET_MS || now - this.#last < (this.#terminal ? REWRITE_MS : LINE_MS)) return;
    }
    this.#last = now;
    const text = this.#text(done, typeof doing === 'string' ? doing : doing());
    if (!this.#terminal) {
      this.#stream.write(`${text}\n`);
      return;
    }
    // The last column stays free: a terminal may go to the next line there. Some do not know how wide they are, and say 0.
    this.#stream.write(`${CLEAR}${text.slice(0, (this.#stream.columns || COLUMNS) - 1)}`);
    this.#drawn = true;
  }

  /** Takes the line off the terminal, so that something else can be written there, or at the end. */
  clear(): void {
    if (this.#drawn) this.#stream.write(CLEAR);
    this.#drawn = false;
  }

  #text(done: number, doing: string): string {
    const { what, total } = this.#options;
    const percent = total === undefined || total <= 0 ? '' : `${Math.min(100, Math.floor((100 * done) / total))} %, `;
    return `${what}: ${percent}${visible(doing)}`;
  }
}
