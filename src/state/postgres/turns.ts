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
