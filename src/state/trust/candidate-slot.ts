import type { Policy } from '../../policy/snapshot/index.js';
import { Candidate, type CandidateOptions } from '../verdicts/index.js';

type Answered = Parameters<Candidate['observe']>[0];

/** Room for one candidate policy: each trust.peer is judged by it too, after its answer. */
export class CandidateSlot {
  readonly #options: CandidateOptions;
  #current: Candidate | undefined;

  constructor(options: CandidateOptions) {
    this.#options = options;
  }

  /** undefined: there is none. */
  get current(): Candidate | undefined {
    return this.#current;
  }

  /**
   * From now on this policy is judged by, too; another candidate is forgotten.
   * @param ttlMs how long a verdict of the candidate is kept
   */
  take(file: string, policy: Policy, now: number, ttlMs: number): void {
    this.#current = new Candidate(file, policy, now, ttlMs, this.#options);
  }

  /** Whether there was a candidate. */
  drop(): boolean {
    const dropped = this.#current !== undefined;
    this.#current = undefined;
    return dropped;
  }

  observe(answered: Answered): void {
    this.#current?.observe(answered);
  }

  flush(): void {
    this.#current?.flush();
  }
}
