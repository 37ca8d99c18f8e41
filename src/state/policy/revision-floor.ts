/** What a routing script can count on: 31 bits. */
export const MOST_REVISION = 2 ** 31 - 1;

/** Revisions that are kept ahead: so many may be given out while one write is under way. */
const AHEAD = 60;

/**
 * Up to where revisions may have been given out, kept over restarts: the next run begins above it, whatever its clock says
 * by then. It is kept ahead of what is given out, as a revision is in force at once and a disk takes its time.
 */
export class RevisionFloor {
  readonly #save: (revision: number) => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #kept: number;
  #given = 0;
  #writing: Promise<void> | undefined;

  /**
   * @param kept what the run before left
   * @param save settles when a crash does not undo it
   * @param failed told where it could not be saved; it is tried again with the next revision
   */
  constructor(kept: number, save: (revision: number) => Promise<void>, failed: (error: unknown) => void) {
    this.#kept = kept;
    this.#save = save;
    this.#failed = failed;
  }

  /** A revision is in force. Settles when there is room for more, or that could not be written. */
  async given(revision: number): Promise<void> {
    this.#given = revision;
    if (!this.#isNear()) return;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#isNear()) {
      const next = Math.min(this.#given + AHEAD, MOST_REVISION);
      try {
        await this.#save(next);
      } catch (error) {
        this.#failed(error);
        return;
      }
      this.#kept = next;
    }
  }

  #isNear(): boolean {
    return this.#kept < Math.min(this.#given + AHEAD / 2, MOST_REVISION);
  }
}
