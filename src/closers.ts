/** What a daemon has opened: closed in the opposite order, by a start that fails and by a stop alike. */
export class Closers {
  readonly #open: { readonly what: string; readonly close: () => unknown }[] = [];

  add(what: string, close: () => unknown): void {
    this.#open.push({ what, close });
  }

  /** What was just opened, to be closed in its turn. */
  keep<T extends { close(): unknown }>(what: string, opened: T): T {
    this.add(what, () => opened.close());
    return opened;
  }

  /** Closes everything; what fails is told, and the rest is closed all the same. */
  async close(failed: (what: string, error: unknown) => void): Promise<void> {
    for (const { what, close } of this.#open.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        failed(what, error);
      }
    }
  }
}
