import type { Policy } from '../../policy/snapshot/index.js';
import type { Snapshot } from '../../trust/agreement/index.js';
import type { Evidence } from '../../trust/evidence/index.js';
import { type Treatment, treatmentOf, type Verdict } from '../../trust/verdict/index.js';
import { type DifferenceRow, Differences } from './differences.js';
import { VerdictCache } from './verdict-cache.js';

/** Questions that wait to be judged again; what comes beyond is counted and left out. */
const MOST_WAITING = 1_000;
/** Questions in one turn of the event loop: answers go first. */
const EACH_TURN = 4;
const MOST_OCTETS = 33_554_432;
const MOST_VERDICTS = 10_000;

/** A question that was answered, and what the proxy does because of the answer. */
export interface Answered {
  readonly id: string;
  readonly at: number;
  readonly evidence: Evidence;
  readonly treatment: Treatment;
}

export interface CandidateOptions {
  /** The verdict of a policy with all that is known now: lists, OCSP answers, approved pins. */
  readonly judge: (evidence: Evidence, snapshot: Snapshot, now: number) => Verdict;
  /** Runs this when nothing else is to be done; setImmediate. */
  readonly later: (work: () => void) => void;
  readonly count: (what: 'asked' | 'changed') => void;
}

/** What is told of a candidate. */
export interface CandidateStatus {
  readonly file: string;
  readonly since: number;
  readonly agreements: number;
  readonly asked: number;
  readonly changed: number;
  readonly waiting: number;
  /** Questions that came faster than they could be judged twice. */
  readonly leftOut: number;
  readonly rows: readonly DifferenceRow[];
}

/**
 * A policy that is judged by in the shadow: each question that was answered is judged again by the candidate, after its
 * answer is out. It changes no answer.
 */
export class Candidate {
  readonly file: string;
  readonly policy: Policy;
  readonly #since: number;
  readonly #options: CandidateOptions;
  readonly #verdicts: VerdictCache;
  readonly #differences = new Differences();
  #waiting: Answered[] = [];
  #leftOut = 0;
  #running = false;

  /** @param ttlMs how long a verdict of the candidate is kept */
  constructor(file: string, policy: Policy, now: number, ttlMs: number, options: CandidateOptions) {
    this.file = file;
    this.policy = policy;
    this.#since = now;
    this.#options = options;
    this.#verdicts = new VerdictCache({ entries: MOST_VERDICTS, octets: MOST_OCTETS, ttlMs }, { hits: 0, misses: 0 });
  }

  /** Takes a question that was just answered. Costs a push. */
  observe(answered: Answered): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#leftOut += 1;
      return;
    }
    this.#waiting.push(answered);
    if (this.#running) return;
    this.#running = true;
    this.#options.later(() => this.#turn());
  }

  /** Verdicts from before do not hold any more: a list, a status or a pin has changed. */
  flush(): void {
    this.#verdicts.flush();
  }

  #turn(): void {
    for (const { id, at, evidence, treatment } of this.#waiting.splice(0, EACH_TURN)) {
      const { judge, count } = this.#options;
      const { snapshot } = this.policy;
      const verdict = this.#verdicts.get(evidence, snapshot, at, () => judge(evidence, snapshot, at));
      count('asked');
      if (this.#differences.add(id, at, evidence.direction, treatment, treatmentOf(verdict, snapshot)))
        count('changed');
    }
    if (this.#waiting.length > 0) this.#options.later(() => this.#turn());
    else this.#running = false;
  }

  status(): CandidateStatus {
    const { asked, changed } = this.#differences.counts;
    return {
      file: this.file,
      since: this.#since,
      agreements: this.policy.snapshot.agreements.length,
      asked,
      changed,
      waiting: this.#waiting.length,
      leftOut: this.#leftOut,
      rows: this.#differences.rows(),
    };
  }
}
