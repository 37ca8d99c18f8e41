import { type Job, nextRefresh, nextRetry, othersMaxAge } from '../fetch/index.js';

/** Where something is published. */
export interface SourceTarget {
  readonly url: string;
  readonly host: string;
}

/** What a source asks of those who keep it. */
export interface SourceKeeper {
  readonly intervalMs: number;
  now(): number;
  random(): number;
}

/** Many nodes hear of one list at once: they do not all read it in the same moment. */
const SPREAD_MS = 1_000;

/** One row of the job queue: a list or a status that is asked for again and again. */
export abstract class FetchedSource implements Job {
  readonly url: string;
  readonly host: string;
  nextAt = 0;
  /** Milliseconds since 1970: the last answer that was of use. */
  checkedAt: number | undefined;
  attempts = 0;
  failures = 0;
  error = '';
  /** An operator wants it from the server itself. */
  anew = false;
  readonly #timing: SourceKeeper;
  /** Another node has it newer; when it would have been asked for without that. */
  #dueAt: number | undefined;

  constructor({ url, host }: SourceTarget, timing: SourceKeeper) {
    this.url = url;
    this.host = host;
    this.#timing = timing;
  }

  /** Whether nobody knows yet what is there. */
  get pending(): boolean {
    return this.attempts === 0;
  }

  /** Another node has fetched something new: it is looked at before its time. */
  heard(): void {
    const { now, random } = this.#timing;
    const at = now() + random() * SPREAD_MS;
    if (this.nextAt <= at) return;
    this.#dueAt ??= this.nextAt;
    this.nextAt = at;
  }

  /** What failed is tried again at once. */
  retry(): void {
    if (this.failures === 0) return;
    this.nextAt = 0;
    this.#dueAt = undefined;
  }

  async run(stop: AbortSignal): Promise<void> {
    const dueAt = this.#dueAt;
    this.#dueAt = undefined;
    // What others say early is no reason to ask a server early.
    if (dueAt !== undefined && dueAt > this.#timing.now() && !this.anew) await this.#hear(dueAt);
    else await this.#ask(stop);
  }

  /**
   * Asks for it, and takes what comes.
   * @param maxAgeMs what another node fetched longer ago is not taken; 0: nothing of others is
   * @returns until when what is at hand holds; undefined: for good
   * @throws it is not good, or nobody answers
   */
  protected abstract ask(stop: AbortSignal, maxAgeMs: number): Promise<number | undefined>;

  /**
   * As `ask`, of what another node has fetched alone.
   * @returns `nothing`: there is none, or nobody knows
   */
  protected abstract hear(): Promise<number | undefined | 'nothing'>;

  async #ask(stop: AbortSignal): Promise<void> {
    const { now, random, intervalMs } = this.#timing;
    const maxAgeMs = this.anew || this.failures > 0 ? 0 : othersMaxAge(this.#timing, this.checkedAt);
    this.anew = false;
    try {
      this.#took(await this.ask(stop, maxAgeMs));
    } catch (cause) {
      this.failures += 1;
      this.error = wording(cause);
      this.nextAt = nextRetry(now(), this.failures, intervalMs, random());
      this.attempts += 1;
    }
  }

  async #hear(dueAt: number): Promise<void> {
    try {
      const until = await this.hear();
      if (until === 'nothing') this.nextAt = dueAt;
      else this.#took(until);
    } catch (cause) {
      // Whoever can write the store can make nobody forget what is at hand, nor when to ask the server.
      this.error = wording(cause);
      this.nextAt = dueAt;
    }
  }

  #took(until: number | undefined): void {
    const { now, intervalMs } = this.#timing;
    this.failures = 0;
    this.error = '';
    this.checkedAt = now();
    this.nextAt = nextRefresh(now(), until, intervalMs);
    this.attempts += 1;
  }
}

function wording(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
