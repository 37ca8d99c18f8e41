import type { Worker } from 'node:worker_threads';
import type { LoadedPolicy, ReadOrder, ReadResult } from '../../policy/loading/index.js';
import { deepFreeze, type Seen } from '../../policy/reading/index.js';
import type { Revision } from '../../policy/revision/index.js';
import { type Held, unpack } from '../../policy/snapshot/index.js';
import { inSlices, startThread } from '../work/index.js';

/**
 * What a reading makes stays until it is done: a large nursery is memory of three times its size, and copies most of it twice.
 * With 20,000 agreements in one file this one takes 55 MiB less, and no more time.
 */
const NURSERY_MIB = 6;

/** The less a heap may grow to, the sooner V8 collects: so 100,000 agreements take 150 MiB less, and no more time. */
const USUAL_MIB = 1000;

/** Starts the thread, which knows no policy yet. @param much whether it may take all the memory that Node gives to one */
export function startReading(much = false): Worker {
  const module = new URL('../../policy/loading/worker.js', import.meta.url);
  const most = much ? {} : { maxOldGenerationSizeMb: USUAL_MIB };
  return startThread(module, undefined, { maxYoungGenerationSizeMb: NURSERY_MIB, ...most });
}

/**
 * Reads the policy in a thread of its own, and opens what comes from there in small steps: no verdict waits for it.
 * Of a policy that differs little from the one before only the difference comes.
 */
export class PolicyThread {
  readonly #path: string;
  readonly #start: (much: boolean) => Worker;
  #worker: Worker | undefined;
  /** Whether a policy needed more memory than most. */
  #much = false;
  /** What the thread reads now. */
  #order: ReadOrder | undefined;
  #held: Held | undefined;
  #seen: Seen | undefined;
  #watcher: Worker | undefined;
  #settle: ((result: ReadResult) => void) | undefined;

  constructor(path: string, start: (much: boolean) => Worker = startReading) {
    this.#path = path;
    this.#start = start;
  }

  /**
   * The policy as it is on disk now; one load at a time. Never rejects: what goes wrong is a problem of the policy.
   * @param wanted the revision of the fleet that is to be read; without it the one that is kept
   */
  async load(revision: number, now: number, wanted?: Revision): Promise<LoadedPolicy> {
    // Of the first one it is not known yet whether somebody will watch.
    const watched = this.#seen === undefined || this.#watcher !== undefined;
    const order = { path: this.#path, revision, now, held: this.#held?.contents, watched, wanted };
    const result = await this.#ask(order);
    this.#seen = result.seen ?? this.#seen;
    this.#look();
    if (!result.ok) return result;
    try {
      const { settings, warnings, remembers, fleet } = result;
      if (!remembers) this.#retire();
      this.#held = await inSlices(unpack(result.parcel, this.#held));
      return { ok: true, snapshot: this.#held.snapshot, settings: deepFreeze(settings), warnings, fleet };
    } catch (error) {
      return this.#failed(String(error));
    }
  }

  /** From now on `changed` is called when the files of the last reading have changed, and have come to rest. */
  watch(changed: () => void): void {
    const watcher = startThread(new URL('../../policy/loading/watch-worker.js', import.meta.url));
    watcher.unref();
    watcher.on('message', changed);
    watcher.on('error', () => {
      if (this.#watcher === watcher) this.#watcher = undefined;
    });
    this.#watcher = watcher;
    this.#look();
  }

  /** Ends the threads; a load that is under way fails. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#ended(worker, 'siptrustd is stopping');
    await worker?.terminate();
    await this.#watcher?.terminate();
  }

  #look(): void {
    if (this.#seen !== undefined) this.#watcher?.postMessage(this.#seen);
  }

  #ask(order: ReadOrder): Promise<ReadResult> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#send(order);
    });
  }

  #send(order: ReadOrder): void {
    const worker = this.#worker ?? this.#open();
    this.#order = order;
    worker.ref();
    worker.postMessage(order);
  }

  #open(): Worker {
    const worker = this.#start(this.#much);
    this.#worker = worker;
    worker.on('message', (result: ReadResult) => this.#answer(result));
    worker.on('error', (error) => this.#died(worker, error));
    worker.on('exit', (code) => this.#ended(worker, `the thread that reads it ended with ${code}`));
    return worker;
  }

  /** Ends a thread that has nothing to remember: its memory is free at once. */
  #retire(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }

  /** A policy beyond the usual memory is read again with more; beyond that, too, the daemon and its last good policy live on. */
  #died(worker: Worker, error: Error): void {
    const tooLarge = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    if (tooLarge && !this.#much && worker === this.#worker && this.#order !== undefined) {
      this.#much = true;
      this.#worker = undefined;
      this.#send(this.#order);
    } else this.#ended(worker, `the thread that reads it failed: ${error.message}`);
  }

  #ended(worker: Worker | undefined, why: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#answer(this.#failed(why));
  }

  #answer(result: ReadResult): void {
    const settle = this.#settle;
    this.#settle = undefined;
    this.#order = undefined;
    // A thread that waits for work keeps no daemon alive.
    this.#worker?.unref();
    settle?.(result);
  }

  #failed(why: string): { readonly ok: false; readonly problems: readonly string[] } {
    return { ok: false, problems: [`${this.#path}:1:1: error: the policy cannot be read: ${why}`] };
  }
}
