import { isSetBack } from '../../elapsed.js';

/** Something to be done again and again, each time at an instant that it sets itself. */
export interface Job {
  /** Jobs of one host share its places. */
  readonly host: string;
  /** Milliseconds since 1970. */
  nextAt: number;
  /** Does it once and sets `nextAt`; never rejects. */
  run(stop: AbortSignal): Promise<void>;
}

/** Jobs under way at once, over all and with one host: a host that hangs must leave places to others. */
const MOST_AT_ONCE = 4;
const MOST_PER_HOST = 2;
/** Node turns longer timers into none. */
const LONGEST_WAIT_MS = 3_600_000;

/** Runs jobs when their time has come, a few at a time, in the background. */
export class JobQueue {
  readonly #jobs = new Set<Job>();
  readonly #running = new Map<Job, Promise<void>>();
  readonly #waiting = new Map<Job, (() => void)[]>();
  readonly #stop = new AbortController();
  readonly #clock: () => number;
  #timer: NodeJS.Timeout | undefined;
  #woken = false;
  /** The latest time that was seen. */
  #latest = Number.NEGATIVE_INFINITY;
  #started = false;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  get jobs(): ReadonlySet<Job> {
    return this.#jobs;
  }

  isRunning(job: Job): boolean {
    return this.#running.has(job);
  }

  add(job: Job): void {
    this.#jobs.add(job);
    this.wake();
  }

  delete(job: Job): void {
    this.#jobs.delete(job);
    this.#done(job);
  }

  /** Does a job as soon as there is a place; settles when it has been done, or was taken away. */
  hurry(job: Job): Promise<void> {
    const running = this.#running.get(job);
    if (running !== undefined) return running;
    if (!this.#jobs.has(job) || this.#stop.signal.aborted) return Promise.resolve();
    job.nextAt = Math.min(job.nextAt, this.#clock());
    const done = new Promise<void>((resolve) => {
      this.#waiting.set(job, [...(this.#waiting.get(job) ?? []), resolve]);
    });
    this.wake();
    return done;
  }

  /** Nothing runs before. */
  start(): void {
    this.#started = true;
    this.wake();
  }

  /** Looks for due jobs in a turn of its own: who adds one may be on the path of a verdict. */
  wake(): void {
    if (!this.#started || this.#woken || this.#stop.signal.aborted) return;
    this.#woken = true;
    setImmediate(() => {
      this.#woken = false;
      this.#startDue();
    });
  }

  /** Stops what is under way and starts nothing more. */
  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    for (const job of [...this.#waiting.keys()]) this.#done(job);
    await Promise.all(this.#running.values());
  }

  #startDue(): void {
    if (this.#stop.signal.aborted) return;
    const now = this.#clock();
    this.#follow(now);
    let next = Number.POSITIVE_INFINITY;
    for (const job of this.#jobs) {
      if (this.#running.has(job)) continue;
      if (job.nextAt > now) next = Math.min(next, job.nextAt);
      else if (this.#hasPlace(job)) this.#start(job);
    }
    clearTimeout(this.#timer);
    if (next === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#startDue(), Math.min(next - now, LONGEST_WAIT_MS));
    // Nobody waits for the next look when the daemon ends.
    this.#timer.unref();
  }

  /** What was to be done in a minute is, also where the clock was a year ahead when that was settled, and was set back. */
  #follow(now: number): void {
    if (isSetBack(this.#latest, now)) {
      for (const job of this.#jobs) job.nextAt -= this.#latest - now;
    }
    this.#latest = now;
  }

  #hasPlace({ host }: Job): boolean {
    if (this.#running.size >= MOST_AT_ONCE) return false;
    const there = [...this.#running.keys()].filter((other) => other.host === host);
    return there.length < MOST_PER_HOST;
  }

  #start(job: Job): void {
    const done = job.run(this.#stop.signal).then(() => {
      this.#running.delete(job);
      this.#done(job);
      this.wake();
    });
    this.#running.set(job, done);
  }

  #done(job: Job): void {
    for (const resolve of this.#waiting.get(job) ?? []) resolve();
    this.#waiting.delete(job);
  }
}
