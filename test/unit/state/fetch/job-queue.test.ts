import { afterEach, describe, expect, test } from 'vitest';
import { type Job, JobQueue } from '../../../../src/state/fetch/job-queue.js';
import { eventually } from '../../../support/live/places.js';

const queues: JobQueue[] = [];
afterEach(() => Promise.all(queues.splice(0).map((queue) => queue.close())));

function queueAt(clock: () => number = Date.now): JobQueue {
  const queue = new JobQueue(clock);
  queues.push(queue);
  queue.start();
  return queue;
}

class Work implements Job {
  readonly #every: number;
  readonly #holds: boolean;

  nextAt = 0;
  runs = 0;
  /** Settles the run that is under way. */
  end: () => void = () => {};
  constructor(
    readonly host: string,
    every = Number.POSITIVE_INFINITY,
    holds = true,
  ) {
    this.#every = every;
    this.#holds = holds;
  }
  run(stop: AbortSignal): Promise<void> {
    this.runs += 1;
    this.nextAt = Date.now() + this.#every;
    if (!this.#holds) return Promise.resolve();
    return new Promise((resolve) => {
      this.end = resolve;
      stop.addEventListener('abort', () => resolve());
    });
  }
}

describe('JobQueue', () => {
  test('ok/nothing runs before the start, nor in the turn that adds it', async () => {
    const queue = new JobQueue(Date.now);
    queues.push(queue);
    const job = new Work('a');
    queue.add(job);
    queue.start();
    expect(job.runs).toBe(0);
    await eventually('a run', () => job.runs === 1);
  });
  test('ok/two of one host at a time, four of all', async () => {
    const queue = queueAt();
    const hosts = ['a', 'a', 'a', 'b', 'b', 'c'];
    const jobs = hosts.map((host) => new Work(host));
    for (const job of jobs) queue.add(job);
    const running = () => jobs.map(({ runs }) => runs);
    await eventually('four runs', () => running().filter((runs) => runs === 1).length === 4);
    expect(running()).toEqual([1, 1, 0, 1, 1, 0]);
    jobs[0]?.end();
    await eventually('the next', () => running()[2] === 1);
    expect(running()).toEqual([1, 1, 1, 1, 1, 0]);
    jobs[3]?.end();
    await eventually('the last', () => running()[5] === 1);
  });
  test('ok/again when its time has come', async () => {
    const queue = queueAt();
    const job = new Work('a', 5, false);
    queue.add(job);
    await eventually('three runs', () => job.runs >= 3);
  });
  test('ok/hurry runs a job that is not due, and settles when it has run', async () => {
    const queue = queueAt();
    const job = new Work('a', Number.POSITIVE_INFINITY, false);
    queue.add(job);
    await queue.hurry(job);
    await queue.hurry(job);
    expect(job.runs).toBe(2);
  });
  test('ok/hurry of a job under way waits for it', async () => {
    const queue = queueAt();
    const job = new Work('a');
    queue.add(job);
    await eventually('a run', () => job.runs === 1);
    const done = queue.hurry(job);
    job.end();
    await done;
    expect(job.runs).toBe(1);
  });
  test('ok/a job that is taken away runs no more, and keeps nobody waiting', async () => {
    const queue = queueAt(() => 0);
    const job = new Work('a');
    job.nextAt = 10;
    const [first, second] = [new Work('a'), new Work('a')];
    queue.add(first);
    queue.add(second);
    queue.add(job);
    await eventually('both places taken', () => first.runs + second.runs === 2);
    const done = queue.hurry(job);
    queue.delete(job);
    await done;
    await queue.hurry(job);
    expect(job.runs).toBe(0);
  });
  test('ok/close stops what is under way', async () => {
    const queue = queueAt();
    const job = new Work('a', 0);
    queue.add(job);
    await eventually('a run', () => job.runs === 1);
    await queue.close();
    await queue.hurry(job);
    expect(job.runs).toBe(1);
  });
});
