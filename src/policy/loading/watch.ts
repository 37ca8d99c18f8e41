/** Tells when the files of a policy have changed and come to rest: who copies a hundred of them is not done with the first. */

/** Longest unrest that is waited for: a policy that never rests is read as it is, and says so. */
const MOST_UNREST_MS = 10_000;

/** Tells when files that were read have changed and come to rest. */
export class Watch {
  /** How the files stood when the policy was read. */
  #read: string;
  #last: string;
  #unrestAt: number | undefined;

  constructor(read: string) {
    this.#read = read;
    this.#last = read;
  }

  /** Looks at how the files stand at `now` (ms): whether the policy is to be read again. Each change is told once. */
  look(state: string, now: number): boolean {
    const rests = state === this.#last;
    this.#last = state;
    if (state === this.#read) {
      this.#unrestAt = undefined;
      return false;
    }
    this.#unrestAt ??= now;
    if (!rests && now - this.#unrestAt < MOST_UNREST_MS) return false;
    this.#read = state;
    this.#unrestAt = undefined;
    return true;
  }
}
