/** Work of which one piece runs at a time. */

/** One after the other, in the order they were asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** The next one begins when whoever waits for this one has gone on. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
    this.#last = done.then(settled, settled);
    return done;
  }
}

/** Work that does all there is to do: asked for while it runs, it runs once more, for all who asked. */
export function coalesced(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const run = (): Promise<void> => {
    running = work().finally(() => {
      running = undefined;
    });
    return running;
  };
  return () => {
    if (running === undefined) return run();
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined;
        return run();
      });
    return next;
  };
}

/** Between two looks for news: whoever may connect to the database may notify, as often as he likes. */
const NEWS_MS = 100;

/** Work that is done at once where it has rested for NEWS_MS, else then: however often it is asked for. */
export function spaced(work: () => void): () => void {
  let last = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const run = (): void => {
    timer = undefined;
    last = performance.now();
    work();
  };
  return () => {
    if (timer !== undefined) return;
    const wait = last + NEWS_MS - performance.now();
    if (wait <= 0) run();
    else timer = setTimeout(run, wait).unref();
  };
}
